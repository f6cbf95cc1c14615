# SPDX-License-Identifier: Apache-2.0
"""What a basic block costs on a Cortex-M4, in half cycles.

An estimate, +-15 % on an unseen board; no nRF52840 measurement is included.  The base costs are those
of the Cortex-M4 Technical Reference Manual r0p1, table 3-1 (integer) and table 7-1 (floating point),
with one data access pipelined behind another; division, whose time depends on its operands, is taken
at the middle of its range.  The corrections (`stalls`) are what brought 18 published int8 results of
STM32L4R5 and PSoC62 boards within -9..+9 %, and were chosen on those.  Not modelled: alignment of
branch targets, the instruction cache, contention between DMA and core, wait states of peripherals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgegrf.virtual.cortexm.decode import Instruction
from edgegrf.virtual.cortexm.flash import flash_reads
from edgegrf.virtual.counts import BlockCost

__all__ = [
    "ERROR_BAND",
    "FLASH_READ",
    "STALLS",
    "TAKEN_BRANCH",
    "base_cost",
    "block_cost",
    "stalls_on_accumulator",
    "stalls_on_computed_address",
    "stalls_on_float_result",
    "stalls_on_loaded_address",
]

ERROR_BAND = "estimate, +-15 % on an unseen board; no nRF52840 measurement included"
_CYCLE = 2  # half cycles
#: the pipeline refills when a block is entered by a branch: P of table 3-1, 1 to 3 cycles
TAKEN_BRANCH = 2 * _CYCLE
#: a data read from flash waits for it
FLASH_READ = 3

_LOADS = frozenset(("ldr", "ldrb", "ldrh", "ldrsb", "ldrsh", "ldrt", "ldrbt", "ldrht", "ldrex", "ldrexb",
                    "ldrexh", "vldr"))  # fmt: skip
_STORES = frozenset(("str", "strb", "strh", "strt", "strbt", "strht", "strex", "strexb", "strexh"))
_PAIRS = frozenset(("ldrd", "strd"))
_LISTS = frozenset(("ldm", "stm", "vldm", "vstm", "push", "pop", "vpush", "vpop"))
_MEMORY = _LOADS | _STORES | _PAIRS | _LISTS | {"vstr"}
_MACS = ("smla", "mla", "mls", "umlal")
_FUSED = ("vmla", "vmls", "vfma", "vfms", "vnmla", "vnmls", "vfnma", "vfnms")


def block_cost(
    instructions: Sequence[Instruction], address: int, flash_size: int, word: Callable[[int], int]
) -> BlockCost:
    """The cost of the block at `address`, where flash is [0, flash_size) and `word` reads a word of code."""
    always, probes = flash_reads(instructions, address, flash_size, word)
    half_cycles = FLASH_READ * always
    before = Instruction("nop")
    for instruction in instructions:
        half_cycles += base_cost(instruction, before)
        half_cycles += sum(_CYCLE for rule in STALLS if rule(instruction, before))
        before = instruction
    return BlockCost(
        len(instructions),
        half_cycles,
        sets_event=any(instruction.hint == "sev" for instruction in instructions),
        uses_fpu=any(_is_float(instruction) for instruction in instructions),
        probes=probes,
    )


def base_cost(instruction: Instruction, before: Instruction) -> int:
    """Half cycles by the manual's tables, the access pipelined behind a load where it can be."""
    name = instruction.name
    if name in _LISTS:
        return (1 + max(instruction.words, 1)) * _CYCLE
    if name in _PAIRS:
        return 3 * _CYCLE
    if name in _LOADS:
        return (1 if before.name in _LOADS else 2) * _CYCLE
    if name == "vstr":
        return (1 if before.name in _MEMORY else 2) * _CYCLE
    return _FIXED.get(name, _fused_cost(name)) * _CYCLE


#: cycles of what does not take one; tbb and tbh without the branch
_FIXED = {
    "sdiv": 7, "udiv": 7, "vdiv": 14, "vsqrt": 14, "tbb": 2, "tbh": 2, "dsb": 4, "isb": 4, "dmb": 4,
    "mrs": 2, "msr": 2,
}  # fmt: skip


def _fused_cost(name: str) -> int:
    return 3 if name in _FUSED else 1


def stalls_on_loaded_address(instruction: Instruction, before: Instruction) -> bool:
    """A load whose address the previous load has just fetched is not pipelined behind it."""
    both = instruction.name in _LOADS and before.name in _LOADS
    return both and bool(_address(instruction) & before.writes)


def stalls_on_computed_address(instruction: Instruction, before: Instruction) -> bool:
    """A load or store waits one cycle for an address that the preceding ALU instruction writes."""
    single = instruction.name in _LOADS or instruction.name in _STORES or instruction.name == "vstr"
    return single and before.name not in _MEMORY and bool(_address(instruction) & before.writes)


def stalls_on_accumulator(instruction: Instruction, before: Instruction) -> bool:
    """A multiply-accumulate waits one cycle for the result of the one before it."""
    both = instruction.name.startswith(_MACS) and before.name.startswith(_MACS)
    return both and bool(instruction.reads & before.writes)


def stalls_on_float_result(instruction: Instruction, before: Instruction) -> bool:
    """A floating-point operation waits one cycle for the result of the one before it."""
    return _is_arithmetic(instruction) and _is_arithmetic(before) and bool(instruction.reads & before.writes)


#: each true rule adds a cycle
STALLS: tuple[Callable[[Instruction, Instruction], bool], ...] = (
    stalls_on_loaded_address,
    stalls_on_computed_address,
    stalls_on_accumulator,
    stalls_on_float_result,
)


def _is_float(instruction: Instruction) -> bool:
    return instruction.name.startswith(("v", "f"))  # f: fmstat, fconsts


def _is_arithmetic(instruction: Instruction) -> bool:
    return _is_float(instruction) and instruction.name not in _MEMORY


def _address(instruction: Instruction) -> frozenset[str]:
    return frozenset(register for register in (instruction.base, instruction.index) if register)
