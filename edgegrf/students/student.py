# SPDX-License-Identifier: Apache-2.0
"""What every student has in common: an interface, hyper-parameters, and the shapes it must obey."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from edgegrf.errors import ModelError
from edgegrf.manifest import Interface

__all__ = ["Student", "check_shapes", "example_input", "measured_reach"]


class Student(nn.Module, ABC):
    """A network that estimates force from pressure.

    forward: pressure [B, C, T] (matrix insole: [B, T, rows, columns]) in `interface.sensor_unit` to force
    [B, K, T] in `interface.output_unit`, both at `interface.sample_rate_hz`.  A recurrent student starts
    every forward pass from a zero state and offers `step()`, one sample in, one estimate out.
    """

    #: True when the estimate depends on a state that is carried from sample to sample
    recurrent = False

    def __init__(self, interface: Interface) -> None:
        super().__init__()
        self.interface = interface
        self.architecture = ""
        self.hyper: Mapping[str, Any] = {}

    @property
    @abstractmethod
    def receptive_field(self) -> int | None:
        """How many samples, the newest included, one estimate depends on; None: all since the reset."""

    @property
    def causal(self) -> bool:
        """True when no estimate needs a later sample."""
        return self.interface.lookahead == 0

    @property
    def parameters_count(self) -> int:
        """The number of trainable numbers, batch norm's scale and shift included."""
        return sum(parameter.numel() for parameter in self.parameters())


def example_input(interface: Interface, *, batch: int = 1, samples: int | None = None) -> Tensor:
    """Seeded random pressure in the student's input shape, uniform in 0..0.5 sensor units."""
    time = interface.window if samples is None else samples
    shape = (batch, time, *interface.frame) if interface.frame else (batch, len(interface.sensors), time)
    return 0.5 * torch.rand(shape, generator=torch.Generator().manual_seed(0))


def check_shapes(student: Student) -> None:
    """Run one window through the student; raises ModelError unless force [1, K, T] or [1, K, 1] comes out."""
    interface = student.interface
    pressure = example_input(interface)
    training = student.training
    student.eval()
    try:
        with torch.no_grad():
            force = student(pressure)
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        raise ModelError(
            f"{student.architecture}: its forward fails on pressure {list(pressure.shape)}",
            why=str(error).strip().splitlines()[0],
            fix="forward(pressure [B, C, T]) must return force [B, K, T]",
        ) from error
    finally:
        student.train(training)
    wanted = [1, len(interface.outputs), interface.window]
    got = list(force.shape) if isinstance(force, Tensor) else type(force).__name__
    if got not in (wanted, [*wanted[:2], 1]):
        raise ModelError(
            f"{student.architecture}: its forward returns {got}, expected force {wanted}",
            why=f"pressure went in as {list(pressure.shape)}",
            fix="return [B, K, T]: outputs before time, one estimate for each sample",
        )


def measured_reach(student: Student) -> tuple[int, int]:
    """(samples back, samples ahead) that an estimate feels, the newest counted in the first; by perturbation.

    The estimate in the middle of two windows is watched while one input sample at a time is raised by one
    unit, on three random signals, so that a closed ReLU cannot hide a path; less than 1e-6 of the
    estimates' range is rounding.
    """
    time, back, ahead = 2 * student.interface.window, 1, 0
    middle = time // 2
    training = student.training
    student.eval()
    with torch.no_grad():
        for seed in range(3):
            still = example_input(student.interface, samples=time) + 0.1 * seed
            middles = _perturbed(student, still, middle)
            change = (middles - middles[:1]).abs().amax(dim=1)[1:]
            felt = (change > 1e-6 * max(1.0, float(middles.abs().max()))).nonzero().flatten()
            if len(felt):
                back = max(back, middle - int(felt.min()) + 1)
                ahead = max(ahead, int(felt.max()) - middle)
    student.train(training)
    return back, ahead


def _perturbed(student: Student, still: Tensor, middle: int) -> Tensor:
    """The estimates [1 + T, K] at `middle` of a signal, and of it with each sample in turn raised by one."""
    time = student(still).shape[2]
    rows = [student(still)[:, :, middle]]
    for start in range(0, time, 50):
        many = still.repeat(min(50, time - start), *([1] * (still.dim() - 1)))
        each = torch.arange(len(many))
        if student.interface.frame:
            many[each, start + each] += 1.0
        else:
            many[each, :, start + each] += 1.0
        rows.append(student(many)[:, :, middle])
    return torch.cat(rows)
