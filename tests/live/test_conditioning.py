# SPDX-License-Identifier: Apache-2.0
"""core/sense.c and live/conditioning.py give the same bits, for any calibration."""

from __future__ import annotations

import random
import struct

import numpy as np

from edgegrf.link.calibration_record import CalibrationRecord, SensorRecord
from edgegrf.live.conditioning import linear_loads, loads_n, multiplier


def float_bits(value):
    return struct.unpack("<I", struct.pack("<f", value))[0]


def cases(count):
    rng = random.Random(4)
    for _ in range(count):
        knots = sorted(rng.randrange(1 << 16) for _ in range(8))
        gain, weight = (
            rng.choice([rng.randrange(1 << 32), rng.randrange(1000, 5_000_000)]),
            rng.randrange(1 << 23),
        )
        scale = rng.choice(
            [rng.uniform(1e-7, 1e-1), 2.0 ** rng.randrange(-140, 120), 0.0, -1.0, float("inf")]
        )
        yield gain, weight, scale, rng.randrange(3000), rng.randrange(600), knots, rng.randrange(4096)


def test_c_and_python_agree_on_every_bit(probe):
    judge = probe("sense_probe", "core/sense.c")
    rows = list(cases(4000))
    script = "".join(
        f"{gain} {weight} {float_bits(scale)} {offset} {band} {' '.join(map(str, knots))} {counts}\n"
        for gain, weight, scale, offset, band, knots, counts in rows
    )
    fitting = 0
    for line, (gain, weight, scale, offset, band, knots, counts) in zip(judge(script), rows, strict=True):
        factor, steps = map(int, line.split())
        assert factor == multiplier(gain, weight, scale), (gain, weight, scale)
        record = CalibrationRecord(0, weight, (SensorRecord(offset, band, gain, tuple(knots)),))
        linear = int(linear_loads(np.array([[counts]], np.uint16), record)[0, 0])
        assert steps == (linear * factor + (1 << 27)) >> 28
        fitting += factor > 0
    assert 800 < fitting < 4000


def test_the_multiplier_is_what_the_formula_says():
    scale = float(np.float32(0.0026))
    exact = 500_000 / 700_000 / 65536 / scale * 2**28
    assert abs(multiplier(500_000, 700_000, scale) - exact) < 1
    assert multiplier(500_000, 0, scale) == 0
    assert multiplier(1 << 31, 1, 1e-6) == 0


def test_a_straight_sensor_shows_newtons():
    knots = tuple(min(65535, 8192 * (knot + 1)) for knot in range(8))
    record = CalibrationRecord(0, 700_000, (SensorRecord(100, 3, 65_536_000, knots),))
    counts = np.array([[50], [100], [103], [104], [612], [1124], [4095]], np.uint16)
    newtons = [0, 0, 0, 64, 8192, 16384, 63919]  # the last knot is 65535
    assert loads_n(counts, record)[:, 0].tolist() == newtons
