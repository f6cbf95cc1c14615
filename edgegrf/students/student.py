# SPDX-License-Identifier: Apache-2.0
"""What every student has in common: an interface, hyper-parameters, and the shapes it must obey."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from edgegrf.errors import ModelError
from edgegrf.manifest import Interface
from edgegrf.students.reach import felt_reach

__all__ = ["Student", "check_shapes", "example_input", "measured_reach"]

_ROUNDING = 1e-6  # torch adds in another order for a batch than for one signal


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
        #: modules whose outputs [B, C, T'] distillation may compare, by name, in the order of the signal
        self.stages: tuple[str, ...] = ()

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
    """(samples back, samples ahead) that an estimate feels, its own counted in the first: perturbation of
    signals of two windows.
    """
    interface, time = student.interface, 2 * student.interface.window
    training = student.training
    student.eval()

    def run(pressure: NDArray[np.float32]) -> NDArray[np.float32]:
        given = torch.from_numpy(pressure)
        shaped = given.reshape(*given.shape[:2], *interface.frame) if interface.frame else given.mT
        force: NDArray[np.float32] = student(shaped).mT.numpy()
        return force

    with torch.no_grad():
        reach = felt_reach(run, time, len(interface.sensors), rounding=_ROUNDING)
    student.train(training)
    return reach.back, reach.ahead
