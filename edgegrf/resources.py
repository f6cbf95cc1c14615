# SPDX-License-Identifier: Apache-2.0
"""Where the shipped folders are, in a checkout and in an installed wheel, and where caches go."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from edgegrf.errors import UnknownNameError

__all__ = [
    "DEFAULT_STUDENT",
    "MODEL_FILE",
    "cache_folder",
    "firmware_folder",
    "shipped_file",
    "shipped_students",
]

#: the student that every command means when none is named
DEFAULT_STUDENT = "insole4-dstcn16"

#: the int8 model in a student's folder, shipped or one's own
MODEL_FILE = "student_int8.tflite"

_PACKAGE = Path(__file__).resolve().parent


def _shipped(name: str) -> Path:
    checkout = _PACKAGE.parent / name
    return checkout if checkout.is_dir() else _PACKAGE / "_shipped" / name


def firmware_folder() -> Path:
    """The C sources: core, kernels, engine, port, boards."""
    return _shipped("firmware")


def shipped_students() -> list[str]:
    """The names of the shipped students: the folders of models/."""
    return sorted(path.name for path in _shipped("models").iterdir() if path.is_dir())


def shipped_file(student: str, name: str) -> Path:
    """A file of a shipped student: student.pt, student.onnx, student_int8.tflite, golden.npz."""
    known = shipped_students()
    if student not in known:
        raise UnknownNameError("student", student, known)
    return _shipped("models") / student / name


def cache_folder() -> Path:
    """Downloads and compiled helpers; `EDGEGRF_CACHE` overrides the platform's place."""
    return Path(os.environ.get("EDGEGRF_CACHE") or platformdirs.user_cache_dir("edgegrf"))
