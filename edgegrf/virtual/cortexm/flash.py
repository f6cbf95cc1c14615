# SPDX-License-Identifier: Apache-2.0
"""Which loads of a basic block read from flash, found without watching every access.

Each load's address is followed back to what holds it when the block is entered: registers, words on the
stack, literals, and sums of these.  What the analysis cannot say beforehand is left to a probe, which
looks at those registers as the block runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgegrf.virtual.cortexm.decode import Instruction, Linear

__all__ = ["FlashProbe", "flash_reads", "stack_slot"]

_REGISTERS = (*(f"r{number}" for number in range(13)), "lr")
_SLOT = re.compile(r"\[sp\+(\d+)\]")
_SINGLE = ("ldr", "ldrb", "ldrh", "ldrsb", "ldrsh", "ldrt", "ldrbt", "ldrht", "ldrex", "ldrexb", "ldrexh",
           "vldr", "tbb", "tbh")  # fmt: skip


@dataclass(frozen=True)
class FlashProbe:
    """`reads` words read near `address`, of registers and stack words as the block is entered."""

    address: Linear
    reads: int


def flash_reads(
    instructions: Sequence[Instruction], address: int, flash_size: int, word: Callable[[int], int]
) -> tuple[int, tuple[FlashProbe, ...]]:
    """The data words that the block at `address` reads from flash in any case, and the probes for the others.

    Flash is [0, flash_size); `word` reads a literal.  An address that is loaded inside the block from
    elsewhere than the stack is not known and counts as RAM.
    """
    known = _Known(word)
    always = 0
    sometimes: dict[tuple[tuple[str, int], ...], FlashProbe] = {}
    for instruction in instructions:
        words = _words(instruction)
        at = Linear(constant=address) if instruction.base == "pc" else known.address(instruction)
        if words and at is not None:
            if at.terms:  # of loads that differ by constants one tells for all
                same = sometimes.get(at.terms, FlashProbe(at, 0))
                sometimes[at.terms] = FlashProbe(same.address, same.reads + words)
            else:
                always += words if at.constant < flash_size else 0
        known.follow(instruction)
    return always, tuple(sometimes.values())


def stack_slot(term: str) -> int | None:
    """The offset of a term that is a word on the stack, None for a register."""
    found = _SLOT.fullmatch(term)
    return int(found[1]) if found else None


class _Known:
    """What registers and stack words hold, in terms of the block's entry; what is not here is not known."""

    def __init__(self, word: Callable[[int], int]) -> None:
        self._word = word
        self._registers = {name: Linear(((name, 1),)) for name in _REGISTERS}
        self._stack: dict[int, Linear | None] = {}  # what the block itself has stored there
        self._stack_stays = True

    def address(self, instruction: Instruction) -> Linear | None:
        """The address that a load reads from."""
        base = self._registers.get(instruction.base)
        if base is None or not instruction.index:
            return base
        index = self._registers.get(instruction.index)
        return None if index is None else base + index.times(1 << instruction.shift)

    def follow(self, instruction: Instruction) -> None:
        """Take the instruction's effects in."""
        values = self._written(instruction)
        if instruction.base == "sp" and instruction.name in ("str", "strd") and not instruction.writeback:
            for number, register in enumerate(instruction.data):
                self._stack[instruction.displacement + 4 * number] = self._registers.get(register)
        for register in instruction.writes:
            if instruction.writeback and register == instruction.base:
                continue  # a few bytes further, but in the same memory
            value = values.get(register)
            if value is None:
                self._registers.pop(register, None)
            else:
                self._registers[register] = value
        if "sp" in instruction.writes:
            self._stack_stays = False

    def _written(self, instruction: Instruction) -> dict[str, Linear | None]:
        """The values of the registers that it writes, as far as they can be told."""
        if instruction.literal:
            return {instruction.data[0]: Linear(constant=self._word(instruction.literal))}
        if instruction.base == "sp" and instruction.name in ("ldr", "ldrd") and not instruction.index:
            offsets = range(instruction.displacement, instruction.displacement + 8, 4)
            return {register: self._slot(at) for register, at in zip(instruction.data, offsets, strict=False)}
        if instruction.value is not None:
            return dict.fromkeys(instruction.writes, self._sum(instruction.value))
        return {}

    def _slot(self, offset: int) -> Linear | None:
        if not self._stack_stays or offset < 0:
            return None
        return self._stack.get(offset, Linear(((f"[sp+{offset}]", 1),)))

    def _sum(self, value: Linear) -> Linear | None:
        total = Linear(constant=value.constant)
        for register, factor in value.terms:
            part = self._registers.get(register)
            if part is None:
                return None
            total = total + part.times(factor)
        return total


def _words(instruction: Instruction) -> int:
    """Data words (or smaller) that the instruction reads."""
    if instruction.name in ("ldm", "vldm", "pop", "vpop"):
        return instruction.words
    return 2 if instruction.name == "ldrd" else int(instruction.name in _SINGLE)
