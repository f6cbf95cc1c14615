# SPDX-License-Identifier: Apache-2.0
"""An insole's electronics: the counts that an ADC would show of known forces, and how sensors fail.

Each sensor is piezo-resistive, its conductance proportional to its load, in a divider with a fixed resistor:
share = load / (load + half), where `half` is the load at which half of the supply is seen.  A bias resistor
keeps a connected sensor at an offset that an open one does not show.  Sensors differ in offset and in half.
Source of the divider's law: Interlink FSR Integration Guide, voltage divider and conductance curves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["FULL_COUNT", "Electronics", "Worn"]

FULL_COUNT = 4095


@dataclass(frozen=True)
class Worn:
    """What the ADC of an insole that somebody wears shows over time: counts [T, C], over and over."""

    counts: NDArray[np.uint16]
    sample_rate_hz: float


@dataclass(frozen=True)
class Electronics:
    """`channels` sensors whose spread is drawn from `seed`; `half_n` is their median half-scale load in N."""

    channels: int
    seed: int = 0
    half_n: float = 250.0
    noise_counts: float = 0.7  # standard deviation

    def offsets(self) -> NDArray[np.float64]:
        """Counts of each unloaded sensor [C]."""
        return np.random.default_rng((self.seed, 1)).uniform(40, 90, self.channels)

    def halves_n(self) -> NDArray[np.float64]:
        """The load in N at half scale of each sensor [C]: the median, spread by 10 %."""
        spread = np.random.default_rng((self.seed, 2)).normal(0, 0.1, self.channels)
        return np.asarray(self.half_n * np.exp(spread), np.float64)

    def counts(self, load_n: NDArray[np.floating]) -> NDArray[np.uint16]:  # type: ignore[type-arg]
        """What the ADC shows of loads [T, C] in N: counts 0..4095 [T, C], with noise."""
        load = np.maximum(np.asarray(load_n, np.float64), 0)
        offset = self.offsets()
        shown = offset + (FULL_COUNT - offset) * load / (load + self.halves_n())
        noise = np.random.default_rng((self.seed, 3)).normal(0, self.noise_counts, load.shape)
        return np.asarray(np.clip(np.rint(shown + noise), 0, FULL_COUNT), np.uint16)
