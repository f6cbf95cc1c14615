# SPDX-License-Identifier: Apache-2.0
"""port/nrf52840 on the virtual board: no byte is lost while the engine runs, and what is lost is found."""

from __future__ import annotations

import random
import struct
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from words import STEP, all_credits_while_the_engine_runs, counters, step

from edgegrf.boards import board

DEMCR = 0xE000_EDFC


@pytest.mark.parametrize(
    ("name", "compiler"),
    [
        ("nrf52840dk", "gcc"),
        ("nrf52840dk", "zig"),
        ("feather_nrf52840", None),
        ("nano33ble", None),
        ("nano33ble_arduino", None),
        ("xiao_nrf52840", None),
    ],
)
def test_the_image_runs(virtual, name, compiler):
    one = virtual("trivial", compiler, name)
    body = one.greet()
    assert name.encode() in body
    assert struct.unpack_from("<I", body, 4) == (64_000_000,)
    assert body[8] == 1 and body[44:52] == b"VIRTUAL\0"
    found = counters(one)
    assert 0 < found["stack_used"] < found["stack_size"] == board(name).stack_size
    assert found["flash"] > 3000 and found["ram"] > 4096


def test_all_credits_while_the_engine_runs(virtual):
    all_credits_while_the_engine_runs(virtual("slow"))


def test_more_bytes_than_the_counter_of_a_half(virtual):
    """Many halves of the DMA ring pass by, at every offset, and each byte arrives."""
    board = virtual("trivial")
    board.greet()
    rng = random.Random(5)
    sent = 0
    for seq in range(1, 160):
        body = rng.randbytes(rng.randrange(200))
        sent += board.send(0x70, seq, body)
        ((kind, _, reply),) = board.replies(1)
        assert kind == 0xFF and reply == struct.pack("<BBI", 1, 0x70, 0x70)
    board.seq = 160
    found = counters(board)
    assert found["bytes"] > sent > 4 * 2720
    assert (found["damaged"], found["length"], found["overruns"]) == (0, 0, 0)


@pytest.mark.parametrize("flood", [1_500, 2_350, 2_550, 2_720, 6_200, 10_007, 20_000])
def test_a_host_that_breaks_the_credit_rule_is_found_out(virtual, flood):
    """Bytes beyond the ring while the engine runs: counted as an overrun, and the link works again."""
    board = virtual("slow")
    board.greet()
    board.send(STEP, 1, step(0, [[1] * 24] * 10))
    board.write(b"\x55" * flood)
    ((kind, _, _),) = board.replies(1, seconds=60)
    assert kind == 0x83
    board.write(b"\0")
    board.read(0.05)
    board.greet(seq=9)
    found = counters(board)
    assert (found["overruns"] > 0) == (flood > 2_450)  # 2720 less what came before, and a margin
    for first in range(0, 60, 10):  # over the ends of several halves
        kind, _ = board.ask(STEP, step(first, [[0] * 24] * 10))
        assert kind == 0x83
    after = counters(board)
    assert after["overruns"] == found["overruns"] and after["damaged"] == found["damaged"]


@pytest.mark.parametrize("compiler", ["gcc", "zig"])
def test_a_debugger_that_leaves_does_not_stop_the_board(virtual, compiler):
    """pyOCD clears DEMCR when it disconnects, with the firmware running: CYCCNT stands still."""
    board = virtual("slow", compiler)
    board.machine.run(0.05, until="idle")
    board.machine.poke(DEMCR, 0)
    board.greet()
    kind, reply = board.ask(STEP, step(0, [[1] * 24]))
    assert kind == 0x83 and struct.unpack_from("<I", reply, 6)[0] > 1_000_000


@pytest.mark.parametrize("broken", [1, 3, 2_000, 5_000])
def test_bytes_without_a_stop_bit_do_not_shift_what_follows(virtual, broken):
    """They count, but are not stored: the receiver starts over, asleep or behind a running engine."""
    board = virtual("slow")
    board.machine.run(0.05, until="idle")
    board.machine.feed(b"\x99" * broken, framed=False)
    board.read(0.1)
    board.greet()
    board.send(STEP, 1, step(0, [[1] * 24] * 10))
    board.machine.feed(b"\x99" * broken, framed=False)
    board.send(STEP, 2, step(10, [[1] * 24] * 10))  # lost with the noise before it
    ((kind, _, _),) = board.replies(1, seconds=60)
    assert kind == 0x83
    board.read(0.1)
    board.greet(seq=9)
    found = counters(board)
    assert found["overruns"] >= 2
    for first in range(0, 200, 10):  # over the ends of several halves
        kind, reply = board.ask(STEP, step(first, [[1] * 24] * 10))
        assert kind == 0x83
        assert list(reply[46:]) == [24 * (first + index) % 256 for index in (2, 4, 6, 8, 10)]
    after = counters(board)
    assert (after["overruns"], after["damaged"]) == (found["overruns"], found["damaged"])


def test_a_break_in_the_middle_of_a_frame_costs_that_frame_alone(virtual):
    board = virtual("trivial")
    board.greet()
    for seq in range(1, 100):
        sent = []
        type(board)(sent.append, board.read).send(0x70, seq, bytes(range(seq)))
        (data,) = sent
        board.write(data[: seq // 2])
        board.machine.feed(b"\0", framed=False)
        board.write(data[seq // 2 :])
        board.read(0.01)
        board.waiting.clear()
        board.greet(seq=seq)
        kind, reply = board.ask(0x70, bytes(range(seq)))
        assert kind == 0xFF and reply == struct.pack("<BBI", 1, 0x70, 0x70)


def test_a_break_while_the_board_falls_asleep_does_not_keep_it_asleep(virtual):
    """The error may come when the interrupt is pending from the byte before: what is pending wakes nobody."""
    board = virtual("trivial")
    board.greet()
    for delay in range(0, 1600, 12):  # cycles from a request's end; the core falls asleep among them
        length = board.send(0x70, 1)
        board.machine.run((640 * length + delay) / 64e6, until="idle")
        board.machine.feed(b"\0", framed=False)
        board.read(0.01)
        board.machine.run(0.01, until="idle")
        board.waiting.clear()
        board.greet()
