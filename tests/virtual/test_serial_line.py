# SPDX-License-Identifier: Apache-2.0
"""Reception and transmission by DMA at 1 Mbaud, with programs built by both compilers."""

from __future__ import annotations

import numpy as np
import pytest

from edgegrf.toolchain import ARM_COMPILERS

BYTE_SECONDS = 10e-6


def traffic(count, seed=1):
    return np.random.default_rng(seed).integers(0, 256, count, np.uint8).tobytes()


def drain(one):
    out = b""
    while part := one.run(1.0, until="idle"):
        out += part
    return out


@pytest.mark.parametrize("kind", ARM_COMPILERS)
@pytest.mark.parametrize("work", [0, 1000])
def test_no_byte_is_lost_while_the_core_is_busy(start, kind, work):
    one = start("echo", kind=kind, WORK=work)
    sent = traffic(2000)
    one.feed(sent)
    assert drain(one) == sent
    assert (one.overruns, one.unheard, one.warnings) == (0, 0, [])


def test_bytes_take_their_time_on_the_wire(start):
    one = start("echo")
    one.feed(b"\x55")
    begin = one.seconds
    assert drain(one) == b"\x55"
    assert 2 * BYTE_SECONDS < one.seconds - begin < 2.2 * BYTE_SECONDS
    one.feed(bytes(100))
    begin = one.seconds
    assert one.run(50.5 * BYTE_SECONDS, until="idle")  # the first are back while the last are on their way
    assert len(drain(one)) > 40
    assert one.seconds - begin > 100 * BYTE_SECONDS


def test_a_receiver_without_a_buffer_loses_what_its_fifo_cannot_hold(start):
    one = start("echo", WORK=200_000, SHORT_STARTRX=0)
    one.feed(traffic(1000))
    drain(one)
    assert one.overruns == 1000 - 256 - 6  # one half, and the FIFO
    assert one.warnings == [f"{one.overruns} bytes lost to overruns"]


def test_a_program_that_is_too_slow_for_its_ring_loses_bytes(start):
    one = start("echo", WORK=200_000)
    sent = traffic(3000)
    one.feed(sent)
    assert drain(one) != sent


def test_the_same_bytes_give_the_same_bytes_and_cycles(start):
    runs = []
    for _ in range(2):
        one = start("echo", WORK=500)
        one.feed(traffic(300))
        runs.append((drain(one), one.cycles, one.instructions, one.seconds))
    assert runs[0] == runs[1]


def test_bytes_before_the_receiver_is_on_are_unheard(start):
    one = start("dot", ROUNDS=1, IN_RAM=1)  # a program that never listens
    one.feed(b"abc")
    drain(one)
    assert one.unheard == 3
    assert one.warnings == ["3 bytes came while the receiver was off"]


def test_another_baud_rate_than_the_hosts_is_found_out(build):
    from dataclasses import replace

    from edgegrf.boards import board
    from edgegrf.errors import DeviceError
    from edgegrf.virtual import VirtualBoard

    one = VirtualBoard(build("echo"), replace(board("nrf52840dk"), baud=115_200))
    one.feed(b"x")
    with pytest.raises(DeviceError, match="UARTE0 at 1000000 baud, the host at 115"):
        one.run(1.0)
    one.close()


def test_output_ends_a_run_when_the_transmitter_rests(start):
    one = start("beacon")
    assert one.run(1.0) == b"\0"
    assert 1e-3 < one.seconds < 1.1e-3
    assert one.run(10e-3, until="idle") == bytes(range(1, 11))
    assert not one.idle and 0 < one.due_seconds < 1e-3


def test_a_timer_keeps_its_beat_over_a_long_time(start):
    one = start("beacon")
    beats = one.run(1.0, until="idle")
    assert beats == bytes(number & 0xFF for number in range(999))
    assert one.cycles < 0.02 * 64_000_000  # asleep most of the time


def test_the_core_sleeps_between_bytes(start):
    one = start("echo")
    one.feed(b"a")
    drain(one)
    before = one.cycles
    assert one.run(100.0, until="idle") == b""
    assert one.cycles == before  # nothing to do: no time passes and no cycle runs


def test_a_reset_by_software_restarts_the_program_and_keeps_ram(start):
    one = start("restart")
    assert one.run(1.0, until="idle") == bytes([0, 0xA5])  # power-on: no reason, RAM zeroed by the test
    one.feed(b"r")
    assert one.run(1.0, until="idle") == bytes([4, 1])  # RESETREAS.SREQ; the counter in RAM went on
    one.reset()
    assert one.run(1.0, until="idle") == bytes([1, 2])  # RESETREAS.RESETPIN


@pytest.mark.parametrize("in_ram", [0, 1])
def test_dwt_agrees_with_the_boards_own_count_and_flash_reads_cost(start, in_ram):
    one = start("dot", kind="gcc", ROUNDS=100, IN_RAM=in_ram)  # whose loop the bounds below are of
    total, counted = np.frombuffer(one.run(1.0), np.uint32)
    weights = np.tile([3, -5, 700, 11], 32).astype(np.int64)
    pressure = np.arange(128) - 60
    assert total == (100 * int(weights @ pressure)) & 0xFFFF_FFFF
    # 64 words a round: 4 x (load 2, load 1, SMLAD 1) a turn, and the bookkeeping of a loop
    per_pair = counted / 6400
    assert 4 < per_pair < 6.2 if in_ram else 5.5 < per_pair < 7.7
    assert counted < one.cycles
