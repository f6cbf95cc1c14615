# SPDX-License-Identifier: Apache-2.0
"""Walks as a trainer wants them: equal chunks, in the student's shape, split by subject."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edgegrf.distill.batch import Batch
from edgegrf.errors import DataError
from edgegrf.gait.recording import Recording
from edgegrf.gait.split import BY_SEVEN, Split, split_by_subject, standing
from edgegrf.gait.trials import Trial, trials
from edgegrf.gait.windows import cut
from edgegrf.manifest import Interface

__all__ = ["CHUNK", "WARMUP", "Examples", "Walks", "examples", "prepare", "walks_sha256"]

#: samples in a chunk, and how many of its first ones are no one's fault: the network is still filling
CHUNK, WARMUP = 1000, 200


@dataclass(frozen=True)
class Examples:
    """Pressure [N, C, T] (matrix: [N, T, rows, columns]) and force [N, K, T].

    The first `warmup` samples of each do not count.
    """

    pressure: Tensor
    force: Tensor
    body_weight_n: NDArray[np.float64]  # [N]
    warmup: int
    taught: Tensor | None = None  # a teacher's estimate of the force
    seen: Tensor | None = None  # what the teacher sees, where that is not the pressure
    images: tuple[Tensor, ...] = ()  # [N, P, D]: what an image teacher makes of each piece, per stage

    def __len__(self) -> int:
        return len(self.pressure)

    def batch(self, chosen: Tensor, device: str = "cpu") -> Batch:
        """The examples of those numbers [B], on `device`."""
        return Batch(
            self.pressure[chosen].to(device),
            self.force[chosen].to(device),
            None if self.taught is None else self.taught[chosen].to(device),
            None if self.seen is None else self.seen[chosen].to(device),
            self.warmup,
            tuple(stage[chosen].to(device) for stage in self.images),
        )


@dataclass(frozen=True)
class Walks:
    """What a student learns from and is judged by, and the facts of it that its card states."""

    training: Examples
    validation: Examples
    facts: dict[str, object]
    sha256: str


def prepare(recordings: Sequence[Recording], interface: Interface, split: Split | None = None) -> Walks:
    """Split by subject and cut; without a split, by the standing one.

    Raises DataError when either side is left without a chunk or a force.
    """
    everyone = trials(recordings, interface)
    for trial in everyone:
        if trial.y is None:
            raise DataError(
                f"{trial.name} has no reference force",
                why="there is nothing to learn from",
                fix="map one in the CSV",
            )
    split = split or standing(trial.subject for trial in everyone)
    training, validation = split_by_subject(everyone, split)
    return Walks(
        training=examples(training, interface, "training", split.line),
        validation=examples(validation, interface, "validation", split.line),
        facts=_facts(training, validation) | {"split": split.line},
        sha256=walks_sha256(everyone),
    )


def examples(
    chosen: Sequence[Trial], interface: Interface, side: str = "", split: str = BY_SEVEN.line
) -> Examples:
    """Chunks of CHUNK samples; of a student that sees whole windows, the windows after each WARMUP."""
    pressure: list[NDArray[np.float32]] = []
    force: list[NDArray[np.float32]] = []
    weights: list[float] = []
    for trial in chosen:
        if trial.y is None:
            continue
        for x, y in zip(cut(trial.x, CHUNK), cut(trial.y, CHUNK), strict=True):
            whole = interface.lookahead < 0
            pressure.extend(cut(x[WARMUP:], interface.window) if whole else [x])
            force.extend(cut(y[WARMUP:], interface.window) if whole else [y])
            weights.extend([trial.body_weight_n] * (len(pressure) - len(weights)))
    if not pressure:
        raise DataError(
            f"no {side} walk of at least {CHUNK} samples",
            why=f"{len(chosen)} feet's walks on that side; split {split}",
            fix="give longer walks, or of more subjects; to try: edgegrf data make --walks 14 -o walks/",
        )
    return Examples(
        pressure=_shaped(np.stack(pressure), interface),
        force=torch.from_numpy(np.stack(force)).transpose(1, 2).contiguous(),
        body_weight_n=np.array(weights),
        warmup=0 if interface.lookahead < 0 else WARMUP,
    )


def _shaped(pressure: NDArray[np.float32], interface: Interface) -> Tensor:
    series = torch.from_numpy(pressure)
    if interface.frame:
        return series.reshape(*pressure.shape[:2], *interface.frame)
    return series.transpose(1, 2).contiguous()


def _facts(training: Sequence[Trial], validation: Sequence[Trial]) -> dict[str, object]:
    both = [*training, *validation]
    return {
        "walks_training": len(training),
        "walks_validation": len(validation),
        "subjects_training": len({trial.subject for trial in training}),
        "subjects_validation": len({trial.subject for trial in validation}),
        "learnt_from": sorted({trial.subject for trial in training}),
        "force_source": ", ".join(sorted({trial.force_source for trial in both})),
        "synthetic": any(trial.synthetic for trial in both),
    }


def walks_sha256(everyone: Sequence[Trial]) -> str:
    """SHA-256 of names, pressures and forces as the student saw them, whatever file they came from."""
    digest = hashlib.sha256()
    for trial in everyone:
        digest.update(trial.name.encode())
        digest.update(trial.x.tobytes())
        digest.update(b"" if trial.y is None else trial.y.tobytes())
    return digest.hexdigest()
