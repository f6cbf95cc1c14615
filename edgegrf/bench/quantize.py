# SPDX-License-Identifier: Apache-2.0
"""Pressure to the board's int8 and its int8 back to force, by the scales of the board's greeting."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["dequantize", "quantize"]


def quantize(x: NDArray[np.floating[Any]], scale: float, zero_point: int) -> tuple[NDArray[np.int8], int]:
    """`x` as int8, q = round(x / scale) + zero_point with halves to even, and how many values were clipped.

    Affine quantisation as in TFLite's 8-bit specification (Jacob et al. 2018, eq. 1).
    """
    q = np.rint(np.asarray(x, np.float64) / scale) + zero_point
    kept = np.clip(q, -128, 127)
    return kept.astype(np.int8), int(np.count_nonzero(q != kept))


def dequantize(q: NDArray[np.int8], scale: float, zero_point: int) -> NDArray[np.float64]:
    """The real values scale * (q - zero_point)."""
    return scale * (q.astype(np.float64) - zero_point)
