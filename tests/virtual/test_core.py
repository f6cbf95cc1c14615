# SPDX-License-Identifier: Apache-2.0
"""The core on hand-assembled programs: counting, sleeping, waking, and every way to fault."""

from __future__ import annotations

import struct

import pytest

from edgegrf.boards import board
from edgegrf.errors import DeviceError, UsageError
from edgegrf.virtual import VirtualBoard, counter, native_counter
from edgegrf.virtual.counter import PythonCounter
from edgegrf.virtual.native_counter import NativeCounter

STACK = 0x2000_8000
NOP, WFE, WFI, SEV, B_SELF = "00bf", "20bf", "30bf", "40bf", "fee7"


def image(*codes, stack=STACK, entry=0x41):
    """A raw image with `codes` at 0x40."""
    return struct.pack("<II", stack, entry).ljust(0x40, b"\0") + bytes.fromhex("".join(codes))


@pytest.fixture
def boot():
    boards = []

    def begin(*codes, strict=True, **options):
        boards.append(VirtualBoard(image(*codes, **options), board("nrf52840dk"), strict=strict))
        return boards[-1]

    yield begin
    for one in boards:
        one.close()


def test_instructions_and_cycles_of_a_loop_are_exact(boot):
    # mov.w r0, #1000; loop: subs r0, #1; bne loop; wfe
    one = boot("4ff47a70", "0138", "fdd1", WFE)
    one.run(1.0)
    assert one.instructions == 1 + 2 * 1000 + 1
    # 1000 rounds of two cycles, 999 taken branches of two more, the start entered by a branch
    assert one.cycles == 1 + 2000 + 999 * 2 + 1 + 2
    assert one.idle and one.seconds == one.cycles / 64e6


def test_a_word_read_from_flash_costs_one_cycle_and_a_half_more(boot):
    # r0 = where; b next; ldr r1, [r0]; ldr r1, [r0, #4]; wfe
    ran = {}
    for place, code in (("flash", "4020"), ("ram", "4ff00050")):  # 0x40, 0x20000000
        one = boot(code, "ffe7", "0168", "4168", WFE)
        one.run(1.0)
        ran[place] = one.cycles
        assert one.shares()[0].flash_reads == (2 if place == "flash" else 0)
    # entered by a branch 2, mov, b (to the next address: not taken), two loads, wfe
    assert ran["ram"] == 2 + 1 + 1 + 2 + 1 + 1
    assert ran["flash"] == ran["ram"] + 3


@pytest.mark.parametrize("slice_cycles", [1, 10, 1000])
def test_slices_of_time_change_nothing_that_is_counted(boot, monkeypatch, slice_cycles):
    monkeypatch.setattr("edgegrf.virtual.board._SLICE", slice_cycles)
    one = boot("4ff47a70", "0138", "fdd1", WFE)
    one.run(1.0)
    assert (one.instructions, one.cycles) == (2002, 1 + 2000 + 999 * 2 + 1 + 2)


def test_the_python_counter_counts_what_the_native_one_counts(boot, build, monkeypatch):
    echoed = {}
    for kind in (NativeCounter, PythonCounter):
        monkeypatch.setattr(counter, "NativeCounter", kind)
        one = VirtualBoard(build("dot", ROUNDS=50, IN_RAM=0), board("nrf52840dk"), strict=True)
        answer = one.run(1.0)
        echoed[kind] = (answer, one.cycles, one.instructions, one._chip.core.counter.counts.flash_reads)
        one.close()
    assert echoed[NativeCounter] == echoed[PythonCounter]
    # 64 weights a round; gcc reaches the first four by a literal, which counts them with their block
    assert 50 * 60 <= echoed[NativeCounter][3] <= 50 * 64


def test_without_a_compiler_cycles_are_counted_in_python_and_the_user_is_told(boot, monkeypatch):
    from edgegrf.errors import MissingToolError

    def none():
        raise MissingToolError("no C compiler for this computer")

    native_counter._library.cache_clear()
    monkeypatch.setattr(native_counter, "host_compiler", none)
    one = boot("4ff47a70", "0138", "fdd1", WFE)
    one.run(1.0)
    native_counter._library.cache_clear()
    assert one.instructions == 2002
    assert "no C compiler" in one.warnings[0] and "in Python" in one.warnings[0]


def test_more_blocks_than_the_table_holds_are_still_counted(boot):
    # 8 000 branches to the next instruction, twice round, then sleep
    many = "ffe7" * 8_000
    # movs r1, #2; 8 000 times b .+2; subs r1, #1; beq over; b.w back; over: wfe
    offset = -(2 * 8_000 + 2 + 2 + 4) // 2 & 0xFF_FFFF
    sign, imm10, imm11 = offset >> 23 & 1, offset >> 11 & 0x3FF, offset & 0x7FF
    j1, j2 = 1 ^ (offset >> 22 & 1) ^ sign, 1 ^ (offset >> 21 & 1) ^ sign
    wide = struct.pack("<HH", 0xF000 | sign << 10 | imm10, 0x9000 | j1 << 13 | j2 << 11 | imm11).hex()
    one = boot("0221", many, "0139", "01d0", wide, WFE)
    one.run(1.0)
    assert one.instructions == 1 + 2 * (8_000 + 2) + 1 + 1


def test_wfe_falls_through_once_after_sev_and_sleeps_the_second_time(boot):
    one = boot(SEV, WFE, NOP, WFE, NOP, B_SELF)
    one.run(0.001)
    assert one.idle
    assert one.instructions == 4  # up to and with the second WFE


def test_wfi_without_an_interrupt_sleeps_for_good(boot):
    one = boot(NOP, WFI, NOP, B_SELF)
    one.run(0.001)
    assert one.idle and one.instructions == 2


def test_a_loop_without_sleep_ends_at_the_time_asked_for(boot):
    one = boot(B_SELF)
    one.run(0.001)
    assert 64_000 <= one.cycles < 64_010
    assert not one.idle and one.due_seconds == 0.0


@pytest.mark.parametrize(
    ("codes", "says"),
    [
        (("4ff04051", "0868", WFE), "Invalid memory read"),  # mov.w r1, #0x30000000; ldr r0, [r1]
        (("4ff04051", "0860", WFE), "Invalid memory write"),
        (("1021", "0860", WFE), "Write to write-protected memory"),  # str r0, [r1] into flash
        (("00de",), "Invalid instruction"),  # udf #0
        (("01be",), "Unhandled CPU exception"),  # bkpt #1
        (("4ff04050", "0047"), "0x30000000"),  # bx r0 to ARM state at nowhere
    ],
)
def test_faults_name_the_place_and_the_cause(boot, codes, says):
    with pytest.raises(DeviceError, match="faulted at PC 0x") as caught:
        boot(*codes).run(1.0)
    assert says in caught.value.what


def test_a_fault_names_the_nearest_symbol(start):
    with pytest.raises(DeviceError, match=r"\(strike"):
        start("fault").run(1.0)


def test_floating_point_with_the_fpu_off_is_a_fault(boot):
    with pytest.raises(DeviceError, match="FPU off"):
        boot("b7ee000a", WFE).run(1.0)  # vmov.f32 s0, #1.0


def test_an_unmodelled_register_is_an_error_when_strict_and_a_warning_otherwise(boot):
    codes = ("4ff08041", "01f5e071", "0868", WFE)  # r1 = 0x40000000 + 0x1C0; ldr r0, [r1]
    with pytest.raises(DeviceError, match=r"read of 0x400001C0 \(CLOCK\+0x1C0\)"):
        boot(*codes).run(1.0)
    one = boot(*codes, strict=False)
    one.run(1.0)
    assert one.warnings == ["read of 0x400001C0 (CLOCK+0x1C0), 1 times"]


@pytest.mark.parametrize(
    "bad",
    [b"", b"1234567", image(NOP, entry=0x40), b"\x7fELF" + bytes(10), b":10000000FF", b":00000001FE\n"],
)
def test_an_image_that_is_none_is_refused(bad):
    with pytest.raises((UsageError, DeviceError)):
        VirtualBoard(bad, board("nrf52840dk"))


def test_an_image_too_large_for_the_flash_is_refused():
    with pytest.raises(DeviceError, match="outside the flash"):
        VirtualBoard(image(NOP) + bytes(0x10_0000), board("nrf52840dk"))


def test_a_closed_board_says_so(boot):
    one = boot(WFE)
    one.close()
    with pytest.raises(DeviceError, match="closed"):
        one.run(1.0)


def test_a_board_without_a_virtual_chip_is_refused():
    from edgegrf.errors import UnknownNameError

    with pytest.raises(UnknownNameError, match="virtual chip 'host'"):
        VirtualBoard(image(NOP), board("native"))


def test_ctrl_c_is_never_lost_in_the_emulator(start):
    import signal
    import threading
    import time

    one = start("echo", SPIN=1)  # reads registers without end
    for delay in (0.02, 0.035, 0.05, 0.065):
        timer = threading.Timer(delay, lambda: signal.raise_signal(signal.SIGINT))
        timer.start()
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            one.run(60.0, until="idle")
        assert time.monotonic() - began < 5.0
        timer.join()
