# SPDX-License-Identifier: Apache-2.0
"""Every message and every ERROR of SPEC.md section 3, on the native board under sanitizers, over a pty."""

from __future__ import annotations

import random
import struct

import pytest

from edgegrf import __version__

HELLO, RESET, STEP, WRITE, RUN, READ, STATS, ERROR = 1, 2, 3, 4, 5, 6, 7, 0xFF
PERSONAL_READ, PERSONAL_WRITE, PERSONAL_COMMIT, PERSONAL_ERASE = range(0x11, 0x15)


def trivial(samples):
    """firmware/tests/trivial: half of this sample's sum, towards zero, plus the sum of the one before."""
    sums = [sum(sample) for sample in samples]
    raw = [int(now / 2) + before for now, before in zip(sums, [0, *sums], strict=False)]
    return [max(-128, min(127, value)) for value in raw]


def random_samples(count, seed=0, channels=3):
    rng = random.Random(seed)
    return [[rng.randrange(-128, 128) for _ in range(channels)] for _ in range(count)]


def step_body(first, samples):
    return struct.pack("<I", first) + b"".join(struct.pack(f"{len(sample)}b", *sample) for sample in samples)


def error(code, request, detail):
    return ERROR, struct.pack("<BBI", code, request, detail)


@pytest.fixture
def board(native):
    board = native("trivial")
    board.greet()
    return board


def test_hello_says_all(native):
    body = native("trivial").greet(seq=200)
    assert struct.unpack_from("<BBHIBB6HH", body) == (1, 4, 256, 10**9, 1, 7, 1, 3, 1, 8, 8, 0, 1)
    assert struct.unpack_from("<ffifi", body, 24) == (100.0, 0.5, -3, 0.25, 7)
    assert body[44:52] == b"NATIVE\0\0"
    assert body[52:84] == bytes((0xAA, 0x55, 1, 2, 3)) + bytes(27)
    assert body[84:116] != bytes(32)
    texts, rest = [], body[116:]
    while rest:
        texts.append(rest[1 : 1 + rest[0]].decode())
        rest = rest[1 + rest[0] :]
    assert texts == ["native", "aot", "trivial", __version__]


def test_stream_equals_the_model_in_blocks_of_any_size(board):
    samples, first, got = random_samples(400), 0, []
    rng = random.Random(3)
    while first < len(samples):
        block = samples[first : first + rng.randrange(1, 51)]
        kind, body = board.ask(STEP, step_body(first, block))
        assert kind == 0x83
        start, count, estimates = struct.unpack_from("<IBB", body)
        assert (start, count, estimates) == (first, len(block), len(block))
        assert all(cycles < 10**9 for cycles in struct.unpack_from(f"<{count}I", body, 6))
        got += struct.unpack(f"{estimates}b", body[6 + 4 * count :])
        first += count
    assert got == trivial(samples)


def test_reset_and_hello_forget_the_stream(board):
    sample = [[100, 20, 0]]
    fresh = board.ask(STEP, step_body(0, sample))[1][-1]
    assert board.ask(STEP, step_body(1, sample))[1][-1] != fresh
    assert board.ask(RESET) == (0x82, b"")
    assert board.ask(STEP, step_body(0, sample))[1][-1] == fresh
    board.greet(seq=7)
    assert board.ask(STEP, step_body(0, sample))[1][-1] == fresh


def test_window_equals_the_model_and_ends_the_stream(board):
    window, sample = random_samples(8, seed=5), random_samples(2, seed=6)
    board.ask(STEP, step_body(0, sample[:1]))
    data = step_body(0, window)[4:]
    for offset in (0, 10):
        assert board.ask(WRITE, struct.pack("<I", offset) + data[offset : offset + 14]) == (0x84, b"")
    kind, body = board.ask(RUN)
    assert kind == 0x85 and len(body) == 4
    kind, body = board.ask(READ, struct.pack("<IH", 2, 6))
    assert kind == 0x86 and list(struct.unpack("6b", body)) == trivial(window)[2:]
    assert board.ask(STEP, step_body(1, sample[1:])) == error(3, STEP, 0)
    stepped = struct.unpack("b", board.ask(STEP, step_body(0, sample[1:]))[1][-1:])[0]
    assert stepped == trivial(sample[1:])[0]


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        (0x7E, b"", error(1, 0x7E, 0x7E)),
        (0x15, b"", error(1, 0x15, 0x15)),
        (0x00, b"abc", error(1, 0x00, 0x00)),
        (0x81, b"", error(1, 0x81, 0x81)),
        (RESET, b"x", error(2, RESET, 1)),
        (STEP, b"", error(2, STEP, 0)),
        (STEP, step_body(0, []), error(2, STEP, 4)),
        (STEP, step_body(0, random_samples(1)) + b"x", error(2, STEP, 8)),
        (STEP, step_body(0, random_samples(51)), error(2, STEP, 157)),  # the reply would have 261 bytes
        (STEP, step_body(1, random_samples(1)), error(3, STEP, 0)),
        (WRITE, b"\0\0\0", error(2, WRITE, 3)),
        (WRITE, struct.pack("<I", 24) + b"x", error(5, WRITE, 24)),
        (WRITE, struct.pack("<I", 2**32 - 1) + b"xy", error(5, WRITE, 24)),
        (WRITE, struct.pack("<I", 0) + bytes(25), error(5, WRITE, 24)),
        (RUN, b"x", error(2, RUN, 1)),
        (READ, b"12345", error(2, READ, 5)),
        (READ, struct.pack("<IH", 0, 0), error(5, READ, 8)),
        (READ, struct.pack("<IH", 0, 9), error(5, READ, 8)),
        (READ, struct.pack("<IH", 2**32 - 4, 8), error(5, READ, 8)),
        (STATS, b"x", error(2, STATS, 1)),
        (PERSONAL_READ, b"", error(2, PERSONAL_READ, 0)),
        (PERSONAL_READ, struct.pack("<HH", 97, 4), error(5, PERSONAL_READ, 100)),
        (PERSONAL_WRITE, b"\0\0", error(2, PERSONAL_WRITE, 2)),
        (PERSONAL_WRITE, struct.pack("<H", 100) + b"x", error(5, PERSONAL_WRITE, 100)),
        (PERSONAL_COMMIT, b"", error(2, PERSONAL_COMMIT, 0)),
        (PERSONAL_COMMIT, bytes(4), error(11, PERSONAL_COMMIT, 1)),
        (PERSONAL_ERASE, b"x", error(2, PERSONAL_ERASE, 1)),
    ],
)
def test_errors(board, kind, body, expected):
    assert board.ask(kind, body) == expected
    assert board.ask(STATS)[0] == 0x87  # the error took its seq, the conversation goes on


def test_a_repeated_request_is_answered_again_and_executed_once(board):
    request = step_body(0, random_samples(3))
    first = board.ask(STEP, request)
    seq = (board.seq - 1) % 256
    assert board.ask(STEP, request, seq=seq) == first
    assert board.ask(STEP, step_body(3, random_samples(1)))[0] == 0x83
    assert struct.unpack("<12I", board.ask(STATS)[1])[8] == 1


def test_protocol_range(native):
    board = native("trivial")
    assert board.ask(STATS) == error(7, STATS, 0)
    assert board.ask(HELLO, b"\x02\x09", seq=4) == error(8, HELLO, 257)
    assert board.ask(STATS, seq=5) == error(7, STATS, 0)
    assert board.ask(HELLO, b"\x01", seq=4) == error(2, HELLO, 1)
    assert board.ask(HELLO, b"\x00\xff", seq=4)[0] == 0x81


def test_a_model_without_window_mode_and_of_period_two(native):
    board = native("slow")
    body = board.greet()
    assert body[9] == 6 and body[-6 - 31 : -6] == b"a name of more than thirty-one "
    for kind, content in ((WRITE, bytes(5)), (RUN, b""), (READ, struct.pack("<IH", 0, 1))):
        assert board.ask(kind, content) == error(4, kind, 2)
    samples = random_samples(9, channels=24)
    values = [sum(map(sum, samples[: index + 1])) for index in range(9)]
    expected = [(value + 128) % 256 - 128 for value in values][1::2]
    got = []
    for first, count in ((0, 3), (3, 1), (4, 5)):
        _, body = board.ask(STEP, step_body(first, samples[first : first + count]))
        assert body[4] == count
        got += struct.unpack(f"{body[5]}b", body[6 + 4 * count :])
    assert got == expected


def test_random_frames_never_break_the_board(native, board):
    rng = random.Random(11)
    for _ in range(400):
        kind = rng.choice([*range(18), rng.randrange(256)])
        reply, _ = board.ask(kind, rng.randbytes(rng.choice([0, 1, 2, 4, 5, 6, 7, 31, 256])))
        assert reply in (kind | 0x80, ERROR)
        if kind == HELLO:
            board.greet(seq=rng.randrange(256))
    board.write(rng.randbytes(20_000) + b"\0")
    board.greet(seq=1)
    counters = struct.unpack("<12I", board.ask(STATS)[1])
    assert counters[4] > 20_000 and counters[6] > 0
