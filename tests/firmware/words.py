# SPDX-License-Identifier: Apache-2.0
"""What the tests of a port's reception say to a board, whichever chip it has."""

from __future__ import annotations

import random
import struct

__all__ = ["CREDITS", "STATS", "STEP", "all_credits_while_the_engine_runs", "counters", "step"]

STEP, STATS = 3, 7
CREDITS = 4


def step(first, samples):
    """The body of a STEP."""
    return struct.pack("<I", first) + bytes(value % 256 for row in samples for value in row)


def counters(board):
    """The board's STATS by name."""
    names = "stack_used stack_size flash ram bytes good damaged length duplicates overruns uptime longest"
    return dict(zip(names.split(), struct.unpack("<12I", board.ask(STATS)[1]), strict=True))


def all_credits_while_the_engine_runs(board):
    """Four frames of the greatest length on the line at once, again and again, each of 10 slow steps."""
    board.greet()
    rng = random.Random(4)
    rounds, rows = 4, 10
    samples = [[rng.randrange(256) for _ in range(24)] for _ in range(rounds * CREDITS * rows)]
    estimates = b""
    for turn in range(rounds):
        first = turn * CREDITS * rows
        for index in range(CREDITS):
            start = first + index * rows
            board.send(STEP, 1 + turn * CREDITS + index, step(start, samples[start : start + rows]))
        for kind, _, body in board.replies(CREDITS, seconds=60):
            assert kind == 0x83 and body[4:6] == bytes((rows, rows // 2))
            estimates += body[6 + 4 * rows :]
    board.seq = 1 + rounds * CREDITS
    totals = [sum(map(sum, samples[: index + 1])) % 256 for index in range(len(samples))]
    assert list(estimates) == totals[1::2]
    found = counters(board)
    assert found["good"] == rounds * CREDITS + 2
    assert (found["damaged"], found["length"], found["overruns"], found["duplicates"]) == (0, 0, 0, 0)
    assert found["longest"] > 1_000_000
    assert board.machine.overruns == 0
