# SPDX-License-Identifier: Apache-2.0
"""TFLite's int8 arithmetic where the compiler needs it: multipliers, activation ranges, proofs of range.

The formulas are those of the reference kernels of TFLite Micro, including which of them round through
float32 on the way; a multiplier that is off by one unit in its 31st bit is a wrong bit somewhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import ModelError, UnsupportedError

__all__ = [
    "Multiplier",
    "activation_range",
    "fits",
    "multiplier",
    "requantise",
    "round_ratio",
    "smaller_than_one",
]

#: the largest |accumulator| * 2^shift: room for the rounding and for adding a zero point
_LARGEST = (1 << 31) - 512
_MOST_SHIFT = 30

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Multiplier:
    """A positive real number as Q31 mantissa and binary exponent."""

    mantissa: int
    shift: int


def multiplier(real: float) -> Multiplier:
    """`real` >= 0 as TFLite's QuantizeMultiplier gives it; below 2^-32 it is 0.  Raises ModelError."""
    if not math.isfinite(real):
        raise ModelError("the scales of two tensors cannot be combined", why="their ratio is beyond float32")
    fraction, shift = math.frexp(real)
    mantissa = math.floor(fraction * (1 << 31) + 0.5)
    if mantissa == 1 << 31:
        mantissa, shift = mantissa // 2, shift + 1
    return Multiplier(0, 0) if shift < -31 else Multiplier(mantissa, shift)


def smaller_than_one(real: float, place: str) -> Multiplier:
    """The multiplier of a ratio of scales that must lie in (0, 1); raises UnsupportedError."""
    quantised = multiplier(real) if 0.0 < real < 1.0 else None
    if quantised is None or quantised.shift > 0:
        raise UnsupportedError(
            f"{place}: the scales cannot be combined in int8",
            node=place,
            why=f"a rescaling of {real:.9g} is outside 0..1",
            fix="quantise the model again",
        )
    return quantised


def requantise(values: Ints, by: Multiplier) -> Ints:
    """MultiplyByQuantizedMultiplier with two roundings, on int64 arrays that hold int32 values."""
    left, right = max(by.shift, 0), max(-by.shift, 0)
    high = ((values << left) * by.mantissa + (1 << 30)) >> 31
    mask = (1 << right) - 1
    threshold = (mask >> 1) + (high < 0)
    result: Ints = (high >> right) + ((high & mask) > threshold)
    return result


def fits(largest: int, by: Multiplier, place: str) -> None:
    """Prove that an accumulator within +-`largest` is requantised without overflow, or refuse."""
    if by.shift > _MOST_SHIFT or largest << max(by.shift, 0) > _LARGEST:
        raise UnsupportedError(
            f"{place}: int32 is too small for its accumulator",
            node=place,
            why=f"it reaches {largest} and is then scaled by 2^{by.shift}",
            fix="quantise the model again",
        )


def activation_range(
    activation: str, scale: np.float32, zero_point: int, place: str, ends: tuple[int, int] = (-128, 127)
) -> tuple[int, int]:
    """The codes of `ends` between which a fused activation clamps, rounded in float32 as TFLite does."""
    bounds = {"NONE": (None, None), "RELU": (0.0, None), "RELU6": (0.0, 6.0), "RELU_N1_TO_1": (-1.0, 1.0)}
    if activation not in bounds:
        what = f"{place}: fused activation {activation}"
        raise UnsupportedError(what, node=place, fix="use ReLU or ReLU6")
    low, high = bounds[activation]
    least = ends[0] if low is None else max(ends[0], zero_point + round_ratio(low, scale))
    most = ends[1] if high is None else min(ends[1], zero_point + round_ratio(high, scale))
    return least, most


def round_ratio(value: float, scale: Any) -> int:
    """value / scale in float32, rounded half away from zero; raises ModelError beyond int32."""
    with np.errstate(over="ignore"):
        ratio = float(np.float32(value) / np.float32(scale))
    if abs(ratio) >= 1 << 31:
        raise ModelError(f"{value:.9g} is beyond int32 at scale {float(scale):.9g}", fix="quantise again")
    return int(math.copysign(math.floor(abs(ratio) + 0.5), ratio))
