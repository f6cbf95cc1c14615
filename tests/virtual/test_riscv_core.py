# SPDX-License-Identifier: Apache-2.0
"""The RV32IMC core: decoder and cycle rules on hand-made code, interrupts, exceptions, its own registers."""

from __future__ import annotations

import struct

import pytest

from edgegrf.errors import DeviceError, ModelError
from edgegrf.image.elf import Segment
from edgegrf.image.esp import read_esp, to_esp
from edgegrf.virtual.esp32c3.chip import Esp32c3
from edgegrf.virtual.image import Firmware, load_image
from edgegrf.virtual.line import Line
from edgegrf.virtual.riscv.cycles import block_cost
from edgegrf.virtual.riscv.decode import decode

RAM, CODE = 0x3FC8_0000, 0x4038_0000
MATRIX = 0x600C_2000


def words(*code):
    return struct.pack(f"<{len(code)}I", *code)


def lui(rd, value):
    return value + 0x800 & 0xFFFF_F000 | rd << 7 | 0x37


def addi(rd, rs, value):
    return (value & 0xFFF) << 20 | rs << 15 | rd << 7 | 0x13


def load_constant(rd, value):
    return lui(rd, value), addi(rd, rd, value & 0xFFF)


def lw(rd, rs, offset=0):
    return offset << 20 | rs << 15 | 2 << 12 | rd << 7 | 0x03


def sw(value, base, offset=0):
    return (offset >> 5) << 25 | value << 20 | base << 15 | 2 << 12 | (offset & 31) << 7 | 0x23


def mul(rd, rs1, rs2, funct3=0):
    return 1 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x33


def csrw(number, rs):
    return number << 20 | rs << 15 | 1 << 12 | 0x73


def csrr(rd, number):
    return number << 20 | 2 << 12 | rd << 7 | 0x73


WFI, LOOP = 0x1050_0073, 0x6F  # LOOP: a jump to itself


@pytest.mark.parametrize(
    ("code", "kind", "writes", "reads"),
    [
        (words(lw(5, 6)), "load", 5, {6}),
        (words(sw(5, 6)), "store", 0, {5, 6}),
        (words(mul(5, 6, 7)), "mul", 5, {6, 7}),
        (words(mul(5, 6, 7, 1)), "mulh", 5, {6, 7}),
        (words(mul(5, 6, 7, 4)), "div", 5, {6, 7}),
        (words(csrw(0x300, 5)), "csr", 0, {5}),
        (bytes.fromhex("9c41"), "load", 15, {11}),  # c.lw a5,0(a1)
        (bytes.fromhex("1cc1"), "store", 0, {10, 15}),  # c.sw a5,0(a0)
        (bytes.fromhex("3e95"), "alu", 10, {10, 15}),  # c.add a0,a5
        (bytes.fromhex("8280"), "jump", 0, {1}),  # ret
        (bytes.fromhex("a64a"), "load", 21, {2}),  # c.lwsp s5,72(sp)
        (bytes.fromhex("fdbf"), "jump", 0, set()),  # c.j
        (bytes.fromhex("0000"), "unknown", 0, set()),
    ],
)  # fmt: skip
def test_decoder(code, kind, writes, reads):
    (one,) = decode(code)
    assert (one.kind, one.writes, set(one.reads), one.size) == (kind, writes, reads, len(code))


def test_rules_of_the_cycle_model():
    def cycles(*code):
        return block_cost(decode(words(*code))).half_cycles / 2

    assert cycles(addi(5, 5, 1)) == 1
    assert cycles(lw(5, 6), addi(7, 7, 1), addi(5, 5, 1)) == 3
    assert cycles(lw(5, 6), addi(5, 5, 1)) == 3  # waits for what is being loaded
    assert cycles(mul(5, 6, 7), addi(5, 5, 1)) == 2
    assert cycles(mul(5, 6, 7, 4)) == 17
    assert (
        block_cost(decode(words(csrw(0x300, 5)))).sets_event
        and not block_cost(decode(words(LOOP))).sets_event
    )


@pytest.fixture
def start():
    chips = []

    def begin(*code, at=CODE):
        chips.append(Esp32c3(Firmware(((at, words(*code)),), entry=at), Line(1600)))
        return chips[-1]

    yield begin
    for chip in chips:
        chip.close()


def result(chip, offset=0):
    return int.from_bytes(chip.core.load(RAM + 0x1000 + offset, 4), "little")


def test_the_cycle_counter_counts_when_it_is_told_to(start):
    chip = start(
        *load_constant(6, RAM + 0x1000), csrr(7, 0x7E2), addi(5, 0, 1), csrw(0x7E0, 5), csrw(0x7E1, 5),
        csrr(8, 0x7E2), addi(9, 9, 1), addi(9, 9, 1), csrr(9, 0x7E2), sw(7, 6), sw(8, 6, 4), sw(9, 6, 8), WFI,
    )  # fmt: skip
    chip.execute(1000)
    assert chip.asleep and result(chip) == 0 and 0 < result(chip, 8) - result(chip, 4) < 10


def test_an_interrupt_enters_its_vector_and_comes_back(start):
    """SYSTIMER's target 0 after 100 us, led to interrupt 3; the handler stores mcause and clears it."""
    body = [
        *load_constant(6, RAM + 0x1000), *load_constant(7, MATRIX), *load_constant(8, 0x6002_3000),
        *load_constant(5, CODE + 0x101), csrw(0x305, 5),
        addi(5, 0, 3), sw(5, 7, 4 * 37), addi(5, 0, 8), sw(5, 7, 0x104), addi(5, 0, 1), sw(5, 7, 0x114 + 12),
        sw(5, 7, 0x194), *load_constant(5, 0x4000_0000 | 1600), sw(5, 8, 0x34), addi(5, 0, 1), sw(5, 8, 0x64),
        *load_constant(5, 0x4700_0000), sw(5, 8, 0), addi(5, 0, 8), csrw(0x300, 5), WFI, LOOP,
    ]  # fmt: skip
    body += [addi(0, 0, 0)] * (0x10C // 4 - len(body))
    body += [csrr(9, 0x342), sw(9, 6), addi(9, 0, 1), sw(9, 8, 0x6C), 0x3020_0073]
    chip = start(*body)
    came_back = False
    for _ in range(20):
        chip.sleep(chip.time + 20_000) if chip.asleep else chip.execute(1000)
        came_back |= result(chip) == 0x8000_0003 and not chip.core.masked
    assert came_back and not chip.faults and not chip.unmodelled
    assert chip.time > 100e-6 * chip.clock_hz


def test_an_exception_enters_the_handler(start):
    body = [*load_constant(5, CODE + 0x101), csrw(0x305, 5), lw(5, 0, 16)]
    body += [addi(0, 0, 0)] * (0x100 // 4 - len(body))
    body += [*load_constant(6, RAM + 0x1000), csrr(7, 0x342), sw(7, 6), csrr(7, 0x343), sw(7, 6, 4)]
    body += [csrr(7, 0x341), sw(7, 6, 8), WFI]
    chip = start(*body)
    for _ in range(3):
        chip.execute(1000)
    assert (result(chip), result(chip, 4), result(chip, 8)) == (5, 16, CODE + 12)
    assert "load access fault at 0x00000010" in chip.faults[0]


def test_without_a_handler_a_fault_is_an_error(start):
    with pytest.raises(DeviceError, match="illegal instruction"):
        start(0xFFFF_FFFF).execute(100)


def test_esp_images_are_read_back_and_damage_is_found():
    parts = (Segment(RAM, b"abc"), Segment(CODE + 16, bytes(range(32))))
    data = to_esp(parts, CODE + 16, "esp32c3")
    image = read_esp(data)
    assert (image.entry, image.chip_id, len(data) % 16) == (CODE + 16, 5, 0)
    assert image.segments == (Segment(RAM, b"abc\0"), parts[1])
    assert load_image(data).entry == CODE + 16
    for place in range(8, len(data), 7):
        broken = bytearray(data)
        broken[place] ^= 1
        with pytest.raises(ModelError, match="ESP image"):
            read_esp(bytes(broken))
    with pytest.raises(ModelError, match="ESP image"):
        read_esp(data[:40])
