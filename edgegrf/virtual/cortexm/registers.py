# SPDX-License-Identifier: Apache-2.0
"""The core's registers as an exception stacks them, read and written in one call each."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from typing import Any

__all__ = ["FPCA", "SPSEL", "Registers"]

#: CONTROL: floating-point state is live; the process stack is in use
FPCA, SPSEL = 1 << 2, 1 << 1


class _Group:
    """Registers of four bytes that travel together."""

    def __init__(self, uc: Any, numbers: Iterable[int]) -> None:
        from unicorn.unicorn_py3.unicorn import uclib

        numbers = tuple(numbers)
        self.count = len(numbers)
        # a register may be read as more bytes than it has: each gets its own eight
        self._places = (ctypes.c_uint64 * self.count)()
        start, size = ctypes.addressof(self._places), ctypes.sizeof(ctypes.c_uint64)
        pointers = (ctypes.c_void_p * self.count)(*(start + size * n for n in range(self.count)))
        self._arguments = (uc._uch, (ctypes.c_int * self.count)(*numbers), pointers, self.count)
        self._read, self._write = uclib.uc_reg_read_batch, uclib.uc_reg_write_batch

    def read(self) -> list[int]:
        self._read(*self._arguments)
        return [value & 0xFFFF_FFFF for value in self._places]

    def write(self, values: Iterable[int]) -> None:
        self._places[:] = list(values)
        self._write(*self._arguments)


class Registers:
    """Those that an exception touches; `masks` are PRIMASK, BASEPRI and FAULTMASK."""

    def __init__(self, uc: Any) -> None:
        import unicorn.arm_const as arm

        self._uc = uc
        low = (arm.UC_ARM_REG_R0, arm.UC_ARM_REG_R1, arm.UC_ARM_REG_R2, arm.UC_ARM_REG_R3)
        self._frame = _Group(uc, (*low, arm.UC_ARM_REG_R12, arm.UC_ARM_REG_LR))
        self._floats = _Group(uc, (*(arm.UC_ARM_REG_S0 + n for n in range(16)), arm.UC_ARM_REG_FPSCR))
        self._masks = _Group(uc, (arm.UC_ARM_REG_PRIMASK, arm.UC_ARM_REG_BASEPRI, arm.UC_ARM_REG_FAULTMASK))
        self._state = _Group(uc, (arm.UC_ARM_REG_SP, arm.UC_ARM_REG_XPSR, arm.UC_ARM_REG_CONTROL))
        self._numbers = arm

    def frame(self) -> list[int]:
        """r0 to r3, r12 and lr."""
        return self._frame.read()

    def set_frame(self, values: Iterable[int]) -> None:
        """r0 to r3, r12 and lr."""
        self._frame.write(values)

    def floats(self) -> list[int]:
        """s0 to s15 and FPSCR."""
        return self._floats.read()

    def set_floats(self, values: Iterable[int]) -> None:
        """s0 to s15 and FPSCR."""
        self._floats.write(values)

    def masks(self) -> tuple[int, int, int]:
        """PRIMASK, BASEPRI and FAULTMASK."""
        primask, basepri, faultmask = self._masks.read()
        return primask & 1, basepri & 0xFF, faultmask & 1

    def state(self) -> tuple[int, int, int]:
        """sp, xPSR and CONTROL."""
        stack, status, control = self._state.read()
        return stack, status, control

    def set_stack_and_status(self, stack: int, status: int) -> None:
        """sp and xPSR."""
        self._uc.reg_write(self._numbers.UC_ARM_REG_XPSR, status)
        self._uc.reg_write(self._numbers.UC_ARM_REG_SP, stack)

    def set_control(self, control: int) -> None:
        """CONTROL."""
        self._uc.reg_write(self._numbers.UC_ARM_REG_CONTROL, control)

    def set_link(self, value: int) -> None:
        """lr."""
        self._uc.reg_write(self._numbers.UC_ARM_REG_LR, value)

    def unmask(self) -> None:
        """PRIMASK, BASEPRI and FAULTMASK to 0, as after a reset."""
        self._masks.write((0, 0, 0))

    def clear_fault_mask(self) -> None:
        """FAULTMASK to 0, as the return from an exception does."""
        self._uc.reg_write(self._numbers.UC_ARM_REG_FAULTMASK, 0)
