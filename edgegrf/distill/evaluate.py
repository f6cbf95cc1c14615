# SPDX-License-Identifier: Apache-2.0
"""How good a float student is on examples it did not learn from."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edgegrf.distill.examples import Examples
from edgegrf.gait.metrics import Estimated, pooled_accuracy
from edgegrf.students.student import Student

__all__ = ["counted", "estimates", "metrics", "of_pieces", "of_walk", "rmse"]

_BATCH = 64
#: what is told of every output; steps and their events are told of the vertical force alone
_OF_ANY = ("rmse_bw", "rmse_n", "nrmse", "range_bw", "r", "r2", "bias_bw", "loa_low_bw", "loa_high_bw")


def counted(values: Tensor, examples: Examples) -> Tensor:
    """The estimates or forces [N, K, T] that count: those after the warm-up."""
    return values[..., examples.warmup :]


def estimates(student: Student, examples: Examples) -> Tensor:
    """Force [N, K, T] of every example, or [N, K, 1] of a student with one estimate a window."""
    student.eval()
    device = next(student.parameters()).device
    with torch.no_grad():
        parts = torch.split(examples.pressure, _BATCH)
        return torch.cat([student(part.to(device)).cpu() for part in parts])


def of_walk(student: Student, pressure: NDArray[np.float32]) -> NDArray[np.float32]:
    """Force [T, K] of one whole walk's pressure [T, C], from its first sample on."""
    return np.ascontiguousarray(of_pieces(student, pressure[None])[0])


def of_pieces(student: Student, pressure: NDArray[np.float32]) -> NDArray[np.float32]:
    """Force [N, E, K] of pieces of pressure [N, T, C], each from nothing; E is T, or 1 a piece."""
    given, frame = torch.from_numpy(pressure), student.interface.frame
    student.eval()
    with torch.no_grad():
        force = student(given.reshape(*given.shape[:2], *frame) if frame else given.mT).mT
    return np.ascontiguousarray(force.numpy(), np.float32)


def rmse(student: Student, examples: Examples) -> float:
    """Root mean square error over all outputs and all samples that count, in the output unit."""
    guess = counted(estimates(student, examples), examples)
    truth = counted(examples.force, examples)[..., -guess.shape[2] :]
    return math.sqrt(float((guess - truth).double().square().mean()))


def metrics(student: Student, examples: Examples) -> dict[str, float]:
    """The pooled accuracy of each output; keys of the second and later outputs end in `:NAME`.

    The unseen part is told only where the pressure is a force in the unit of the output.
    """
    interface = student.interface
    force = estimates(student, examples).numpy()
    found: dict[str, float] = {}
    for index, name in enumerate(interface.outputs):
        inputs_are_forces = interface.sensor_unit == interface.output_unit and not interface.frame
        runs = [
            Estimated(
                force[n, index],
                examples.force[n, index, -force.shape[2] :].numpy(),
                float(examples.body_weight_n[n]),
                examples.pressure[n].T.numpy() if inputs_are_forces and force.shape[2] > 1 else None,
            )
            for n in range(len(examples))
        ]
        pooled = pooled_accuracy(runs, sample_rate_hz=interface.sample_rate_hz, warmup=examples.warmup)
        suffix = f":{name}" if index else ""
        told = pooled if name == "vertical_force" else {key: pooled[key] for key in _OF_ANY}
        found |= {key + suffix: value for key, value in told.items() if math.isfinite(value)}
    return found
