# SPDX-License-Identifier: Apache-2.0
"""Representative pressure: training subjects to calibrate on, held-out subjects to measure on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import DataError
from edgegrf.gait.choice import Chosen, choose_walks
from edgegrf.gait.split import Split, split_by_subject, standing
from edgegrf.gait.trials import Trial
from edgegrf.manifest import Interface
from edgegrf.progress import Progress, silent

__all__ = ["Piece", "Walks", "cut_pieces", "fingerprint", "load_walks", "walks_of"]

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Walks:
    """Trials to calibrate on and to measure on; `source` and `oddities` say what they are."""

    training: list[Trial]
    held_out: list[Trial]
    source: str
    synthetic: bool
    oddities: tuple[str, ...]


@dataclass(frozen=True)
class Piece:
    """What a model is run on once: pressure x [T, C] and its force y [T, K].

    Estimates of the samples start..stop count; those before lack history, those after the future.
    """

    x: Floats
    y: Floats
    body_weight_n: float
    start: int
    stop: int


def load_walks(
    interface: Interface, data: Path | None, columns: Path | None = None, progress: Progress = silent
) -> Walks:
    """Walks that fit `interface` and have a reference force, split by subject.

    Those of `data` (CSV by the column map `columns`), else what `choose_walks` finds; raises DataError if
    `data` does not fit.
    """
    return walks_of(choose_walks(interface, data, columns=columns, progress=progress))


def walks_of(chosen: Chosen, split: Split | None = None) -> Walks:
    """The walks of those chosen that have a reference force, split by subject; raises DataError if none."""
    found = [trial for trial in chosen.trials if trial.y is not None]
    if not found:
        raise DataError(
            f"{chosen.name}: no walk with a reference force",
            why="int8 is measured against it",
            fix="map the reference force in the columns of the CSV",
        )
    training, held_out = split_by_subject(found, split or standing(trial.subject for trial in found))
    words = chosen.source
    if not training or not held_out:
        words += " (calibrated and measured on the same subjects: there are too few)"
    return Walks(training or held_out, held_out or training, words, chosen.synthetic, tuple(chosen.oddities))


def cut_pieces(
    walks: Sequence[Trial], length: int, count: int, *, start: int = 0, stop: int | None = None
) -> list[Piece]:
    """Up to `count` pieces of `length` samples, evenly spread over all walks; raises DataError if none fits.

    Neighbours overlap so that the counted parts (start..stop) would follow on each other.
    """
    end = length if stop is None else stop
    hop = end - start
    places = [(trial, first) for trial in walks for first in range(0, len(trial.x) - length + 1, hop)]
    if not places:
        raise DataError(
            f"every walk is shorter than the model's window of {length} samples",
            fix="use longer walks, or train with a shorter window",
        )
    chosen = np.unique(np.linspace(0, len(places) - 1, min(count, len(places))).round().astype(int))
    pieces = []
    for trial, first in (places[index] for index in chosen):
        assert trial.y is not None  # load_walks keeps no other
        span = slice(first, first + length)
        pieces.append(Piece(trial.x[span], trial.y[span], trial.body_weight_n, start, end))
    return pieces


def fingerprint(pieces: Sequence[Piece]) -> str:
    """SHA-256 over the pressure of all pieces."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(np.ascontiguousarray(piece.x, "<f4").tobytes())
    return digest.hexdigest()
