# SPDX-License-Identifier: Apache-2.0
"""What the emulator stumbled over, as the fault that a Cortex-M4 raises for it; and stores into flash."""

from __future__ import annotations

from dataclasses import dataclass

from edgegrf.virtual.cortexm.decode import decode

__all__ = ["BUS_FAULT", "HARD_FAULT", "USAGE_FAULT", "Fault", "Store", "fault_of", "store_at"]

HARD_FAULT, BUS_FAULT, USAGE_FAULT, _SVCALL = 3, 5, 6, 11
#: bits of CFSR and HFSR
_IBUSERR, _PRECISERR, _UNDEFINSTR, _INVSTATE = 1 << 8, 1 << 9, 1 << 16, 1 << 17
_DEBUGEVT = 1 << 31
#: what the emulator's interrupt hook is told
_SVC, _BREAKPOINT = 2, 7


@dataclass(frozen=True)
class Fault:
    """What an instruction did: the exception it raises, its bits of CFSR and HFSR, the address it meant."""

    number: int
    text: str
    status: int = 0
    address: int | None = None
    hard_status: int = 0


@dataclass(frozen=True)
class Store:
    """A single store: how long it is, and how its base register moves."""

    size: int  # of the instruction, in bytes
    base: str  # the register that is written back, "" for none
    step: int  # what is added to it


def fault_of(error: int, text: str, address: int | None, interrupt: int | None) -> Fault:
    """The fault for an error number of the emulator, where `address` is what was accessed, and `interrupt`
    what its hook was told."""
    import unicorn

    if interrupt == _SVC:
        return Fault(_SVCALL, text)
    if interrupt == _BREAKPOINT:  # without a debugger
        return Fault(HARD_FAULT, text, hard_status=_DEBUGEVT)
    if error in (unicorn.UC_ERR_FETCH_UNMAPPED, unicorn.UC_ERR_FETCH_PROT):
        return Fault(BUS_FAULT, text, _IBUSERR)
    if address is not None:
        return Fault(BUS_FAULT, text, _PRECISERR, address)
    return Fault(USAGE_FAULT, text, _UNDEFINSTR if interrupt is None else _INVSTATE)


def store_at(code: bytes, address: int) -> Store | None:
    """The store of one register at the start of `code`; None for anything else."""
    instruction = decode(code[:4], address)[0]
    if instruction.name not in ("str", "strb", "strh"):
        return None
    moved = instruction.base if instruction.writeback else ""
    return Store(instruction.size, moved, instruction.step)
