# SPDX-License-Identifier: Apache-2.0
"""Faults, a hung engine, a crystal that never starts: what the next life tells about the last one."""

from __future__ import annotations

import struct

import pytest

arm = pytest.importorskip("unicorn.arm_const")

FAULT, STATS = 0x10, 7
SOFTWARE, WATCHDOG = 4, 3  # reset causes in HELLO
HARD, MEMORY, BUS, USAGE, HUNG = 1, 2, 3, 4, 5
CODE = 0x2003_F000  # RAM that nobody uses
RESETREAS = 0x4000_0400


def fault(board, clear=0):
    kind, body = board.ask(FAULT, bytes((clear,)))
    assert kind == 0x90
    names = ("kind", "pc", "lr", "status", "address", "uptime_ms", "count")
    return dict(zip(names, struct.unpack("<7I", body), strict=True))


def execute(board, code, *, registers=None):
    """Have the core run `code` (hexadecimal) instead of its main loop."""
    core = board.machine._chip.core
    core.store(CODE, bytes.fromhex(code))
    for name, value in (registers or {}).items():
        core._uc.reg_write(getattr(arm, f"UC_ARM_REG_{name}"), value)
    core.go_to(CODE)
    board.machine._chip._asleep = None


@pytest.fixture
def board(virtual):
    one = virtual("trivial", strict=False)
    one.greet()
    assert fault(one) == dict.fromkeys(fault(one), 0)
    return one


@pytest.mark.parametrize(
    ("code", "registers", "kind", "status", "address"),
    [
        ("0168", {"R0": 0x3000_0000}, BUS, 1 << 9 | 1 << 15, 0x3000_0000),  # ldr r1, [r0]
        ("0160", {"R0": 0x3000_0000}, BUS, 1 << 9 | 1 << 15, 0x3000_0000),  # str
        ("0160", {"R0": 0x0000_0400}, BUS, 1 << 9 | 1 << 15, 0x0000_0400),  # into flash
        ("00de", {}, USAGE, 1 << 16, 0),  # udf
        ("00be", {}, HARD, 0, 0),  # bkpt
        ("00b5fde7", {}, MEMORY, None, 0x1FFF_FFFC),  # push {lr} for ever: the stack's end
        ("01b4fde7", {"SP": 0x2000_0100}, MEMORY, None, 0x1FFF_FFFC),
    ],
)
def test_a_fault_is_told_after_the_reset(board, code, registers, kind, status, address):
    execute(board, code, registers=registers)
    board.machine.run(0.2, until="idle")
    body = board.greet()
    assert body[8] == SOFTWARE
    found = fault(board)
    assert (found["kind"], found["count"]) == (kind, 1)
    assert status is None or found["status"] == status
    assert found["address"] == address
    if kind != MEMORY:  # nothing can be stacked where the stack has ended
        assert found["pc"] == CODE
    assert found["uptime_ms"] < 1000
    assert sum("faulted" in warning for warning in board.machine.warnings) == 1


def test_the_record_is_kept_until_it_is_cleared_and_counts_on(board):
    for count in (1, 2):
        execute(board, "00de")
        board.machine.run(0.2, until="idle")
        board.greet()
        assert fault(board)["count"] == count
    board.machine.reset()
    board.machine.run(0.1, until="idle")
    board.greet()
    assert fault(board, clear=1)["count"] == 2
    assert fault(board) == dict.fromkeys(fault(board), 0)
    execute(board, "00de")
    board.machine.run(0.2, until="idle")
    board.greet()
    assert fault(board)["count"] == 3
    board.machine.power_on()
    board.machine.run(0.1, until="idle")
    assert board.greet()[8] == 1
    assert fault(board) == dict.fromkeys(fault(board), 0)


def test_a_loop_that_never_ends_is_bitten_and_the_record_says_where(board):
    execute(board, "00bf" * 254 + "00e7")  # 254 nops and back, with interrupts on
    board.machine.run(10.4, until="idle")
    assert board.greet()[8] == WATCHDOG
    found = fault(board)
    assert found["kind"] == HUNG and CODE <= found["pc"] < CODE + 512
    assert 9_400 < found["uptime_ms"] < 10_600
    kind, body = board.ask(STATS)
    assert kind == 0x87 and struct.unpack_from("<I", body, 40)[0] < 1000  # uptime: it started anew


def test_a_board_that_sleeps_is_not_bitten(board):
    board.machine._chip._slept += 40 * 64_000_000  # a host that keeps silent
    assert board.ask(STATS)[0] == 0x87
    assert board.machine.seconds > 40 and board.machine.peek(RESETREAS) == 0


def test_without_a_crystal_the_board_still_answers(virtual):
    one = virtual("trivial")
    one.machine._chip.clock.crystal_works = False
    one.greet()
    assert one.machine.peek(0x4000_040C) == 0  # HFCLKSTAT: the internal oscillator
    assert one.ask(STATS)[0] == 0x87


@pytest.mark.parametrize(("name", "expected"), [("nrf52840dk", 1), ("nano33ble", 0)])
def test_the_converter_runs_only_where_its_inductor_is(virtual, name, expected):
    one = virtual("trivial", name=name)
    one.greet()
    assert one.machine.peek(0x4000_0578) == expected


def test_a_boot_loaders_interrupts_are_not_served(virtual):
    one = virtual("trivial", name="feather_nrf52840")
    one.machine._chip.scs.write(0x100, 1 << 5)  # enabled and pending as it jumps into the image
    one.machine._chip.scs.write(0x200, 1 << 5)
    one.machine._chip.core.registers.set_masks(1, 0, 0)
    one.greet()
    assert one.machine.peek(0xE000_E100) & 1 << 5 == 0 and one.machine.warnings == []
