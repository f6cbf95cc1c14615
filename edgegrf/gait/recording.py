# SPDX-License-Identifier: Apache-2.0
"""A recording: what an insole saw of one foot and, where there is one, the force beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Oddity", "Recording", "Sensor"]


@dataclass(frozen=True)
class Sensor:
    """A pressure sensor and where it sits under the foot (x lateral, y towards the toe, arbitrary unit)."""

    name: str
    x: float = 0.0
    y: float = 0.0


@dataclass(frozen=True)
class Oddity:
    """Something seen in one sensor of a recording when it was read, and what was done about it."""

    kind: str  # negative, clipped, constant
    sensor: str
    first_sample: int
    count: int  # samples
    policy: str  # in words: "set to 0", "kept as read"


@dataclass(frozen=True)
class Recording:
    """One foot's walk.

    pressure [T, len(sensors)] in `unit` ("N", "BW", "kPa" or "raw"), force [T, len(force_names)] in
    `force_unit` or None, both at `sample_rate_hz`.  `force_source` says what measured the force, in words
    fit for a figure ("the insole's own total, not a force plate"; "synthetic walker").
    """

    name: str  # unique: "GaCo01_01/left"
    subject: str  # "GaCo01": what a split by subject goes by
    foot: str  # left, right
    pressure: NDArray[np.float32]
    sensors: tuple[Sensor, ...]
    unit: str
    sample_rate_hz: float
    force: NDArray[np.float32] | None = None
    force_names: tuple[str, ...] = ()
    force_unit: str = ""
    force_source: str = ""
    body_weight_n: float | None = None
    frame: tuple[int, int] | None = None  # (rows, columns) of a matrix insole
    synthetic: bool = False
    oddities: tuple[Oddity, ...] = ()
