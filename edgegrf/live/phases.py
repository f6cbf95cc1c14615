# SPDX-License-Identifier: Apache-2.0
"""What a wearer is asked to do for a calibration, and when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import DataError

__all__ = ["PROMPTS", "Phases", "Schedule"]

#: what a person reads, phase by phase
PROMPTS = {
    "unloaded": "Lift the foot: nothing may press on the insole.",
    "standing": "Stand on this foot alone; rock slowly from heel to toe and back.",
    "walking": "Walk at your usual pace.",
}


@dataclass(frozen=True)
class Phases:
    """Raw counts [T, C] of each phase, at `sample_rate_hz`."""

    unloaded: NDArray[np.uint16]
    standing: NDArray[np.uint16]
    walking: NDArray[np.uint16]
    sample_rate_hz: float


@dataclass(frozen=True)
class Schedule:
    """How long each phase lasts, and the time between two of them in which the wearer moves."""

    unloaded_s: float = 3.0
    standing_s: float = 10.0
    walking_s: float = 20.0
    between_s: float = 3.0

    @property
    def total_s(self) -> float:
        """From the first sample to the last; the wearer may begin late by half of `between_s`."""
        return self.unloaded_s + self.standing_s + self.walking_s + 2.5 * self.between_s

    def spans(self) -> tuple[tuple[str, float, float], ...]:
        """(phase, begin, end) in s: what is measured."""
        standing = self.unloaded_s + self.between_s
        walking = standing + self.standing_s + self.between_s
        return (
            ("unloaded", 0.0, self.unloaded_s),
            ("standing", standing, standing + self.standing_s),
            ("walking", walking, walking + self.walking_s),
        )

    def standing_at(self, rate_hz: float) -> int:
        """The sample at which a punctual wearer stands."""
        return round((self.spans()[1][1] - self.between_s / 2) * rate_hz)

    def walking_at(self, rate_hz: float) -> int:
        """The sample at which a punctual wearer begins to walk."""
        return round((self.spans()[2][1] - self.between_s / 2) * rate_hz)

    def cut(self, counts: NDArray[np.uint16], rate_hz: float) -> Phases:
        """The phases in a recording [T, C] of the whole schedule; raises DataError when it is too short."""
        needed = round(self.spans()[-1][2] * rate_hz)
        if len(counts) < needed:
            raise DataError(
                f"{len(counts) / rate_hz:.1f} s of raw counts; a calibration takes {needed / rate_hz:.1f} s",
                why=", ".join(f"{name} from {begin:g} to {end:g} s" for name, begin, end in self.spans()),
                fix="record it again, or give the lengths of its phases",
            )
        parts = {
            name: counts[round(begin * rate_hz) : round(end * rate_hz)] for name, begin, end in self.spans()
        }
        return Phases(**parts, sample_rate_hz=rate_hz)
