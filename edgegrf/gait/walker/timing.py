# SPDX-License-Identifier: Apache-2.0
"""When the feet are on the ground: strides that vary a little, and the phase of any moment in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Steps", "duty_factor", "phase", "stride_s", "two_feet"]

Vector = NDArray[np.float64]

# Stride-to-stride variation of healthy walkers: about 2 % of the stride time, each stride resembling the
# last (Hausdorff et al. 1995, J Appl Physiol 78:349); contact and force vary with their own steps.
_STRIDE_SD = 0.02
_MEMORY = 0.5
_CONTACT_SD = 0.012
_FORCE_SD = 0.03


@dataclass(frozen=True)
class Steps:
    """One foot's contacts, each [n]: heel strike and contact time in s, and vigour (1 on average)."""

    strike_s: Vector
    contact_s: Vector
    vigour: Vector


def stride_s(speed_mps: float) -> float:
    """Stride time in s at a walking speed: a power law (Grieve & Gear 1966, Ergonomics 9:379).

    1.05 s at 1.3 m/s, the time of gaitpdb's walkers near that speed.
    """
    return float(1.05 * (speed_mps / 1.3) ** -0.35)


def duty_factor(speed_mps: float) -> float:
    """The part of a stride that a foot is on the ground; it falls with speed, to 0.5 where running begins."""
    return 0.618 - 0.075 * (speed_mps - 1.3)


def two_feet(
    rng: np.random.Generator, speed_mps: float, duration_s: float, asymmetry: float
) -> tuple[Steps, Steps]:
    """Left and right steps that cover 0 .. duration_s; the right foot strikes half a stride after the left.

    `asymmetry` is by how much of a stride the right foot is late.
    """
    mean = stride_s(speed_mps)
    count = int(duration_s / mean * 1.2) + 8
    jitter = _STRIDE_SD * np.sqrt(1 - _MEMORY**2) * rng.standard_normal(count)
    for index in range(1, count):
        jitter[index] += _MEMORY * jitter[index - 1]
    strides = mean * (1 + jitter)
    left = np.cumsum(strides) - strides[0] - mean * (1 + rng.uniform())
    right = left + (0.5 + asymmetry) * strides
    contact = duty_factor(speed_mps) * strides
    return _steps(rng, left, contact), _steps(rng, right, contact)


def phase(steps: Steps, time_s: Vector) -> tuple[Vector, NDArray[np.intp]]:
    """Of each moment [T]: how far through its stance (0..1, above 1 in swing), and the index of its step."""
    step = np.clip(np.searchsorted(steps.strike_s, time_s, side="right") - 1, 0, len(steps.strike_s) - 1)
    return (time_s - steps.strike_s[step]) / steps.contact_s[step], step


def _steps(rng: np.random.Generator, strike: Vector, contact: Vector) -> Steps:
    count = len(strike)
    return Steps(
        strike_s=strike,
        contact_s=contact * (1 + _CONTACT_SD * rng.standard_normal(count)),
        vigour=1 + _FORCE_SD * rng.standard_normal(count),
    )
