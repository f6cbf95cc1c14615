# SPDX-License-Identifier: Apache-2.0
"""How a Cortex-M4F takes an exception and comes back: ARMv7-M Architecture Reference Manual, B1.5.

Modelled: priorities and preemption, PRIMASK, BASEPRI and FAULTMASK, tail-chaining, frames with room for
floating-point registers (which are kept aside, not stored: lazy stacking of a handler that uses none),
faults that escalate.  Not modelled: late arrival, the process stack, priority grouping.
"""

from __future__ import annotations

import struct
from typing import Protocol

from edgegrf.errors import DeviceError
from edgegrf.virtual.cortexm.faults import Fault
from edgegrf.virtual.cortexm.registers import FPCA, SPSEL, Registers, State
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
_FRAME = struct.Struct("<8I")


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
        self._floats: list[tuple[int, ...]] = []  # of the code that was interrupted, the latest last

    @property
    def held_back(self) -> bool:
        """True while an exception waits that a mask or a running handler keeps from being taken."""
        number = self._scs.ready()
        return number is not None and self._scs.priority(number) >= self._running(
            self._core.registers.state()
        )

    def deliver(self) -> bool:
        """Take the exception that is due, if any; True when one was taken."""
        number = self._scs.ready()
        if number is None:
            return False
        state = self._core.registers.state()
        if self._scs.priority(number) >= self._running(state):
            return False
        self._enter(number, state)
        return True

    def wakes(self) -> bool:
        """True if WFI ends: an exception is due, PRIMASK or not."""
        number = self._scs.ready()
        state = self._core.registers.state()._replace(primask=0)
        return number is not None and self._scs.priority(number) < self._running(state)

    def fault(self, fault: Fault) -> bool:
        """Take the exception of a fault; False when the core locks up, as one inside HardFault does."""
        values = self._scs.values
        values[CFSR] |= fault.status
        values[HFSR] |= fault.hard_status
        if fault.address is not None:
            values[BFAR] = fault.address
            values[CFSR] |= _BFARVALID
        state = self._core.registers.state()
        running = self._running(state)
        number = fault.number
        enabled = number > 6 or (number > 3 and values[SHCSR] >> (12 + number) & 1)
        if not enabled or self._scs.priority(number) >= running:
            number = HARD_FAULT
            values[HFSR] |= 0 if fault.hard_status else _FORCED
        if self._scs.priority(number) >= running:
            return False
        self._enter(number, state)
        return True

    def leave(self) -> None:
        """The core branched to an EXC_RETURN value: unstack, or go on with what is pending."""
        core, scs = self._core, self._scs
        value = core.pc | 1
        scs.leave(scs.active[-1])
        state = core.registers.state()
        if state.faultmask:
            core.registers.set_masks(state.primask, state.basepri, 0)
            state = state._replace(faultmask=0)
        number = scs.ready()
        if number is not None and scs.priority(number) < self._running(state):
            scs.take(number)
            self._begin(number, state.status, state.stack, value)
            core.spend(_CHAIN)
        else:
            self._unstack(value, state)
            core.spend(_EXIT)

    def _running(self, state: State) -> int:
        """The priority that the core executes at."""
        scs = self._scs
        priority = min((scs.priority(number) for number in scs.active), default=_NOTHING_RUNS)
        if state.basepri:
            priority = min(priority, state.basepri)
        if state.primask:
            priority = min(priority, 0)
        return min(priority, -1) if state.faultmask else priority

    def _enter(self, number: int, state: State) -> None:
        core, scs = self._core, self._scs
        if state.control & SPSEL and not scs.active:
            raise DeviceError("the virtual core has no process stack", fix="stay on the main stack")
        with_floats = state.control & FPCA
        place = state.stack - (_EXTENDED_BYTES if with_floats else _STANDARD_BYTES) & ~7
        status = state.status | (_ALIGNED if state.stack & 4 else 0)
        try:
            core.store(place, _FRAME.pack(*state.frame, core.pc, status))
        except IndexError:
            scs.values[CFSR] |= _STKERR
            if number != HARD_FAULT:
                scs.values[HFSR] |= _FORCED
            number = HARD_FAULT
        value = (_HANDLER if scs.active else _THREAD) | (0 if with_floats else _NO_FLOATS)
        scs.take(number)
        if with_floats:
            self._floats.append(core.registers.floats())
            core.registers.set_control(state.control & ~FPCA)
        self._begin(number, status, place, value)
        core.spend(_ENTRY)

    def _begin(self, number: int, status: int, stack: int, value: int) -> None:
        self._core.registers.enter(status & _FLAGS | _THUMB | number, stack, value)
        self._core.go_to(self._core.word(self._scs.values[VTOR] + 4 * number) & ~1)

    def _unstack(self, value: int, state: State) -> None:
        core = self._core
        try:
            *frame, pc, status = _FRAME.unpack(core.load(state.stack, _STANDARD_BYTES))
        except IndexError as error:
            raise DeviceError(
                f"a handler returned with its stack at 0x{state.stack:08X}, which is not RAM"
            ) from error
        size, control = _STANDARD_BYTES, state.control & ~FPCA
        if not value & _NO_FLOATS:
            size, control = _EXTENDED_BYTES, control | FPCA
            floats = self._floats.pop()
            if state.control & FPCA:  # the handler had its own
                core.registers.set_floats(floats)
        stack = state.stack + size + (4 if status & _ALIGNED else 0)
        core.registers.leave(status & ~_ALIGNED, stack, tuple(frame))
        if control != state.control:
            core.registers.set_control(control)
        core.go_to(pc & ~1)
