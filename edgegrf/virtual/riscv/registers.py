# SPDX-License-Identifier: Apache-2.0
"""The core's registers by name, read and written without the emulator's Python around its functions."""

from __future__ import annotations

import ctypes
from typing import Any

__all__ = ["Registers"]


class Registers:
    """`get` and `set` of a register as the RISC-V manual names it: PC, X10, MSTATUS; `numbers` are the
    emulator's."""

    def __init__(self, uc: Any) -> None:
        import unicorn.riscv_const as riscv
        from unicorn.unicorn_py3.unicorn import uclib

        prefix = "UC_RISCV_REG_"
        self.numbers: dict[str, int] = {
            name.removeprefix(prefix): value for name, value in vars(riscv).items() if name.startswith(prefix)
        }
        self._read, self._write, self._handle = uclib.uc_reg_read, uclib.uc_reg_write, uc._uch
        self._cell = ctypes.c_uint64()
        self._place = ctypes.byref(self._cell)

    def get(self, name: str) -> int:
        """The register's bits."""
        self._cell.value = 0
        self._read(self._handle, self.numbers[name], self._place)
        return self._cell.value & 0xFFFF_FFFF

    def set(self, name: str, value: int) -> None:
        """Write the register."""
        self._cell.value = value
        self._write(self._handle, self.numbers[name], self._place)
