# SPDX-License-Identifier: Apache-2.0
"""Torch networks that estimate force from pressure, and their checkpoints; torch is imported on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from edgegrf.errors import MissingToolError
from edgegrf.students.registry import ARCHITECTURES, Architecture

if TYPE_CHECKING:
    from edgegrf.students.build import create
    from edgegrf.students.checkpoint import load, save
    from edgegrf.students.cost import macs_per_sample
    from edgegrf.students.student import Student, example_input

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "Student",
    "create",
    "example_input",
    "load",
    "macs_per_sample",
    "require_torch",
    "save",
]

_HOMES = {
    "Student": "student",
    "create": "build",
    "example_input": "student",
    "load": "checkpoint",
    "macs_per_sample": "cost",
    "save": "checkpoint",
}


def require_torch() -> None:
    """Raise MissingToolError, with the way to get it, where PyTorch is not installed."""
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingToolError(
            "PyTorch is not installed",
            why="students are torch networks",
            fix="pip install 'edgegrf[train]' --extra-index-url https://download.pytorch.org/whl/cpu",
        ) from error


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    require_torch()
    return getattr(import_module(f"edgegrf.students.{_HOMES[name]}"), name)
