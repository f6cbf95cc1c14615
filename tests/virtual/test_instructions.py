# SPDX-License-Identifier: Apache-2.0
"""The emulated core's DSP and floating-point instructions against models of their definitions.

Definitions: ARMv7-M Architecture Reference Manual, A7.7, written out here on Python integers.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

EDGES = (0, 1, 0xFFFF_FFFF, 0x7FFF_FFFF, 0x8000_0000, 0x8000_8000, 0x7FFF_7FFF, 0x0080_FF7F)


def word(value):
    return value & 0xFFFF_FFFF


def signed(value, bits=32):
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> bits - 1 else value


def low(value):
    return signed(value, 16)


def high(value):
    return signed(value >> 16, 16)


def clamp(value, smallest, largest):
    return max(smallest, min(largest, value))


def two_bytes(value):
    return word(signed(value, 8)) & 0xFFFF | (word(signed(value >> 16, 8)) & 0xFFFF) << 16


def rotate(value, by):
    return value >> by | word(value << 32 - by)


def divide(a, b):
    return 0 if b == 0 else int(abs(a) // abs(b)) * (1 if (a < 0) == (b < 0) else -1)


def integers(a, b, c):
    sa, sb, sc = signed(a), signed(b), signed(c)
    full, long = sa * sb, signed(a << 32 | c, 64) + sa * sb
    return {
        "smlad": low(a) * low(b) + high(a) * high(b) + sc,
        "smladx": low(a) * high(b) + high(a) * low(b) + sc,
        "smlsd": low(a) * low(b) - high(a) * high(b) + sc,
        "smlabb": low(a) * low(b) + sc,
        "smlatt": high(a) * high(b) + sc,
        "smmlar": (sc << 32) + full + 0x8000_0000 >> 32,
        "mla": full + sc,
        "mls": sc - full,
        "smmulr": full + 0x8000_0000 >> 32,
        "smuad": low(a) * low(b) + high(a) * high(b),
        "qadd": clamp(sa + sb, -(2**31), 2**31 - 1),
        "qsub": clamp(sa - sb, -(2**31), 2**31 - 1),
        "sdiv": divide(sa, sb),
        "sadd16": (low(a) + low(b) & 0xFFFF) | (high(a) + high(b) & 0xFFFF) << 16,
        "smulwb": sa * low(b) >> 16,
        "sxtb16": two_bytes(a),
        "sxtb16 ror 8": two_bytes(rotate(a, 8)),
        "ssat 8": clamp(sa, -128, 127),
        "ssat 8 asr 4": clamp(sa >> 4, -128, 127),
        "usat 8": clamp(sa, 0, 255),
        "clz": 32 - a.bit_length(),
        "rev": int.from_bytes(a.to_bytes(4, "little"), "big"),
        "smull low": full,
        "smull high": full >> 32,
        "smlal low": long,
        "smlal high": long >> 32,
        "pkhbt": a & 0xFFFF | b << 16,
        "pkhtb": a & 0xFFFF_0000 | b >> 16,
    }


def floats(a, b):
    """In float64, rounded once where the instruction rounds once."""
    x, z = np.float32(signed(a)), np.float32(signed(b))
    fused = np.float32(np.float64(x) * 1.25 + np.float64(z))
    with np.errstate(all="ignore"):
        quotient = np.float32(fused / x)
    root = np.sqrt(np.abs(x))
    return {"vfma": fused, "vdiv": quotient, "vsqrt": root, "vcvt": np.int32(np.trunc(root))}


def cases():
    random = np.random.default_rng(7).integers(0, 2**32, (120, 3), dtype=np.uint64)
    small = np.random.default_rng(8).integers(-300, 300, (40, 3))
    edges = [(a, b, b) for a, b in itertools.product(EDGES, repeat=2)]
    return [tuple(word(int(value)) for value in row) for row in (*random, *small, *edges)]


@pytest.mark.parametrize("kind", ["gcc", "zig"])
def test_instructions_do_what_the_manual_says(start, kind):
    one = start("instructions", kind=kind)
    wrong = []
    for operands in cases():
        one.feed(np.array(operands, np.uint32).tobytes())
        answer = one.run(1.0, until="idle")
        results = np.frombuffer(answer, np.uint32)
        expected = integers(*operands)
        wrong += [
            (name, operands, hex(int(result)), hex(word(value)))
            for (name, value), result in zip(expected.items(), results, strict=False)
            if int(result) != word(value)
        ]
        fractions = floats(*operands[:2])
        for (name, value), result in zip(fractions.items(), results[len(expected) :], strict=True):
            both_nan = value.dtype.kind == "f" and np.isnan(value) and np.isnan(result.view(np.float32))
            if not both_nan and result != value.view(np.uint32):
                wrong.append((name, operands, result.view(np.float32), value))
    assert wrong == []
    assert len(expected) == 28
