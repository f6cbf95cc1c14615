# SPDX-License-Identifier: Apache-2.0
"""What a basic block costs on the ESP32-C3's core, in half cycles.

An estimate.  Espressif documents a four-stage in-order pipeline with RAM and cache answering without wait
states (ESP32-C3 Technical Reference Manual v1.1, 1.1 and 3.3), and no costs per instruction.  What a
pipeline of that kind does is assumed: one cycle an instruction, one more where the next instruction needs
a value that is still being loaded, two to refill after a taken branch.  Not modelled: misses of the
16 KiB cache through which code and constants are read, accesses that are not aligned, peripherals.
"""

from __future__ import annotations

from collections.abc import Sequence

from edgegrf.virtual.counts import BlockCost, Penalties
from edgegrf.virtual.riscv.decode import Instruction

__all__ = ["ERROR_BAND", "PENALTIES", "block_cost", "stalls_on_load"]

ERROR_BAND = "estimate, +-30 %; rules of a four-stage pipeline, no ESP32-C3 measurement included"
_CYCLE = 2  # half cycles
PENALTIES = Penalties(taken_branch=2 * _CYCLE)
#: cycles beside the first; division, whose time depends on its operands, in the middle of its range
_MORE = {"div": 16}


def block_cost(instructions: Sequence[Instruction]) -> BlockCost:
    """The cost of a block, without the penalty of the branch that led to it; it sets the event if it may end
    by letting interrupts in."""
    cycles = 0
    before: Instruction | None = None
    for instruction in instructions:
        cycles += 1 + _MORE.get(instruction.kind, 0)
        cycles += 1 if before is not None and stalls_on_load(instruction, before) else 0
        before = instruction
    unmasks = bool(instructions) and instructions[-1].kind in ("csr", "system")  # or may; MRET is one
    return BlockCost(len(instructions), cycles * _CYCLE, sets_event=unmasks)


def stalls_on_load(instruction: Instruction, before: Instruction) -> bool:
    """An instruction waits one cycle for a value that the one before it loads."""
    return before.kind == "load" and before.writes in instruction.reads and before.writes != 0
