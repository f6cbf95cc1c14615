# SPDX-License-Identifier: Apache-2.0
"""What the tests of a port's scan say to a board, and what they see of an insole that counts upwards."""

from __future__ import annotations

import struct

import numpy as np

__all__ = [
    "ESTIMATE", "RAW", "SCAN", "START", "STATUS", "STOP", "begin", "frames", "ramp", "run", "sample_of",
    "status",
]  # fmt: skip

START, STOP, STATUS, SCAN = 8, 9, 10, 11
RAW, ESTIMATE = 1, 4


def begin(board, rate_hz, content=RAW):
    """START; the rate that the timer really has, in Hz."""
    kind, body = board.ask(START, struct.pack("<IBBH", round(rate_hz * 1000), 1, content, 60_000))
    assert kind == 0x88, body
    return struct.unpack("<I", body)[0] / 1000


def status(board):
    kind, body = board.ask(STATUS)
    assert kind in (0x8A, 0x89)
    names = ("rate", "samples", "sent", "lost", "missed", "jitter", "mean", "latency", "cycles", "generation")
    return dict(zip(names, struct.unpack("<10I", body[4:44]), strict=True))


def frames(board, channels):
    """(sample, counts) of the LIVE frames that came."""
    assert not board.gather()
    found = []
    for _, body in board.live:
        raw = np.frombuffer(body[18 : 18 + channels * 3 // 2], np.uint8).astype(np.uint16).reshape(-1, 3)
        low, high = raw[:, 0] | (raw[:, 1] & 0xF) << 8, raw[:, 1] >> 4 | raw[:, 2] << 4
        found.append((struct.unpack_from("<I", body)[0], np.stack([low, high], 1).ravel()))
    return found


def run(board, seconds):
    """Let the board run and gather what it says."""
    board.waiting += board.machine.run(seconds, until="idle")


def ramp(channels, samples=4000):
    """Counts that tell their sample: k, k + 1, ... across the channels."""
    start = np.arange(samples)[:, None] + 3 * np.arange(channels)[None, :]
    return (start % 4096).astype(np.uint16)


def sample_of(counts, channels):
    """The samples of the ramp that each channel shows, where 4096 of them are told apart."""
    return (counts.astype(int) - 3 * np.arange(channels)) % 4096
