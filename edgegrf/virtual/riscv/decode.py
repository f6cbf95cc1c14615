# SPDX-License-Identifier: Apache-2.0
"""RV32IMC code as the cycle model needs it: kinds of instruction, the register written, those read.

Encodings: The RISC-V Instruction Set Manual, volume I, version 20191213, chapters 16 and 24.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Instruction", "decode"]


@dataclass(frozen=True)
class Instruction:
    """One instruction; `kind` is alu, mul, mulh, div, load, store, branch, jump, csr, system or unknown."""

    kind: str
    size: int = 4  # bytes
    writes: int = 0  # register number; 0: none
    reads: frozenset[int] = frozenset()


def decode(code: bytes) -> list[Instruction]:
    """The instructions of one basic block."""
    found = []
    place = 0
    while place + 2 <= len(code):
        half = int.from_bytes(code[place : place + 2], "little")
        if half & 3 == 3:
            one = _wide(int.from_bytes(code[place : place + 4].ljust(4, b"\0"), "little"))
        else:
            one = _narrow(half)
        found.append(one)
        place += one.size
    return found


def _wide(word: int) -> Instruction:
    opcode, rd = word & 0x7F, word >> 7 & 31
    rs1, rs2, funct3 = word >> 15 & 31, word >> 20 & 31, word >> 12 & 7
    match opcode:
        case 0x37 | 0x17:  # LUI, AUIPC
            return Instruction("alu", 4, rd)
        case 0x6F:  # JAL
            return Instruction("jump", 4, rd)
        case 0x67:  # JALR
            return Instruction("jump", 4, rd, frozenset((rs1,)))
        case 0x63:
            return Instruction("branch", 4, 0, frozenset((rs1, rs2)))
        case 0x03:
            return Instruction("load", 4, rd, frozenset((rs1,)))
        case 0x23:
            return Instruction("store", 4, 0, frozenset((rs1, rs2)))
        case 0x13:  # with an immediate
            return Instruction("alu", 4, rd, frozenset((rs1,)))
        case 0x33:  # between registers
            kind = ("mul", "mulh", "mulh", "mulh", "div", "div", "div", "div")[funct3]
            return Instruction(kind if word >> 25 == 1 else "alu", 4, rd, frozenset((rs1, rs2)))
        case 0x0F:  # FENCE
            return Instruction("alu")
        case 0x73:
            register = frozenset((rs1,)) if 1 <= funct3 <= 3 else frozenset[int]()
            return Instruction("csr", 4, rd, register) if funct3 else Instruction("system")
    return Instruction("unknown")


def _narrow(half: int) -> Instruction:
    return _QUADRANTS[half & 3](half, half >> 13)


def _low(half: int) -> int:
    """The register in bits 2 to 4, one of x8 to x15."""
    return 8 + (half >> 2 & 7)


def _high(half: int) -> int:
    """The register in bits 7 to 9, one of x8 to x15."""
    return 8 + (half >> 7 & 7)


def _memory_and_pointers(half: int, funct3: int) -> Instruction:
    """Quadrant 0: C.ADDI4SPN, C.LW, C.SW."""
    if funct3 == 2:
        return Instruction("load", 2, _low(half), frozenset((_high(half),)))
    if funct3 == 6:
        return Instruction("store", 2, 0, frozenset((_high(half), _low(half))))
    return Instruction("alu", 2, _low(half), frozenset((2,))) if funct3 == 0 and half else _UNKNOWN


def _immediates_and_branches(half: int, funct3: int) -> Instruction:
    """Quadrant 1: C.ADDI, C.JAL, C.LI, C.LUI, arithmetic, C.J, C.BEQZ, C.BNEZ."""
    rd = half >> 7 & 31
    if funct3 in (1, 5):
        return Instruction("jump", 2, 1 if funct3 == 1 else 0)
    if funct3 >= 6:
        return Instruction("branch", 2, 0, frozenset((_high(half),)))
    if funct3 == 4:
        both = half >> 10 & 3 == 3
        return Instruction("alu", 2, _high(half), frozenset((_high(half), *([_low(half)] if both else []))))
    return Instruction("alu", 2, rd, frozenset((rd,)) if funct3 == 0 or rd == 2 else frozenset())


def _stack_and_moves(half: int, funct3: int) -> Instruction:
    """Quadrant 2: C.SLLI, C.LWSP, C.JR, C.MV, C.EBREAK, C.JALR, C.ADD, C.SWSP."""
    rd, rs2 = half >> 7 & 31, half >> 2 & 31
    if funct3 == 0:
        return Instruction("alu", 2, rd, frozenset((rd,)))
    if funct3 == 2:
        return Instruction("load", 2, rd, frozenset((2,)))
    if funct3 == 6:
        return Instruction("store", 2, 0, frozenset((2, rs2)))
    if funct3 != 4:
        return _UNKNOWN
    adds_or_calls = bool(half >> 12 & 1)
    if rs2:
        return Instruction("alu", 2, rd, frozenset((rs2, rd) if adds_or_calls else (rs2,)))
    if rd:
        return Instruction("jump", 2, 1 if adds_or_calls else 0, frozenset((rd,)))
    return Instruction("system", 2)


_UNKNOWN = Instruction("unknown", 2)
_QUADRANTS: tuple[Callable[[int, int], Instruction], ...] = (
    _memory_and_pointers,
    _immediates_and_branches,
    _stack_and_moves,
)
