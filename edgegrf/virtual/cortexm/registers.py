# SPDX-License-Identifier: Apache-2.0
"""The core's registers as an exception needs them, read and written in one call each."""

from __future__ import annotations

import ctypes
import struct
from typing import Any, NamedTuple

__all__ = ["FPCA", "SPSEL", "Registers", "State"]

#: CONTROL: floating-point state is live; the process stack is in use
FPCA, SPSEL = 1 << 2, 1 << 1
_PLACE = ctypes.sizeof(ctypes.c_uint64)


class State(NamedTuple):
    """What an exception looks at; `frame` are r0 to r3, r12 and lr."""

    frame: tuple[int, ...]
    stack: int
    status: int  # xPSR
    control: int
    primask: int
    basepri: int
    faultmask: int


class _Group:
    """Registers of four bytes that travel together."""

    def __init__(self, uc: Any, numbers: tuple[int, ...]) -> None:
        from unicorn.unicorn_py3.unicorn import uclib

        count = len(numbers)
        # a register may be read as more bytes than it has: each gets its own eight
        self._places = bytearray(_PLACE * count)
        self._held = (ctypes.c_char * len(self._places)).from_buffer(self._places)
        start = ctypes.addressof(self._held)
        pointers = (ctypes.c_void_p * count)(*(start + _PLACE * n for n in range(count)))
        self._arguments = (uc._uch, (ctypes.c_int * count)(*numbers), pointers, count)
        self._read, self._write = uclib.uc_reg_read_batch, uclib.uc_reg_write_batch
        self._format = struct.Struct("<" + "I4x" * count)

    def read(self) -> tuple[int, ...]:
        self._read(*self._arguments)
        return self._format.unpack(self._places)

    def write(self, *values: int) -> None:
        self._format.pack_into(self._places, 0, *values)
        self._write(*self._arguments)


class Registers:
    """Those that an exception touches."""

    def __init__(self, uc: Any) -> None:
        import unicorn.arm_const as arm

        frame = (arm.UC_ARM_REG_R0, arm.UC_ARM_REG_R1, arm.UC_ARM_REG_R2, arm.UC_ARM_REG_R3,
                 arm.UC_ARM_REG_R12, arm.UC_ARM_REG_LR)  # fmt: skip
        masks = (arm.UC_ARM_REG_PRIMASK, arm.UC_ARM_REG_BASEPRI, arm.UC_ARM_REG_FAULTMASK)
        status, stack, control = arm.UC_ARM_REG_XPSR, arm.UC_ARM_REG_SP, arm.UC_ARM_REG_CONTROL
        self._all = _Group(uc, (*frame, stack, status, control, *masks))
        self._handler = _Group(uc, (status, stack, arm.UC_ARM_REG_LR))
        self._thread = _Group(uc, (status, stack, *frame))
        self._control = _Group(uc, (control,))
        self._masks = _Group(uc, masks)
        self._floats = _Group(uc, (*(arm.UC_ARM_REG_S0 + n for n in range(16)), arm.UC_ARM_REG_FPSCR))

    def state(self) -> State:
        """All of them but the floating-point ones."""
        values = self._all.read()
        *_, primask, basepri, faultmask = values
        return State(values[:6], values[6], values[7], values[8], primask & 1, basepri & 0xE0, faultmask & 1)

    def enter(self, status: int, stack: int, link: int) -> None:
        """Set xPSR, sp and lr."""
        self._handler.write(status, stack, link)

    def leave(self, status: int, stack: int, frame: tuple[int, ...]) -> None:
        """Set xPSR, sp and the stacked registers."""
        self._thread.write(status, stack, *frame)

    def set_control(self, control: int) -> None:
        """CONTROL."""
        self._control.write(control)

    def set_masks(self, primask: int, basepri: int, faultmask: int) -> None:
        """PRIMASK, BASEPRI and FAULTMASK."""
        self._masks.write(primask, basepri, faultmask)

    def floats(self) -> tuple[int, ...]:
        """s0 to s15 and FPSCR."""
        return self._floats.read()

    def set_floats(self, values: tuple[int, ...]) -> None:
        """s0 to s15 and FPSCR."""
        self._floats.write(*values)
