# SPDX-License-Identifier: Apache-2.0
"""Interrupts and faults: who runs when, what is stacked, what a mask holds back, what ends a sleep."""

from __future__ import annotations

import struct

import pytest

from edgegrf.errors import DeviceError

RESETREAS = 0x4000_0400

pytestmark = pytest.mark.usefixtures("needs_arm_compiler")


def scene(start, name, *, a=0x40, b=0x40, faults=0, strict=True, kind=None):
    one = start(
        "interrupts", kind=kind, strict=strict,
        SCENE=ord(name), PRIORITY_A=a, PRIORITY_B=b, ENABLE_FAULTS=faults,
    )  # fmt: skip
    return one, one.run(0.1)


@pytest.mark.parametrize("kind", ["gcc", "zig"])
def test_a_higher_priority_preempts_and_an_equal_one_waits_for_its_turn(start, kind):
    assert scene(start, "n", a=0x40, b=0x20, kind=kind)[1] == b"ABba"
    assert scene(start, "n", a=0x40, b=0x40, kind=kind)[1] == b"AaBb"
    assert scene(start, "n", a=0x40, b=0x60, kind=kind)[1] == b"AaBb"
    assert scene(start, "n", a=0x5F, b=0x40, kind=kind)[1] == b"AaBb"  # only three bits are there


def test_pendsv_and_svcall(start):
    assert scene(start, "p")[1] == b"PS"


def test_floating_point_registers_are_those_of_the_interrupted_code(start):
    assert scene(start, "f")[1] == b"F="


def test_masks_hold_back_and_wfi_wakes_all_the_same(start):
    assert scene(start, "m")[1] == b"12Bb34Bb56"


def test_a_line_that_stays_high_brings_the_handler_back(start):
    one, notes = scene(start, "t")
    assert notes == b"TTTw"
    assert 0.001 < one.seconds < 0.002  # slept until the timer's event
    assert one.cycles < 20_000


def test_an_interrupt_costs_its_entry_and_its_return(start):
    nested, chained = scene(start, "n", b=0x20)[0], scene(start, "n", b=0x40)[0]
    # tail-chained: no unstacking and stacking between; a load that the cut separates costs one more
    assert nested.cycles - chained.cycles in (12 + 10 - 6, 12 + 10 - 6 + 1)


@pytest.mark.parametrize(
    ("name", "enabled", "number", "status", "hard", "address"),
    [
        ("x", 0, 3, 0x8200, 1 << 30, 0x3000_0000),  # precise, address valid; forced
        ("x", 1 << 17, 5, 0x8200, 0, 0x3000_0000),
        ("u", 1 << 18, 6, 1 << 16, 0, None),
        ("u", 0, 3, 1 << 16, 1 << 30, None),
    ],
)
def test_a_fault_stacks_where_it_struck(start, build, name, enabled, number, status, hard, address):
    one, answer = scene(start, name, faults=enabled, strict=False)
    answer += one.run(0.1)
    assert answer[0] == number
    words = struct.unpack("<8I", answer[1:33])
    assert words[0] == status and words[1] == hard
    assert address is None or words[2] == address
    struck = one._chip.core.word(words[6])
    assert struck & 0xFFFF == 0xDE00 if name == "u" else struck & 0xF800 == 0x6000  # udf, str
    assert one.warnings[0].startswith(f"the firmware faulted at PC 0x{words[6]:08X}")


def test_a_fault_whose_handler_faults_locks_the_core_up_and_resets_it(start):
    one, answer = scene(start, "o", strict=False)  # nothing can be stacked, nor used as a stack
    assert answer == b""
    assert one.peek(RESETREAS) == 1 << 3  # LOCKUP
    assert len(one.warnings) > 2  # and so again and again


def test_a_strict_board_stops_at_a_fault(start):
    with pytest.raises(DeviceError, match="faulted at PC"):
        scene(start, "x")
