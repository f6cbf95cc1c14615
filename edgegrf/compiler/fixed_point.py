# SPDX-License-Identifier: Apache-2.0
"""LOGISTIC, TANH and exp of all 256 int8 inputs, in the fixed-point arithmetic of gemmlowp that TFLite uses.

A number with n integer bits is an int32 that stands for raw / 2^(31 - n).  exp(-x) is a product of
constants exp(-2^k), one per set bit of x, and a Taylor polynomial around -1/8 for the rest; divisions are
three Newton-Raphson steps on 48/17 - 32/17 d.  Values are computed on int64 arrays that hold int32 numbers.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edgegrf.compiler.arithmetic import Multiplier, multiplier, requantise
from edgegrf.errors import UnsupportedError

__all__ = ["exp_table", "logistic_table", "tanh_table"]

Ints = NDArray[np.int64]

_ONE = (1 << 31) - 1
_INPUT_BITS = 4
_SOFTMAX_BITS = 5
#: exp(-2^k) for k = -2 .. 4, Q31
_EXP_POWERS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
_EXP_MINUS_EIGHTH = 1895147668
_THIRD = 715827883
_48_OVER_17 = 1515870810  # two integer bits, as is the next
_32_OVER_17 = 1010580540


def logistic_table(scale: float, zero_point: int, place: str) -> NDArray[np.int8]:
    """LOGISTIC of the inputs -128..127 as int8 with scale 1/256 and zero point -128, [256]."""
    x, inside, sign = _inputs(scale, zero_point, place)
    positive = _one_over_one_plus(_exp_negative(-np.abs(x), _INPUT_BITS))
    value = np.where(x > 0, positive, _ONE - positive)
    value = np.where(x == 0, 1 << 30, value)
    rounded = _divide(value, 23) - 128
    return np.clip(np.where(inside, rounded, np.where(sign > 0, 127, -128)), -128, 127).astype(np.int8)


def tanh_table(scale: float, zero_point: int, place: str) -> NDArray[np.int8]:
    """TANH of the inputs -128..127 as int8 with scale 1/128 and zero point 0, [256]."""
    x, inside, sign = _inputs(scale, zero_point, place)
    # read with one integer bit more, the same raw number is twice as large: exp(-2 |x|)
    e = _exp_negative(-np.abs(x), _INPUT_BITS + 1)
    value = _shift_left(_newton(e) - (1 << 29), 2)
    value = np.where(x == 0, 0, np.where(x < 0, -value, value))
    rounded = _divide(value, 24)
    return np.clip(np.where(inside, rounded, np.where(sign > 0, 127, -128)), -128, 127).astype(np.int8)


def exp_table(scale: float, place: str) -> NDArray[np.int32]:
    """exp(-scale i) of i = 0..255 in Q31 as SOFTMAX has it, 0 from where it takes it for nothing, [256]."""
    factor = min(scale * (1 << (31 - _SOFTMAX_BITS)), (1 << 31) - 1.0)
    by = multiplier(factor)
    if factor <= 1.0 or by.shift < 0:
        raise _beyond(scale, place)
    radius = math.floor(((1 << _SOFTMAX_BITS) - 1) * (1 << (31 - _SOFTMAX_BITS)) / (1 << by.shift))
    index = np.arange(256, dtype=np.int64)
    x = np.where(index <= radius, -index, 0)
    values = _exp_negative(requantise(x, by), _SOFTMAX_BITS)
    return np.where(index <= radius, values, 0).astype(np.int32)


def _beyond(scale: float, place: str) -> UnsupportedError:
    return UnsupportedError(
        f"{place}: its input's scale {scale:.9g} is beyond this operator",
        node=place,
        fix="quantise the model again",
    )


def _inputs(scale: float, zero_point: int, place: str) -> tuple[Ints, NDArray[np.bool_], Ints]:
    """The 256 inputs with four integer bits, where they are inside +-16, and their signs."""
    fraction, shift = math.frexp(scale * (1 << (31 - _INPUT_BITS)))
    if not 0 <= shift <= 62:
        raise _beyond(scale, place)
    radius = math.floor(((1 << _INPUT_BITS) - 1) * (1 << (31 - _INPUT_BITS)) / (1 << shift))
    centred = np.arange(-128, 128, dtype=np.int64) - zero_point
    inside = np.abs(centred) < radius
    by = Multiplier(math.floor(fraction * (1 << 31) + 0.5), shift)
    sign = np.where(centred <= -radius, -1, 1).astype(np.int64)
    return requantise(np.where(inside, centred, 0), by), inside, sign


def _multiply(a: Ints, b: Ints | int) -> Ints:
    result: Ints = (a * b + (1 << 30)) >> 31
    return result


def _divide(x: Ints, exponent: int) -> Ints:
    """x / 2^exponent, rounded half away from zero."""
    mask = (1 << exponent) - 1
    result: Ints = (x >> exponent) + ((x & mask) > (mask >> 1) + (x < 0))
    return result


def _shift_left(x: Ints, bits: int) -> Ints:
    return np.clip(x << bits, -(1 << 31), _ONE)


def _exp_negative(x: Ints, integer_bits: int) -> Ints:
    """exp(x) in Q31 of x <= 0 with `integer_bits`."""
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    rest = (x & (quarter - 1)) - quarter
    result = _exp_last_quarter(_shift_left(rest, integer_bits))
    whole = rest - x
    for power, factor in zip(range(-2, integer_bits), _EXP_POWERS, strict=False):
        bit = whole & (1 << (fraction_bits + power))
        result = np.where(bit != 0, _multiply(result, factor), result)
    return np.where(x == 0, _ONE, result)


def _exp_last_quarter(x: Ints) -> Ints:
    """exp(x) of x in [-1/4, 0), both Q31: exp(-1/8) (1 + y + y^2/2 + y^3/6 + y^4/24), y = x + 1/8."""
    y = x + (1 << 28)
    y2 = _multiply(y, y)
    y3, y4 = _multiply(y2, y), _multiply(y2, y2)
    tail = _divide(_multiply(_divide(y4, 2) + y3, _THIRD) + y2, 1)
    return _EXP_MINUS_EIGHTH + _multiply(y + tail, _EXP_MINUS_EIGHTH)


def _newton(x: Ints) -> Ints:
    """2 / (1 + x) with two integer bits, of x in [0, 1] in Q31."""
    half = (x + _ONE + 1) >> 1  # (1 + x) / 2, rounded half up; both are positive
    result = _48_OVER_17 + _multiply(half, -_32_OVER_17)
    for _ in range(3):
        error = (1 << 29) - _multiply(half, result)
        result = result + _shift_left(_multiply(result, error), 2)
    return result


def _one_over_one_plus(x: Ints) -> Ints:
    return _shift_left(_newton(x), 1)
