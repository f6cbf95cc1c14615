# SPDX-License-Identifier: Apache-2.0
"""Who teaches: one trained network, or several whose mean estimate is taught."""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from edgegrf.distill.evaluate import counted, estimates
from edgegrf.distill.examples import CHUNK, WARMUP, Examples, Walks, prepare
from edgegrf.errors import ModelError
from edgegrf.files import sha256_file, write_file
from edgegrf.gait.recording import Recording
from edgegrf.gait.split import Split
from edgegrf.manifest import Interface
from edgegrf.progress import Progress, silent
from edgegrf.resources import cache_folder
from edgegrf.students.checkpoint import load
from edgegrf.students.student import Student

__all__ = ["Teacher", "load_teacher"]


@dataclass(frozen=True)
class Teacher:
    """Trained networks of one task; the first one's features are those that recipes compare."""

    networks: tuple[Student, ...]
    names: tuple[str, ...]
    sha256: str

    def taught(
        self,
        recordings: Sequence[Recording],
        interface: Interface,
        split: Split | None = None,
        progress: Progress = silent,
    ) -> tuple[Tensor, Tensor | None]:
        """(force [N, K, T], pressure or None) for the training examples of a student with `interface`.

        The mean of the networks' estimates, in the student's cut; cached on disk, since they do not change.
        The pressure is what the first network sees, where that is not what the student sees.
        Raises ModelError when a teacher's task or cut does not fit.
        """
        force, first = self._mean(recordings, interface, split, lambda walks: walks.training, progress)
        own = self.networks[0].interface
        same = (own.sensors, own.frame) == (interface.sensors, interface.frame)
        return force, None if same else first.pressure

    def rmse(
        self,
        recordings: Sequence[Recording],
        interface: Interface,
        split: Split | None = None,
        progress: Progress = silent,
    ) -> float:
        """How far what it teaches is from the reference, over the examples of who is held out: output unit.

        Raises ModelError as `taught` does.
        """
        force, _ = self._mean(recordings, interface, split, lambda walks: walks.validation, progress)
        held_out = prepare(recordings, interface, split).validation
        return math.sqrt(float(counted(force - held_out.force, held_out).double().square().mean()))

    def _mean(
        self,
        recordings: Sequence[Recording],
        interface: Interface,
        split: Split | None,
        side: Callable[[Walks], Examples],
        progress: Progress,
    ) -> tuple[Tensor, Examples]:
        """The networks' mean estimate [N, K, T] in the student's cut, and the first one's examples."""
        total: Tensor | None = None
        first: Examples | None = None
        for index, network in enumerate(self.networks):
            _check_task(network.interface, interface, self.names[index])
            examples = side(prepare(recordings, network.interface, split))
            first = first or examples
            progress("teach", index, len(self.networks))
            force = _recut(self._estimates(index, examples), network.interface, interface, self.names[index])
            total = force if total is None else total + force
        progress("teach", len(self.networks), len(self.networks))
        assert total is not None and first is not None
        return total / len(self.networks), first

    def _estimates(self, index: int, examples: Examples) -> Tensor:
        """One network's estimates, from the cache where they have been made before."""
        key = hashlib.sha256(self.sha256.encode() + bytes([index]) + examples.pressure.numpy().tobytes())
        path = cache_folder() / "teachers" / f"{key.hexdigest()}.npy"
        if path.is_file():
            return torch.from_numpy(np.load(path))
        force = estimates(self.networks[index], examples)
        buffer = io.BytesIO()
        np.save(buffer, force.numpy())
        write_file(path, buffer.getvalue())
        return force


def load_teacher(paths: Sequence[Path]) -> Teacher:
    """The teacher of one or more checkpoints; raises ModelError for what is no checkpoint."""
    digests = [sha256_file(path) for path in paths if path.is_file()]
    networks = tuple(load(path) for path in paths)
    return Teacher(
        networks, tuple(str(path) for path in paths), hashlib.sha256("".join(digests).encode()).hexdigest()
    )


def _check_task(teacher: Interface, student: Interface, name: str) -> None:
    for what, theirs, ours in (
        ("estimates", teacher.outputs, student.outputs),
        ("works in", (teacher.sensor_unit, teacher.output_unit), (student.sensor_unit, student.output_unit)),
        ("is sampled at (Hz)", teacher.sample_rate_hz, student.sample_rate_hz),
    ):
        if theirs != ours:
            raise ModelError(
                f"the teacher {name} does not fit the student",
                why=f"it {what} {_said(theirs)}, the student {_said(ours)}",
                fix="train a teacher for the same task",
            )


def _said(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else f"{value}"


def _recut(force: Tensor, teacher: Interface, student: Interface, name: str) -> Tensor:
    """A teacher's estimates [N, K, T] in the student's cut: chunks, or windows that follow the warm-up."""
    whole, wanted = teacher.lookahead < 0, student.lookahead < 0
    if force.shape[2] == 1 or (whole and wanted and teacher.window != student.window):
        raise ModelError(
            f"the teacher {name} gives {force.shape[2]} estimate(s) in a window of {teacher.window}",
            why=f"the student learns from windows of {student.window}",
            fix="take a teacher with one estimate a sample, and the same window",
        )
    if whole == wanted:
        return force
    if wanted:
        windows = force[..., WARMUP:].unfold(2, student.window, student.window)  # [N, K, n, window]
        return windows.transpose(1, 2).flatten(0, 1).contiguous()
    if (CHUNK - WARMUP) % teacher.window:
        raise ModelError(
            f"windows of {teacher.window} samples do not fill the {CHUNK - WARMUP} that count",
            fix="train a teacher with a window of 100, 200 or 400",
        )
    each = (CHUNK - WARMUP) // teacher.window
    chunks = force.reshape(-1, each, *force.shape[1:]).transpose(1, 2).flatten(2)
    return torch.cat([torch.zeros_like(chunks[..., :WARMUP]), chunks], dim=2)
