# SPDX-License-Identifier: Apache-2.0
"""The functions of the ROM that firmware calls: writing analogue registers, the cache's rest, and the flash.

Each entry of the ROM's table jumps to a stub that tells this module which function it is by writing a control
register of no real core, passes as much time as the function takes, and returns.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

from edgegrf.virtual.riscv.core import Core
from edgegrf.virtual.supply import Supply

__all__ = ["CALL", "Rom"]

#: the control register that a stub writes its number to
CALL = 0x7F0
_STUBS, _STUB_BYTES = 0x1000, 16
_A0, _A1, _A2, _T0 = 10, 11, 12, 5
_CYCLES_PER_TURN = 4
_SECTOR = 4096
#: what a flash takes: to erase a sector, to program a word
_ERASE_SECONDS, _WORD_SECONDS = 0.045, 10e-6
_FAILED = 1


class Rom:
    """Fills the ROM's memory with stubs; `flash` is what they change, which the power may fail in."""

    def __init__(self, core: Core, memory: memoryview, flash: memoryview, supply: Supply, hz: int) -> None:
        self._core, self._flash, self._supply, self._hz = core, flash, supply, hz
        self._functions: tuple[tuple[int, Callable[[], float]], ...] = (
            (0x195C, self._nothing), (0x1960, self._nothing),  # rom_i2c_writeReg and its _Mask
            (0x0524, self._nothing), (0x0528, self._nothing),  # Cache_Suspend_ICache, Cache_Resume_ICache
            (0x0140, self._nothing),  # esp_rom_spiflash_unlock
            (0x0128, self._erase), (0x012C, self._write), (0x0130, self._read),  # esp_rom_spiflash_...
        )  # fmt: skip
        for number, (entry, _) in enumerate(self._functions):
            stub = _STUBS + number * _STUB_BYTES
            memory[entry : entry + 4] = _jump(stub - entry)
            memory[stub : stub + _STUB_BYTES] = _stub(number)

    def call(self, number: int) -> None:
        """Do what function `number` does, and have its stub take the time."""
        seconds = self._functions[number][1]()
        self._core.set_register(_T0, 1 + round(seconds * self._hz / _CYCLES_PER_TURN))

    def _nothing(self) -> float:
        self._core.set_register(_A0, 0)
        return 0.0

    def _erase(self) -> float:
        start = self._core.register(_A0) * _SECTOR
        if start + _SECTOR > len(self._flash):
            return self._refuse()
        if self._supply.use():  # in the middle: anything
            self._flash[start : start + _SECTOR] = random.Random(start).randbytes(_SECTOR)
            self._core.stop()
        else:
            self._flash[start : start + _SECTOR] = b"\xff" * _SECTOR
        self._core.set_register(_A0, 0)
        return _ERASE_SECONDS

    def _write(self) -> float:
        address, data, size = self._arguments()
        if address + size > len(self._flash) or address % 4 or size % 4:
            return self._refuse()
        for place in range(0, size, 4):
            word = self._core.load(data + place, 4)
            failed = self._supply.use()
            if failed:
                word = random.Random(address + place).randbytes(4)
            at = slice(address + place, address + place + 4)
            self._flash[at] = bytes(old & new for old, new in zip(self._flash[at], word, strict=True))
            if failed:
                self._core.stop()
                break
        self._core.set_register(_A0, 0)
        return size // 4 * _WORD_SECONDS

    def _read(self) -> float:
        address, to, size = self._arguments()
        if address + size > len(self._flash) or address % 4:
            return self._refuse()
        self._core.store(to, bytes(self._flash[address : address + size]))
        self._core.set_register(_A0, 0)
        return 0.0

    def _refuse(self) -> float:
        self._core.set_register(_A0, _FAILED)
        return 0.0

    def _arguments(self) -> tuple[int, int, int]:
        return self._core.register(_A0), self._core.register(_A1), self._core.register(_A2)


def _jump(distance: int) -> bytes:
    """JAL x0, distance (unprivileged manual, 2.5)."""
    bits = distance >> 20 & 1, distance >> 1 & 0x3FF, distance >> 11 & 1, distance >> 12 & 0xFF
    return struct.pack("<I", bits[0] << 31 | bits[1] << 21 | bits[2] << 20 | bits[3] << 12 | 0x6F)


def _stub(number: int) -> bytes:
    """CSRWI CALL, number; 1: ADDI t0, t0, -1; BNEZ t0, 1b; RET."""
    return struct.pack("<4I", CALL << 20 | number << 15 | 0x5073, 0xFFF2_8293, 0xFE02_9EE3, 0x0000_8067)
