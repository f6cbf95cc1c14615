# SPDX-License-Identifier: Apache-2.0
"""Representative pressure: training subjects to calibrate on, held-out subjects to measure on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import DataError
from edgegrf.gait.readers import default_data, read_walks
from edgegrf.gait.recording import Recording
from edgegrf.gait.split import split_by_subject
from edgegrf.gait.trials import Trial, trials
from edgegrf.manifest import Interface
from edgegrf.progress import Progress, silent

__all__ = ["Piece", "Walks", "cut_pieces", "fingerprint", "load_walks", "synthetic_walks"]

Floats = NDArray[np.float32]

_SYNTHETIC_SEEDS = range(1, 15)  # 12 subjects to calibrate on, 2 (7 and 14) held out


@dataclass(frozen=True)
class Walks:
    """Trials to calibrate on and to measure on; `source` says in words what they are."""

    training: list[Trial]
    held_out: list[Trial]
    source: str
    synthetic: bool


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


def load_walks(interface: Interface, data: Path | None, progress: Progress = silent) -> Walks:
    """Walks that fit `interface`: of `data`, else the default data, else the synthetic walker's.

    Raises DataError if `data` does not fit; default data that do not fit are passed over.
    """
    source = data or default_data()
    if source is None:
        return _synthetic(interface, "no walks at hand")
    try:
        recordings = read_walks(source, progress=progress)
        found = [trial for trial in trials(recordings, interface) if trial.y is not None]
    except DataError as error:
        if data is not None:
            raise
        return _synthetic(interface, error.what)
    if not found:
        raise DataError(
            f"{source}: no walk with a reference force",
            why="int8 is measured against it",
            fix="map the reference force in the columns of the CSV",
        )
    training, held_out = split_by_subject(found)
    words = found[0].force_source or source.name
    if not training or not held_out:
        words += " (calibrated and measured on the same subjects: there are too few)"
    return Walks(training or held_out, held_out or training, words, found[0].synthetic)


def _synthetic(interface: Interface, why: str) -> Walks:
    from edgegrf.gait.walker import FORCE_SOURCE

    training, held_out = split_by_subject(trials(synthetic_walks(interface, _SYNTHETIC_SEEDS), interface))
    return Walks(training, held_out, f"{FORCE_SOURCE}: {why}", synthetic=True)


def synthetic_walks(interface: Interface, seeds: Sequence[int]) -> list[Recording]:
    """Walks of the synthetic walker at 0.9-1.8 m/s on the insole that `interface` has.

    Sensors and forces that it does not know by name are played by its own, in their order.
    """
    from edgegrf.gait.walker import walk

    layout = "matrix16x8" if interface.frame or len(interface.sensors) > 8 else "gaitpdb8"
    rate = interface.sample_rate_hz
    return [
        _in_terms_of(interface, recording)
        for seed in seeds
        for recording in walk(seed, speed_mps=0.9 + 0.1 * (seed % 10), layout=layout, sample_rate_hz=rate)
    ]


def _in_terms_of(interface: Interface, recording: Recording) -> Recording:
    sensors, forces = recording.sensors, recording.force_names
    if not {sensor.name for sensor in sensors} >= set(interface.sensors):
        names = [*interface.sensors, *(f"spare{n}" for n in range(len(sensors)))]
        sensors = tuple(replace(sensor, name=name) for sensor, name in zip(sensors, names, strict=False))
    if not set(forces) >= set(interface.outputs):
        forces = (*interface.outputs, *(f"spare{n}" for n in range(len(forces))))[: len(forces)]
    return replace(recording, sensors=sensors, force_names=forces)


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
