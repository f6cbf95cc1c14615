# SPDX-License-Identifier: Apache-2.0
"""How the foot's load rolls over the insole: a shape that travels from heel to toe.

A place at (x across, y along the foot) carries a share proportional to
g(place) exp(-((y - c(u)) / σ)² / 2) exp(k (u - 1/2) (x - 1/2)): g is how much of the foot's load a place
takes (little under the arch), c(u) is where the load is at stance phase u, fast off the heel, slow under the
midfoot, fast again in push-off; k lets it move from the outer to the inner side.  All shares add up to 1,
so that the sensors together carry the vertical force.  c, σ, k and g were fitted to the mean stance in
gaitpdb's walks of controls (RMS difference 0.022 BW per sensor).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgegrf.gait.recording import Sensor

__all__ = ["FRAME", "matrix_sensors", "roll_over", "takes"]

Vector = NDArray[np.float64]

#: rows from heel to toe, columns from the inner to the outer side
FRAME = (16, 8)

_SIGMA = 0.41
_PRONATION = -0.61

# x, y (1000 units of the gaitpdb insole) and what the place takes of the load
_TAKES = np.array([
    (0.5, -0.8, 0.97), (0.7, -0.4, 0.66), (0.3, -0.4, 0.55), (0.7, 0.0, 0.79),
    (0.3, 0.0, 0.39), (0.7, 0.4, 1.40), (0.3, 0.4, 1.51), (0.5, 0.8, 1.75),
])  # fmt: skip


def takes(sensors: tuple[Sensor, ...]) -> Vector:
    """How much of the load each sensor's place takes [C]: the eight known places, blended by distance.

    0 outside the sole's outline, narrow at the heel and wide at the ball.
    """
    x, y = _place(sensors)
    distance2 = ((x[:, None] - _TAKES[:, 0]) / 0.1) ** 2 + ((y[:, None] - _TAKES[:, 1]) / 0.13) ** 2
    near = np.exp(-0.5 * np.minimum(distance2, 200)) + 1e-12
    blended = (near @ _TAKES[:, 2]) / near.sum(axis=1)
    half_width = 0.2 + 0.07 * (1 + np.tanh(3 * y))
    inside = ((x - 0.5) / half_width) ** 2 + np.clip((np.abs(y) - 0.7) / 0.25, 0, None) ** 2 <= 1
    return np.where(inside, blended, 0.0)


def roll_over(u: Vector, sensors: tuple[Sensor, ...], gain: Vector) -> Vector:
    """The share of the foot's load on each sensor [T, C] at stance phase u [T], each row adding up to 1."""
    x, y = _place(sensors)
    u = np.clip(u, 0, 1)[:, None]
    centre = -0.9 + 2.09 * u - 2.27 * u**2 + 1.97 * u**3
    load = gain * np.exp(-0.5 * ((y - centre) / _SIGMA) ** 2 + _PRONATION * (u - 0.5) * (x - 0.5))
    return np.asarray(load / load.sum(axis=1, keepdims=True), np.float64)


def matrix_sensors() -> tuple[Sensor, ...]:
    """The 128 cells of the matrix insole, row by row from the heel, in the gaitpdb insole's coordinates."""
    rows, columns = FRAME
    return tuple(
        Sensor(f"r{row}c{column}", 240 + 520 * column / (columns - 1), -920 + 1840 * row / (rows - 1))
        for row in range(rows)
        for column in range(columns)
    )


def _place(sensors: tuple[Sensor, ...]) -> tuple[Vector, Vector]:
    return np.array([sensor.x for sensor in sensors]) / 1e3, np.array([sensor.y for sensor in sensors]) / 1e3
