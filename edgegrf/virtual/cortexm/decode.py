# SPDX-License-Identifier: Apache-2.0
"""Thumb code as the cycle model needs it: names, registers read and written, words moved."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from edgegrf.errors import MissingToolError

__all__ = ["Instruction", "Linear", "decode"]

_LISTS = ("ldm", "stm", "vldm", "vstm", "push", "pop", "vpush", "vpop")
_LONG_ACCUMULATE = ("smlal", "smlald", "smlaldx", "smlalbb", "smlalbt", "smlaltb", "smlaltt", "smlsld",
                    "smlsldx", "umlal", "umaal")  # fmt: skip

#: capstone's names of high registers
_MASK = 0xFFFF_FFFF
_ALIASES = {"sb": "r9", "sl": "r10", "fp": "r11", "ip": "r12"}


@dataclass(frozen=True)
class Linear:
    """constant + the sum of factor * register over `terms` (sorted by name), modulo 2**32."""

    terms: tuple[tuple[str, int], ...] = ()
    constant: int = 0

    def __add__(self, other: Linear) -> Linear:
        factors = dict(self.terms)
        for register, factor in other.terms:
            factors[register] = (factors.get(register, 0) + factor) & _MASK
        terms = tuple(sorted((register, factor) for register, factor in factors.items() if factor))
        return Linear(terms, (self.constant + other.constant) & _MASK)

    def times(self, factor: int) -> Linear:
        """The form multiplied by a number."""
        terms = tuple((register, own * factor & _MASK) for register, own in self.terms)
        return Linear(tuple(term for term in terms if term[1]), self.constant * factor & _MASK)


@dataclass(frozen=True)
class Instruction:
    """One instruction; registers by their names (r0..r12, sp, lr, pc, s0..s31)."""

    name: str  # without condition and type: ldr, smlad, vadd; "unknown" if it cannot be decoded
    size: int = 2  # bytes
    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    base: str = ""  # of the memory operand
    index: str = ""
    shift: int = 0  # of the index, to the left
    displacement: int = 0  # of the memory operand, in bytes
    data: tuple[str, ...] = ()  # the registers that a load or store moves
    literal: int = 0  # the address that an "ldr" relative to pc loads from
    words: int = 0  # moved by a load or store of a register list
    writeback: bool = False  # the base moves on by a constant
    step: int = 0  # that constant, of a single load or store
    value: Linear | None = None  # what an addition, move or shift writes, of the registers before it
    hint: str = ""  # of hint instructions: nop, sev, wfe...


def decode(code: bytes, address: int) -> list[Instruction]:
    """The instructions of one basic block of Thumb-2 code."""
    disassembler = _capstone()
    found: list[Instruction] = []
    offset = 0
    while offset < len(code):
        for raw in disassembler.disasm(code[offset:], address + offset):
            found.append(_instruction(raw))
            offset += raw.size
        if offset < len(code):  # what capstone does not know is stepped over at its Thumb length
            size = 4 if code[offset + 1] >> 3 in (0b11101, 0b11110, 0b11111) else 2
            found.append(Instruction("unknown", size))
            offset += size
    return found


@functools.cache
def _capstone() -> Any:
    try:
        import capstone
    except ImportError as error:
        raise MissingToolError("capstone is not installed", fix="pip install 'edgegrf[virtual]'") from error
    disassembler = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
    disassembler.detail = True
    return disassembler


def _instruction(raw: Any) -> Instruction:
    from capstone.arm import ARM_OP_MEM, ARM_OP_REG

    name = _plain(raw.insn_name())
    operands = raw.operands
    registers = [_register(raw, operand.reg) for operand in operands if operand.type == ARM_OP_REG]
    memory = next((operand for operand in operands if operand.type == ARM_OP_MEM), None)
    read, written = ([_register(raw, number) for number in numbers] for numbers in raw.regs_access())
    base = index = ""
    shift = literal = displacement = 0
    if memory is not None:
        base = _register(raw, memory.mem.base)
        index = _register(raw, memory.mem.index)
        shift = memory.shift.value if index else 0
        displacement = memory.mem.disp
        if name == "ldr" and base == "pc":
            literal = (raw.address + 4 & ~3) + memory.mem.disp
    elif name in _LISTS:
        base = "sp" if name in ("push", "pop", "vpush", "vpop") else registers[0]
        registers = registers if base == "sp" and name not in ("ldm", "stm") else registers[1:]
        if name.startswith("v"):  # capstone mistakes the list of these for sources or for nothing
            written = [*([base] if raw.writeback or base == "sp" else []), *_loaded(name, registers)]
    if name in _LONG_ACCUMULATE:  # capstone leaves out that the two accumulators are read
        read = [*read, *registers[:2]]
    return Instruction(
        name, raw.size, frozenset(read), frozenset(written), base, index, shift, displacement,
        tuple(registers), literal,
        words=sum(2 if register[0] == "d" else 1 for register in registers) if name in _LISTS else 0,
        writeback=bool(raw.writeback) or name in ("push", "pop", "vpush", "vpop"),
        step=displacement or _post_index(raw) if raw.writeback and memory is not None else 0,
        value=_value(name, raw),
        hint=raw.mnemonic.split(".")[0] if name == "hint" else "",
    )  # fmt: skip


def _post_index(raw: Any) -> int:
    last = raw.operands[-1]
    return -int(last.imm) if last.subtracted else int(last.imm)


def _register(raw: Any, number: int) -> str:
    name = raw.reg_name(number) or ""
    return _ALIASES.get(name, name)


def _value(name: str, raw: Any) -> Linear | None:
    """What an unconditional add, sub, mov or lsl writes to its first operand; None for all else."""
    from capstone.arm import ARM_CC_AL, ARM_OP_REG

    operands = raw.operands
    if name not in _LINEAR or raw.cc != ARM_CC_AL or not operands or operands[0].type != ARM_OP_REG:
        return None
    sources = [_operand(raw, operand) for operand in (operands[1:] if len(operands) > 1 else ())]
    if len(operands) == 2 and name in ("add", "addw", "sub", "subw", "movt"):  # the first is a source too
        sources.insert(0, _operand(raw, operands[0]))
    first, second = (*sources, Linear(), Linear())[:2]
    if first is None or second is None:
        return None
    if name == "lsl":
        return first.times(1 << second.constant) if len(sources) == 2 and not second.terms else None
    if name == "movt":  # behind a movw, whose upper half is 0
        return first + second.times(1 << 16)
    return first + (second.times(_MASK) if name in ("sub", "subw") else second)


_LINEAR = ("add", "addw", "sub", "subw", "mov", "movw", "movt", "lsl")


def _operand(raw: Any, operand: Any) -> Linear | None:
    from capstone.arm import ARM_OP_IMM, ARM_OP_REG, ARM_SFT_INVALID, ARM_SFT_LSL

    if operand.type == ARM_OP_IMM:
        return Linear(constant=operand.imm & _MASK)
    if operand.type != ARM_OP_REG or operand.shift.type not in (ARM_SFT_INVALID, ARM_SFT_LSL):
        return None
    name = _register(raw, operand.reg)
    if name == "pc":
        return Linear(constant=raw.address + 4 & ~3)
    return Linear(((name, 1 << operand.shift.value),))


def _loaded(name: str, registers: list[str]) -> list[str]:
    return registers if name in ("vldm", "vpop") else []


def _plain(name: str) -> str:
    for prefix in ("vldm", "vstm", "ldm", "stm"):  # the addressing mode (ia, db) costs nothing
        if name.startswith(prefix):
            return prefix
    return str(name)
