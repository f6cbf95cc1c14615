# SPDX-License-Identifier: Apache-2.0
"""From an architecture's name, or a user's `package.module:Class`, to a student that obeys the shapes."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

from torch import Tensor, nn

from edgegrf.errors import ModelError, UnknownNameError, UsageError
from edgegrf.manifest import Interface
from edgegrf.students.registry import ARCHITECTURES
from edgegrf.students.student import Student, check_shapes, measured_reach

__all__ = ["Adapted", "create"]


class Adapted(Student):
    """A user's own torch module made a student: the same forward, its reach measured by perturbation."""

    def __init__(self, interface: Interface, network: nn.Module) -> None:
        super().__init__(interface)
        self.network = network
        self.stages = tuple(f"network.{name}" for name in getattr(network, "stages", ()))
        self._reach: int | None = None

    @property
    def receptive_field(self) -> int:
        """Measured; the window where the module only sees whole windows."""
        if self._reach is None:
            window_only = self.interface.lookahead < 0
            self._reach = self.interface.window if window_only else sum(measured_reach(self))
        return self._reach

    def forward(self, pressure: Tensor) -> Tensor:
        return self.network(pressure)  # type: ignore[no-any-return]


def create(name: str, interface: Interface, **hyper: Any) -> Student:
    """A student with fresh weights (seed them with torch.manual_seed), its shapes checked on one window.

    `name` is a row of ARCHITECTURES or `package.module:Class`, a torch module made as
    Class(interface, **hyper).  Raises UnknownNameError, UsageError for hyper-parameters that it does not
    take, ModelError for wrong shapes or an interface whose look-ahead is not the network's.
    """
    kind = _class(name)
    arguments = _bind(name, kind, interface, hyper)
    try:
        network = kind(interface, **arguments)
    except (TypeError, ValueError, RuntimeError) as error:
        raise UsageError(f"{name} refuses its hyper-parameters {arguments}", why=str(error)) from error
    student = network if isinstance(network, Student) else Adapted(interface, network)
    student.architecture = name
    student.hyper = {
        key: list(value) if isinstance(value, tuple) else value for key, value in arguments.items()
    }
    check_shapes(student)
    if name not in ARCHITECTURES:
        _check_lookahead(student)
    return student


def _class(name: str) -> type[nn.Module]:
    target = ARCHITECTURES[name].target if name in ARCHITECTURES else name
    module, colon, attribute = target.partition(":")
    if not colon:
        raise UnknownNameError("architecture", name, [*ARCHITECTURES, "package.module:Class"])
    try:
        kind = getattr(import_module(module), attribute, None)
    except ImportError as error:
        raise ModelError(
            f"the architecture {name} cannot be imported", why=str(error), fix="set PYTHONPATH to its folder"
        ) from error
    if not (inspect.isclass(kind) and issubclass(kind, nn.Module)):
        raise ModelError(f"{name} is not a class derived from torch.nn.Module", fix="package.module:Class")
    return kind


def _bind(name: str, kind: type[nn.Module], interface: Interface, hyper: dict[str, Any]) -> dict[str, Any]:
    signature = inspect.signature(kind)
    try:
        bound = signature.bind(interface, **hyper)
    except TypeError as error:
        raise UsageError(
            f"{name} does not take these hyper-parameters",
            why=str(error),
            fix=f"it takes: {', '.join(list(signature.parameters)[1:]) or 'only the interface'}",
        ) from error
    bound.apply_defaults()
    arguments = dict(bound.arguments)
    del arguments[next(iter(arguments))]
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            arguments |= arguments.pop(parameter.name)
    return arguments


def _check_lookahead(student: Student) -> None:
    declared = student.interface.lookahead
    if declared < 0:
        return
    _, ahead = measured_reach(student)
    if ahead > declared:
        raise ModelError(
            f"{student.architecture} looks {ahead} samples ahead, its interface says {declared}",
            why="measured by perturbing its input",
            fix="pad the past only, or set the interface's lookahead (-1: whole windows only)",
        )
