# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with an insole between the laboratory and the street, at graded strength."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["DISTURBANCES", "Disturbance"]

Pressure = NDArray[np.float32]


@dataclass(frozen=True)
class Disturbance:
    """One thing that goes wrong: `strengths` in `unit`, the middle one is what one should be ready for.

    `apply(pressure [T, C] in BW, strength, rng)` gives what the insole reads instead.  The force that is to
    be estimated stays what it was.  `often`: how often training meets it, against the others; what a causal
    student unlearns slowly has to come often.
    """

    line: str
    unit: str
    strengths: tuple[float, ...]
    apply: Callable[[Pressure, float, np.random.Generator], Pressure]
    often: float = 1.0

    @property
    def middle(self) -> float:
        """The middle strength."""
        return self.strengths[len(self.strengths) // 2]


def _noise(pressure: Pressure, strength: float, rng: np.random.Generator) -> Pressure:
    return np.asarray(pressure + rng.normal(0, strength, pressure.shape), np.float32)


def _drift(pressure: Pressure, strength: float, rng: np.random.Generator) -> Pressure:
    """An offset of each sensor that wanders from one normal draw to another over the walk."""
    start, end = rng.normal(0, strength, (2, 1, pressure.shape[1]))
    way = np.linspace(0, 1, len(pressure))[:, None]
    return np.asarray(np.maximum(pressure + (start + (end - start) * way), 0), np.float32)


def _gain(pressure: Pressure, strength: float, rng: np.random.Generator) -> Pressure:
    return np.asarray(pressure * np.exp(rng.normal(0, strength, (1, pressure.shape[1]))), np.float32)


def _dead(pressure: Pressure, strength: float, rng: np.random.Generator) -> Pressure:
    """One sensor reads 0 for that part of the walk."""
    silent = round(strength * len(pressure))
    start = int(rng.integers(0, len(pressure) - silent + 1))
    disturbed = pressure.copy()
    disturbed[start : start + silent, rng.integers(0, pressure.shape[1])] = 0
    return disturbed


def _dropped(pressure: Pressure, strength: float, rng: np.random.Generator) -> Pressure:
    """Samples are lost in that part of the time, and the last one that came is held."""
    here = rng.random(len(pressure)) >= strength
    here[0] = True
    last = np.maximum.accumulate(np.where(here, np.arange(len(pressure)), 0))
    return np.asarray(pressure[last], np.float32)


def _wearer(pressure: Pressure, strength: float, rng: np.random.Generator) -> Pressure:
    """All sensors read too much, or too little, alike: calibrated to another body weight."""
    return np.asarray(pressure * np.exp(rng.choice((-1, 1)) * strength), np.float32)


DISTURBANCES = {
    "noise": Disturbance(
        "white noise on every sensor, standard deviation",
        "BW",
        (0.0025, 0.005, 0.01, 0.02, 0.04),
        _noise,
        1.4,
    ),
    "drift": Disturbance(
        "a slow offset of every sensor, standard deviation",
        "BW",
        (0.0025, 0.005, 0.01, 0.02, 0.04),
        _drift,
        2.6,
    ),
    "gain": Disturbance(
        "a gain of each sensor's own, standard deviation of its logarithm",
        "",
        (0.05, 0.1, 0.2, 0.3, 0.4),
        _gain,
        4.0,
    ),
    "dead": Disturbance(
        "one sensor reads nothing, part of the time", "", (0.1, 0.25, 0.5, 0.75, 1.0), _dead, 0.6
    ),
    "dropped": Disturbance(
        "samples lost, the last one held, part of the time", "", (0.05, 0.1, 0.2, 0.4, 0.6), _dropped, 4.5
    ),
    "wearer": Disturbance(
        "calibrated to another body weight, logarithm of the ratio",
        "",
        (0.025, 0.05, 0.1, 0.2, 0.3),
        _wearer,
        0.6,
    ),
}
