# SPDX-License-Identifier: Apache-2.0
"""Raw counts to the model's input as firmware/core/sense.c computes it, bit for bit (SPEC.md, section 8)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.link.calibration_record import KNOTS, CalibrationRecord
from edgegrf.link.hello import Hello
from edgegrf.link.personal_record import GAIN_ONE

__all__ = ["FULL_COUNT", "UNIT_LOAD", "linear_loads", "loads_n", "model_input", "multiplier"]

#: the highest count of a sensor
FULL_COUNT = 4095
#: the linear load that a sensor's gain is given for
UNIT_LOAD = 65536

_SEGMENT = (FULL_COUNT + 1) // KNOTS
_MULTIPLIER_BITS = 28


def multiplier(gain_mn: int, weight_mn: int, scale: float) -> int:
    """Steps of the model's input per linear load, times 2^28; 0 where that fits no 32 bits.

    All in integers: `scale`, a float32, is taken apart into mantissa and exponent.
    """
    [bits] = struct.unpack("<I", struct.pack("<f", scale))
    exponent, mantissa = bits >> 23 & 0xFF, bits & 0x7FFFFF | 0x800000
    if weight_mn == 0 or bits >> 31 or exponent in (0, 0xFF):
        return 0
    weights = (gain_mn << 32) // weight_mn
    shift = 150 - exponent + _MULTIPLIER_BITS - 32 - 16
    if shift < 0:
        weights >>= -shift
    elif shift > 63 or weights >> (63 - shift):
        return 0
    else:
        weights <<= shift
    found = weights // mantissa
    return found if found < 1 << 32 else 0


def linear_loads(counts: NDArray[np.uint16], record: CalibrationRecord) -> NDArray[np.int64]:
    """Counts [T, C] through each sensor's offset, noise band and table: linear loads [T, C], 0..65535."""
    knots = np.array([(0, *sensor.knots) for sensor in record.sensors], np.int64)
    offset = np.array([sensor.offset for sensor in record.sensors], np.int64)
    band = np.array([sensor.band for sensor in record.sensors], np.int64)
    above = counts.astype(np.int64) - offset
    inside = np.clip(above, 0, None)
    segment, part = inside // _SEGMENT, inside % _SEGMENT
    sensor = np.arange(len(offset))
    low, high = knots[sensor, segment], knots[sensor, segment + 1]
    return np.where(above > band, low + (high - low) * part // _SEGMENT, 0)


def model_input(
    counts: NDArray[np.uint16],
    record: CalibrationRecord,
    hello: Hello,
    *,
    open_below: int,
    gains: Sequence[int] = (),
) -> NDArray[Any]:
    """Counts [T, C] as the model of the board `hello` sees them [T, C]; an open sensor shows no load.

    `gains` are the wearer's, of each sensor, times 4096.
    """
    factors = [
        multiplier(sensor.gain_mn * gain // GAIN_ONE, record.weight_mn, hello.input_scale)
        for sensor, gain in zip(record.sensors, gains or [GAIN_ONE] * len(record.sensors), strict=True)
    ]
    products = linear_loads(counts, record).astype(np.uint64) * np.array(factors, np.uint64)
    half = np.uint64(1 << (_MULTIPLIER_BITS - 1))
    steps = ((products + half) >> np.uint64(_MULTIPLIER_BITS)).astype(np.int64)
    steps = np.where(counts < open_below, 0, steps)
    ends = np.iinfo(hello.dtype)
    return np.clip(steps + hello.input_zero_point, ends.min, ends.max).astype(hello.dtype)


def loads_n(counts: NDArray[np.uint16], record: CalibrationRecord) -> NDArray[np.float64]:
    """The force on each sensor in newton [T, C]."""
    gains: NDArray[Any] = np.array([sensor.gain_mn for sensor in record.sensors], np.float64)
    return linear_loads(counts, record) * (gains / 1000 / UNIT_LOAD)
