# SPDX-License-Identifier: Apache-2.0
"""Where the shipped folders are, in a checkout and in an installed wheel, and where caches go."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

__all__ = ["cache_folder", "firmware_folder", "models_folder"]

_PACKAGE = Path(__file__).resolve().parent


def _shipped(name: str) -> Path:
    checkout = _PACKAGE.parent / name
    return checkout if checkout.is_dir() else _PACKAGE / "_shipped" / name


def firmware_folder() -> Path:
    """The C sources: core, kernels, engine, port, boards."""
    return _shipped("firmware")


def models_folder() -> Path:
    """The shipped students, one folder each."""
    return _shipped("models")


def cache_folder() -> Path:
    """Downloads and compiled helpers; `EDGEGRF_CACHE` overrides the platform's place."""
    return Path(os.environ.get("EDGEGRF_CACHE") or platformdirs.user_cache_dir("edgegrf"))
