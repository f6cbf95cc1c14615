# SPDX-License-Identifier: Apache-2.0
"""Latency figures: which value a share of all inferences stays below."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["histogram", "quantiles", "to_microseconds"]

_SHARES = {"p50": 50, "p90": 90, "p99": 99, "max": 100}


def quantiles(cycles: NDArray[np.uint32]) -> dict[str, int]:
    """p50, p90, p99 and max of cycle counts [N]: each a count that occurred (inverted distribution)."""
    if not len(cycles):
        return {}
    return {name: int(np.percentile(cycles, share, method="inverted_cdf")) for name, share in _SHARES.items()}


def to_microseconds(cycles: dict[str, int], clock_hz: int) -> dict[str, float]:
    """The same quantiles in microseconds at `clock_hz`; empty when the board has no counter."""
    return {name: 1e6 * value / clock_hz for name, value in cycles.items()} if clock_hz else {}


def histogram(cycles: NDArray[np.uint32], bins: int = 80) -> dict[str, Any]:
    """`edges` [n + 1] in cycles and `counts` [n], n <= `bins`, for a figure; empty without cycles."""
    if not len(cycles):
        return {}
    low, high = int(cycles.min()), int(cycles.max())
    counts, edges = np.histogram(cycles, min(bins, high - low + 1), (low - 0.5, high + 0.5))
    return {"edges": [float(edge) for edge in edges], "counts": [int(count) for count in counts]}
