# SPDX-License-Identifier: Apache-2.0
"""How a Cortex-M4F takes an exception and comes back: ARMv7-M Architecture Reference Manual, B1.5.

Modelled: priorities and preemption, PRIMASK, BASEPRI and FAULTMASK, tail-chaining, frames with and
without floating-point registers (stored at once, where a core may put that off), faults that escalate.
Not modelled: late arrival, the process stack, priority grouping.
"""

from __future__ import annotations

import struct
from typing import Protocol

from edgegrf.errors import DeviceError
from edgegrf.virtual.cortexm.faults import Fault
from edgegrf.virtual.cortexm.registers import FPCA, SPSEL, Registers
from edgegrf.virtual.cortexm.scs import (
    BFAR,
    CFSR,
    HARD_FAULT,
    HFSR,
    SHCSR,
    VTOR,
    SystemControlSpace,
)

__all__ = ["Exceptions", "Stacked"]

#: cycles of the core's manual: stacking and the vector's fetch, tail-chaining, unstacking
_ENTRY, _CHAIN, _EXIT = 12, 6, 10
_FORCED, _STKERR, _BFARVALID = 1 << 30, 1 << 12, 1 << 15
_ALIGNED = 1 << 9  # in the stacked xPSR: four bytes were skipped
_STANDARD_BYTES, _EXTENDED_BYTES = 0x20, 0x68
_THREAD, _HANDLER, _NO_FLOATS = 0xFFFF_FFE9, 0xFFFF_FFE1, 0x10
_NOTHING_RUNS = 256
_FLAGS, _THUMB = 0xF80F_0000, 1 << 24


class Stacked(Protocol):
    """What exceptions ask of a core."""

    pc: int
    registers: Registers

    def go_to(self, address: int) -> None: ...

    def word(self, address: int) -> int: ...

    def load(self, address: int, size: int) -> bytes: ...

    def store(self, address: int, data: bytes) -> None: ...

    def spend(self, cycles: int) -> None: ...


class Exceptions:
    """Moves `core` into handlers and out of them, as `scs` says."""

    def __init__(self, core: Stacked, scs: SystemControlSpace) -> None:
        self._core, self._scs = core, scs

    @property
    def held_back(self) -> bool:
        """True while an exception waits that a mask or a running handler keeps from being taken."""
        number = self._scs.ready()
        return number is not None and self._scs.priority(number) >= self._running()

    def deliver(self) -> bool:
        """Take the exception that is due, if any; True when one was taken."""
        number = self._scs.ready()
        if number is None or self._scs.priority(number) >= self._running():
            return False
        self._enter(number)
        return True

    def wakes(self) -> bool:
        """True if WFI ends: an exception is due, PRIMASK or not."""
        number = self._scs.ready()
        return number is not None and self._scs.priority(number) < self._running(primask=False)

    def fault(self, fault: Fault) -> bool:
        """Take the exception of a fault; False when the core locks up, as one inside HardFault does."""
        values = self._scs.values
        values[CFSR] |= fault.status
        values[HFSR] |= fault.hard_status
        if fault.address is not None:
            values[BFAR] = fault.address
            values[CFSR] |= _BFARVALID
        running = self._running()
        number = fault.number
        enabled = (4 <= number < 7 and values[SHCSR] >> (12 + number) & 1) or number > 6
        if not enabled or self._scs.priority(number) >= running:
            number = HARD_FAULT
            values[HFSR] |= 0 if fault.hard_status else _FORCED
        if self._scs.priority(number) >= running:
            return False
        self._enter(number)
        return True

    def leave(self) -> None:
        """The core branched to an EXC_RETURN value: unstack, or go on with what is pending."""
        core, scs = self._core, self._scs
        value = core.pc | 1
        scs.leave(scs.active[-1])
        core.registers.clear_fault_mask()
        number = scs.ready()
        if number is not None and scs.priority(number) < self._running():
            scs.take(number)
            core.registers.set_link(value)
            self._begin(number)
            core.spend(_CHAIN)
            return
        self._unstack(value)
        core.spend(_EXIT)

    def _running(self, *, primask: bool = True) -> int:
        """The priority that the core executes at."""
        scs = self._scs
        priority = min((scs.priority(number) for number in scs.active), default=_NOTHING_RUNS)
        masked, base, faults_masked = self._core.registers.masks()
        if base:
            priority = min(priority, base & 0xE0)
        if masked and primask:
            priority = min(priority, 0)
        return min(priority, -1) if faults_masked else priority

    def _enter(self, number: int) -> None:
        core, scs = self._core, self._scs
        stack, status, control = core.registers.state()
        if control & SPSEL and not scs.active:
            raise DeviceError("the virtual core has no process stack", fix="stay on the main stack")
        floats = core.registers.floats() if control & FPCA else []
        place = stack - (_EXTENDED_BYTES if floats else _STANDARD_BYTES) & ~7
        status |= _ALIGNED if stack & 4 else 0
        words = [*core.registers.frame(), core.pc, status, *floats, *([0] if floats else [])]
        try:
            core.store(place, struct.pack(f"<{len(words)}I", *words))
        except IndexError:
            scs.values[CFSR] |= _STKERR
            if number != HARD_FAULT:
                scs.values[HFSR] |= _FORCED
            number = HARD_FAULT
        value = (_HANDLER if scs.active else _THREAD) | (0 if floats else _NO_FLOATS)
        scs.take(number)
        core.registers.set_link(value)
        core.registers.set_stack_and_status(place, status & _FLAGS | _THUMB | number)
        if floats:
            core.registers.set_control(control & ~FPCA)
        self._begin(number)
        core.spend(_ENTRY)

    def _begin(self, number: int) -> None:
        stack, status, _ = self._core.registers.state()
        self._core.registers.set_stack_and_status(stack, status & _FLAGS | _THUMB | number)
        self._core.go_to(self._core.word(self._scs.values[VTOR] + 4 * number) & ~1)

    def _unstack(self, value: int) -> None:
        core = self._core
        stack = core.registers.state()[0]
        size = _STANDARD_BYTES if value & _NO_FLOATS else _EXTENDED_BYTES
        try:
            words = struct.unpack(f"<{size // 4}I", core.load(stack, size))
        except IndexError as error:
            raise DeviceError(
                f"a handler returned with its stack at 0x{stack:08X}, which is not RAM"
            ) from error
        *frame, pc, status = words[:8]
        core.registers.set_frame(frame)
        if size == _EXTENDED_BYTES:
            core.registers.set_floats(words[8:25])
        core.registers.set_stack_and_status(
            stack + size + (4 if status & _ALIGNED else 0), status & ~_ALIGNED
        )
        core.registers.set_control(core.registers.state()[2] & ~FPCA | (0 if value & _NO_FLOATS else FPCA))
        core.go_to(pc & ~1)
