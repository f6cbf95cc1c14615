# SPDX-License-Identifier: Apache-2.0
"""The ground's force on a walking foot, vertical and fore-aft, in body weights.

Vertical: a half wave and its third harmonic, F = a (cos θ - q cos 3θ), θ = π (u - 1/2), over the stance
u = 0..1.  q makes the two humps and grows with speed; a follows from momentum: over a stride the two feet
together carry one body weight (Alexander & Jayes 1980, J Biomech 13:383).  To it comes the heel-strike
transient, a short peak at 8 % of stance.  q and the transient are set so that stance curves resemble
gaitpdb's controls (docs/data.md).

Fore-aft: the force points from the centre of pressure to a point above the hips, past which the foot
travels backwards at walking speed (the virtual pivot of Maus et al. 2010, Nature Communications 1:70):
it brakes first, then propels, and over a stance the two cancel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgegrf.gait.walker.timing import duty_factor, stride_s

__all__ = ["fore_aft", "vertical"]

Vector = NDArray[np.float64]

_TRANSIENT_AT = 0.08  # of stance
_PIVOT_M = 1.1  # height of the virtual pivot, a little above the centre of mass
_ROLL_M = 0.2  # how far the centre of pressure travels from heel to toe


def vertical(u: Vector, speed_mps: float) -> Vector:
    """Vertical force in BW at stance phase u [T]; 0 outside 0..1."""
    q = 0.256 + 0.135 * (speed_mps - 1.3)
    height = 0.326 + 0.64 * (speed_mps - 1.3)
    # mean of each term over the stance: 2/π, 2/(3π) and the transient's area
    stance_mean = 0.5 / duty_factor(speed_mps)
    a = (stance_mean - height * np.e * _TRANSIENT_AT) * np.pi / 2 / (1 + q / 3)
    theta = np.pi * (u - 0.5)
    early = np.clip(u, 0, None) / _TRANSIENT_AT
    force = a * (np.cos(theta) - q * np.cos(3 * theta)) + height * early * np.exp(1 - early)
    return np.where((u >= 0) & (u < 1), np.maximum(force, 0), 0.0)


def fore_aft(u: Vector, force: Vector, speed_mps: float) -> Vector:
    """Fore-aft force in the unit of the vertical `force` [T] at stance phase u [T]: braking is negative."""
    lean = _lean(u, speed_mps)
    grid = np.linspace(0, 1, 201)
    typical = vertical(grid, speed_mps)
    balance = float((typical @ _lean(grid, speed_mps)) / typical.sum())
    return np.asarray(force * (lean - balance) / _PIVOT_M, np.float64)


def _lean(u: Vector, speed_mps: float) -> Vector:
    """How far the pivot is in front of the centre of pressure, in m."""
    contact = duty_factor(speed_mps) * stride_s(speed_mps)
    return np.asarray((speed_mps * contact - _ROLL_M) * (u - 0.5), np.float64)
