# SPDX-License-Identifier: Apache-2.0
"""Means with their 95 % intervals: of a few runs, of runs in pairs, and of many subjects."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

import numpy as np

__all__ = ["half_interval", "mean_over_subjects", "paired"]

_RESAMPLES = 10_000
_SEED = 1

#: two-sided 95 % points of Student's t for 1 to 30 degrees of freedom (any table of it)
_T95 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


def half_interval(values: Sequence[float]) -> float | None:
    """Half the 95 % interval of the mean of independent runs, by Student's t; None of a single run."""
    if len(values) < 2:
        return None
    degrees = min(len(values) - 1, len(_T95))
    return _T95[degrees - 1] * statistics.stdev(values) / math.sqrt(len(values))


def paired(
    ours: Mapping[tuple[int, int], float], theirs: Mapping[tuple[int, int], float]
) -> tuple[float, float | None] | None:
    """(mean difference ours - theirs, half its interval) of runs with the same (seed, fold); None of none."""
    apart = [ours[key] - theirs[key] for key in ours if key in theirs]
    return (statistics.fmean(apart), half_interval(apart)) if apart else None


def mean_over_subjects(errors: Mapping[str, float]) -> dict[str, float]:
    """The mean of one error a subject with its 95 % interval: percentiles of a bootstrap over subjects.

    Efron's percentile bootstrap, subjects drawn with replacement 10 000 times from a fixed seed: subjects
    are what is independent here, samples and walks are not.
    """
    values = np.array([errors[subject] for subject in sorted(errors)])
    random = np.random.default_rng(_SEED)
    drawn = random.integers(0, len(values), (_RESAMPLES, len(values)))
    low, high = np.percentile(values[drawn].mean(axis=1), (2.5, 97.5))
    return {
        "subjects": len(values),
        "mean_bw": float(values.mean()),
        "low_bw": float(low),
        "high_bw": float(high),
    }
