# SPDX-License-Identifier: Apache-2.0
"""Heel strikes and toe-offs: where a foot's vertical force crosses a threshold, between the samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MIN_CONTACT_S", "MIN_SWING_S", "THRESHOLD_N", "Contacts", "contacts"]

#: The contact threshold.  Force plates allow 20 N; an insole's offset and an estimate's noise in swing
#: do not, and the choice matters: from 20 to 50 N contact times become about 10 ms shorter.
THRESHOLD_N = 50.0

#: Shorter contacts and swings are the foot's scuffing or noise, not steps.
MIN_CONTACT_S = 0.2
MIN_SWING_S = 0.1


@dataclass(frozen=True)
class Contacts:
    """The whole contacts of a foot: heel strikes [n] and toe-offs [n], in (fractional) samples."""

    strike: NDArray[np.float64]
    off: NDArray[np.float64]


def contacts(force: NDArray[np.floating[Any]], threshold: float, sample_rate_hz: float) -> Contacts:
    """The contacts in a vertical force [T], in the unit of `threshold`; those cut by the ends are left out.

    A crossing is interpolated linearly between the two samples around it.
    """
    above = np.concatenate([[False], force > threshold, [False]])
    edges = np.flatnonzero(above[1:] != above[:-1])
    start, end = edges[0::2], edges[1::2]  # above in [start, end)
    if not len(start):
        return Contacts(np.empty(0), np.empty(0))
    swing = start[1:] - end[:-1] >= MIN_SWING_S * sample_rate_hz
    start, end = start[np.concatenate([[True], swing])], end[np.concatenate([swing, [True]])]
    whole = (start > 0) & (end < len(force)) & (end - start >= MIN_CONTACT_S * sample_rate_hz)
    start, end = start[whole], end[whole]
    return Contacts(_crossing(force, start - 1, threshold), _crossing(force, end - 1, threshold))


def _crossing(
    force: NDArray[np.floating[Any]], before: NDArray[np.intp], threshold: float
) -> NDArray[np.float64]:
    """Where the line from sample `before` to the next meets the threshold."""
    low, high = force[before].astype(np.float64), force[before + 1].astype(np.float64)
    return np.asarray(before + (threshold - low) / (high - low), np.float64)
