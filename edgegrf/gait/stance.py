# SPDX-License-Identifier: Apache-2.0
"""What a clinician reads off each stance: peaks, impulse, contact time, events, loading rate.

Estimate and reference are compared stance by stance over the reference's own stance, resampled to
percent of stance; events are paired with the nearest of the estimate.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from edgegrf.gait.events import Contacts, contacts

__all__ = ["Stances", "compare", "pooled"]

Vector = NDArray[np.float64]

_POINTS = 201  # 0.5 % of stance, under 4 ms
_EARLY = slice(10, 101)  # 5-50 % of stance: weight acceptance peak
_LATE = slice(100, 191)  # 50-95 %: push-off peak
_PAIRED_WITHIN_S = 0.2


@dataclass(frozen=True)
class Stances:
    """Estimate minus reference of each reference stance [n]; events only of the paired ones [m <= n]."""

    peak1: Vector  # unit of the force
    peak2: Vector
    impulse: Vector  # as a fraction of the reference's impulse
    loading_rate: Vector  # unit of the force per second
    heel_strike_s: Vector
    toe_off_s: Vector
    contact_time_s: Vector


def compare(estimate: Vector, reference: Vector, threshold: float, sample_rate_hz: float) -> Stances:
    """Compare two vertical forces [T], in the unit of `threshold`, stance by stance of the reference."""
    truth = contacts(reference, threshold, sample_rate_hz)
    found = contacts(estimate, threshold, sample_rate_hz)
    of_reference, of_estimate = _curves(reference, truth), _curves(estimate, truth)
    duration = (truth.off - truth.strike) / sample_rate_hz
    strike, off = _paired(truth, found, _PAIRED_WITHIN_S * sample_rate_hz)
    return Stances(
        peak1=of_estimate[:, _EARLY].max(axis=1) - of_reference[:, _EARLY].max(axis=1),
        peak2=of_estimate[:, _LATE].max(axis=1) - of_reference[:, _LATE].max(axis=1),
        impulse=of_estimate.sum(axis=1) / of_reference.sum(axis=1) - 1,
        loading_rate=_loading_rate(of_estimate, duration) - _loading_rate(of_reference, duration),
        heel_strike_s=strike / sample_rate_hz,
        toe_off_s=off / sample_rate_hz,
        contact_time_s=(off - strike) / sample_rate_hz,
    )


def pooled(parts: list[Stances]) -> Stances:
    """The stances of many walks as one."""
    names = (item.name for item in fields(Stances))
    return Stances(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _curves(force: Vector, stances: Contacts) -> Vector:
    """The force of each stance at 0..100 % of it [n, points], linearly interpolated."""
    percent = np.linspace(0, 1, _POINTS)
    at = stances.strike[:, None] + (stances.off - stances.strike)[:, None] * percent
    return np.interp(at.ravel(), np.arange(len(force)), force).reshape(at.shape)


def _loading_rate(curves: Vector, duration_s: Vector) -> Vector:
    """Vertical average loading rate: the slope from 20 to 80 % of the time to peak 1 (Milner 2006)."""
    rows = np.arange(len(curves))
    to_peak = curves[:, _EARLY].argmax(axis=1) + _EARLY.start
    low, high = np.rint(0.2 * to_peak).astype(int), np.rint(0.8 * to_peak).astype(int)
    seconds = (high - low) * duration_s / (_POINTS - 1)
    return np.asarray((curves[rows, high] - curves[rows, low]) / seconds, np.float64)


def _paired(truth: Contacts, found: Contacts, within: float) -> tuple[Vector, Vector]:
    """Strike and toe-off differences [m] in samples, of the stances both signals agree on."""
    if not len(found.strike) or not len(truth.strike):
        return np.empty(0), np.empty(0)
    after = np.clip(np.searchsorted(found.strike, truth.strike), 1, max(1, len(found.strike) - 1))
    near = np.stack([after - 1, np.minimum(after, len(found.strike) - 1)])
    best = np.abs(found.strike[near] - truth.strike).argmin(axis=0)
    partner = near[best, np.arange(len(truth.strike))]
    strike, off = found.strike[partner] - truth.strike, found.off[partner] - truth.off
    agreed = (np.abs(strike) <= within) & (np.abs(off) <= within)
    return strike[agreed], off[agreed]
