# SPDX-License-Identifier: Apache-2.0
"""core/frame.c under the sanitizers, against the cobs and zlib packages and the golden vectors."""

from __future__ import annotations

import json
import random
import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from cobs import cobs

VECTORS = json.loads((Path(__file__).parents[1] / "link" / "vectors.json").read_text())
Decoded = tuple[list[tuple[int, int, bytes]], tuple[int, ...]]


@pytest.fixture(scope="module")
def decode(probe: Callable[[str], Path]) -> Callable[[bytes], Decoded]:
    """decode(bytes): the frames found, and (bytes, good, damaged, wrong length)."""
    program = probe("frame_probe")

    def run(data: bytes) -> Decoded:
        said = subprocess.run(
            [program, "decode"], input=data, capture_output=True, check=True
        ).stdout.decode()
        *frames, counters = said.splitlines()
        rows = [line.split(" ") for line in frames]
        return (
            [(int(kind, 16), int(seq, 16), bytes.fromhex(body)) for kind, seq, body in rows],
            tuple(map(int, counters.split())),
        )

    return run


@pytest.fixture(scope="module")
def encode(probe: Callable[[str], Path]) -> Callable[[list[tuple[int, int, bytes]]], list[bytes]]:
    program = probe("frame_probe")

    def run(frames: list[tuple[int, int, bytes]]) -> list[bytes]:
        text = "".join(f"{kind:x} {seq:x} {body.hex() or '-'}\n" for kind, seq, body in frames)
        said = subprocess.run([program, "encode"], input=text.encode(), capture_output=True, check=True)
        return [bytes.fromhex(line) for line in said.stdout.decode().split()]

    return run


def content_frame(content: bytes) -> bytes:
    return b"\0" + cobs.encode(content + struct.pack("<I", zlib.crc32(content))) + b"\0"


LONG = content_frame(b"\x03\x07" + bytes(range(256)))
GOOD = content_frame(b"\x07\x01")


def test_golden_vectors_both_ways(decode, encode):
    frames = [(row["type"], row["seq"], bytes.fromhex(row["body"])) for row in VECTORS["good"]]
    lines = [bytes.fromhex(row["frame"]) for row in VECTORS["good"]]
    assert encode(frames) == lines
    assert decode(b"".join(lines)) == (frames, (sum(map(len, lines)), len(frames), 0, 0))


@pytest.mark.parametrize("row", VECTORS["bad"], ids=lambda row: row["name"])
def test_bad_vectors_are_dropped_and_counted(decode, row):
    frames, (_, good, damaged, wrong_length) = decode(bytes.fromhex(row["bytes"]) + GOOD)
    assert frames == [(7, 1, b"")] and good == 1
    assert (wrong_length, damaged) == ((1, 0) if row["counter"] == "lengths" else (0, 1))


def test_random_bodies_equal_the_cobs_package(encode, decode):
    rng = random.Random(1)
    frames = []
    for length in [*range(257), 252, 253, 254, 255, 256] * 2:
        alphabet = rng.choice([b"\0", b"\xff", b"\0\1", bytes(range(256)), bytes(range(1, 256))])
        frames.append((rng.randrange(256), rng.randrange(256), bytes(rng.choices(alphabet, k=length))))
    lines = [content_frame(bytes((kind, seq)) + body) for kind, seq, body in frames]
    assert encode(frames) == lines
    assert decode(b"".join(lines))[0] == frames


def test_a_frame_cut_after_every_byte_harms_no_other(decode):
    cuts = [LONG[:length] for length in range(1, len(LONG) - 1)]
    frames, (count, good, damaged, short) = decode(b"".join(cut + GOOD for cut in cuts))
    assert frames == [(7, 1, b"")] * len(cuts)
    assert good == len(cuts) and count == sum(len(cut + GOOD) for cut in cuts)
    assert damaged + short == len(cuts) - 1  # the first cut is a lone delimiter


def test_every_flipped_bit_is_caught(decode):
    flipped = []
    for bit in range(8, 8 * (len(LONG) - 1)):
        line = bytearray(LONG)
        line[bit // 8] ^= 1 << bit % 8
        flipped.append(bytes(line))
    frames, counters = decode(b"".join(flipped) + GOOD)
    assert frames == [(7, 1, b"")]
    assert counters[2] + counters[3] >= len(flipped)  # a flip to 0x00 makes two frames of one


def test_noise_gives_no_frame_and_no_report(decode):
    noise = random.Random(2).randbytes(200_000)
    frames, counters = decode(noise + b"\0" + GOOD)
    assert frames == [(7, 1, b"")]
    assert counters[0] == len(noise) + 1 + len(GOOD) and counters[2] > 100


def test_an_endless_run_costs_one_count(decode):
    frames, counters = decode(b"\x55" * 100_000 + GOOD)
    assert frames == [(7, 1, b"")] and counters[1:] == (1, 0, 1)
