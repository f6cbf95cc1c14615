# SPDX-License-Identifier: Apache-2.0
"""LEAKY_RELU, HARD_SWISH, ELU and QUANTIZE of all 256 int8 inputs, in TFLite Micro's arithmetic.

HARD_SWISH is computed on int16 with saturation, as the reference kernel does; ELU in float32 through exp();
the other two are rescalings with two roundings.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edgegrf.compiler.arithmetic import Multiplier, fits, multiplier, requantise
from edgegrf.errors import UnsupportedError

__all__ = ["elu_table", "hard_swish_table", "leaky_multiplier", "leaky_relu_table", "rescaled_table"]

Ints = NDArray[np.int64]
#: scale and zero point of a tensor
Code = tuple[np.float32, int]

_SHORT = (1 << 15) - 1


def rescaled_table(source: Code, target: Code, place: str) -> NDArray[np.int8]:
    """QUANTIZE: the same real numbers in another code, [256]."""
    by = multiplier(float(source[0]) / float(target[0]))
    fits(255, by, place)
    return _int8(requantise(_centred(source), by) + target[1])


def leaky_relu_table(source: Code, target: Code, alpha: float, place: str) -> NDArray[np.int8]:
    """LEAKY_RELU: x where x >= 0, else alpha x; [256]."""
    same = multiplier(float(source[0]) / float(target[0]))
    less = leaky_multiplier(source[0], alpha, target[0], place)
    fits(255, same, place)
    fits(255, less, place)
    x = _centred(source)
    return _int8(np.where(x >= 0, requantise(x, same), requantise(x, less)) + target[1])


def leaky_multiplier(scale: np.float32, alpha: float, out_scale: np.float32, place: str) -> Multiplier:
    """What LEAKY_RELU multiplies a code below 0 by."""
    if alpha < 0:
        what = f"{place}: a slope of {alpha:.9g} below 0"
        raise UnsupportedError(what, node=place, fix="a slope of 0 to 1")
    return multiplier(float(scale) * alpha / float(out_scale))


def elu_table(source: Code, target: Code, place: str) -> NDArray[np.int8]:
    """ELU: x where x >= 0, else exp(x) - 1, in float32, [256]."""
    one = np.float32(1)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        x = source[0] * (np.arange(-128, 128, dtype=np.float32) - np.float32(source[1]))
        exponential = np.array(
            [math.exp(max(float(value), -200.0)) for value in np.minimum(x, 0)], np.float32
        )
        ratio = np.where(x < 0, exponential - one, x) * (one / target[0])
        rounded = np.copysign(np.floor(np.abs(ratio.astype(np.float64)) + 0.5), ratio)
    if not np.all(np.abs(rounded) < 1 << 30):
        raise _beyond(place)
    return _int8(rounded.astype(np.int64) + target[1])


def hard_swish_table(source: Code, target: Code, place: str) -> NDArray[np.int8]:
    """HARD_SWISH: x relu6(x + 3) / 6, on int16 with saturation at every step, [256]."""
    fine = np.float32(source[0]) * np.float32(1 / 128)
    with np.errstate(over="ignore", under="ignore"):
        out = multiplier(float(fine / target[0]))
        knee = multiplier(float(fine / np.float32(3.0 / 32768.0)))
    if not (-15 <= out.shift <= 0 and -15 <= knee.shift <= 15):
        raise _beyond(place)
    x = _centred(source) << 7
    gate = _short(x << (knee.shift - 1)) if knee.shift > 0 else x
    gate = _product(gate, _half(knee.mantissa))
    gate = _short(gate << 1) if knee.shift > 0 else _shift_right(gate, -knee.shift)
    gate = (gate + (1 << 15)) >> 1
    product = gate * _product(x, _half(out.mantissa))
    high = np.sign(product) * (np.abs(product) >> 15)
    return _int8(_shift_right(high, -out.shift) + target[1])


def _beyond(place: str) -> UnsupportedError:
    what = f"{place}: its scales are beyond this operator"
    return UnsupportedError(what, node=place, fix="quantise the model again")


def _centred(code: Code) -> Ints:
    """The 256 inputs without their zero point."""
    return np.arange(-128, 128, dtype=np.int64) - code[1]


def _int8(values: Ints) -> NDArray[np.int8]:
    return np.clip(values, -128, 127).astype(np.int8)


def _short(values: Ints) -> Ints:
    return np.clip(values, -_SHORT - 1, _SHORT)


def _half(mantissa: int) -> int:
    """A Q31 mantissa as Q15."""
    return min((mantissa + (1 << 15)) >> 16, _SHORT)


def _product(values: Ints, by: int) -> Ints:
    """The upper half of twice the product of two int16, rounded, halves away from zero."""
    product = values * by
    nudged = product + np.where(product >= 0, 1 << 14, 1 - (1 << 14))
    return _short(np.sign(nudged) * (np.abs(nudged) >> 15))


def _shift_right(values: Ints, bits: int) -> Ints:
    """values / 2^bits, rounded half away from zero."""
    mask = (1 << bits) - 1
    result: Ints = (values >> bits) + ((values & mask) > (mask >> 1) + (values < 0))
    return result
