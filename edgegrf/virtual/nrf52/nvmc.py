# SPDX-License-Identifier: Apache-2.0
"""NVMC: erases pages and writes words of the flash, which stalls the core; power may be cut at any of them.

The instruction cache can be switched on; its effect on time is not modelled.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import ClassVar, Protocol

from edgegrf.virtual.bus import Bus, UnmodelledError
from edgegrf.virtual.peripheral import Peripheral
from edgegrf.virtual.supply import Supply

__all__ = ["Flash", "Nvmc"]

READY, READYNEXT, CONFIG, ERASEPAGE, ICACHECNF, IHIT, IMISS = 0x400, 0x408, 0x504, 0x508, 0x540, 0x548, 0x54C
_WRITE, _ERASE = 1, 2  # CONFIG.WEN
_PAGE, _PAGES = 4096, 256
#: cycles that the core stands still: a page is erased in 85 ms, a word written in 41 us
_ERASE_CYCLES, _WRITE_CYCLES = 5_440_000, 2_624


class Flash(Protocol):
    """The core, as far as its flash goes."""

    def read_flash(self, address: int, size: int) -> bytes: ...

    def write_flash(self, address: int, data: bytes) -> None: ...

    def spend(self, cycles: int) -> None: ...


class Nvmc(Peripheral):
    """Bits only turn from 1 to 0 but by erasing a page.  A `supply` that fails in the middle of an operation
    leaves some bits of a word, or some words of a page, changed; `power_fails` is called then."""

    registers: ClassVar[Mapping[int, str]] = {
        READY: "READY", READYNEXT: "READYNEXT", CONFIG: "CONFIG", ERASEPAGE: "ERASEPAGE",
        ICACHECNF: "ICACHECNF", IHIT: "IHIT", IMISS: "IMISS",
    }  # fmt: skip
    resets: ClassVar[Mapping[int, int]] = {READY: 1, READYNEXT: 1}

    def __init__(
        self, bus: Bus, base: int, name: str, flash: Flash, supply: Supply, power_fails: Callable[[], None]
    ) -> None:
        super().__init__(bus, base, name)
        self._flash, self._supply, self._power_fails = flash, supply, power_fails

    def write(self, offset: int, value: int) -> None:
        if offset in (READY, READYNEXT):
            raise UnmodelledError
        super().write(offset, value)
        if offset == ERASEPAGE and self.values[CONFIG] == _ERASE and not self._supply.off:
            self._erase(value)

    def program(self, address: int, data: bytes) -> bool:
        """The core stores `data` into flash; False when that is a fault."""
        if self.values[CONFIG] != _WRITE or len(data) != 4 or address % 4:
            return False
        if not self._supply.off:
            old = int.from_bytes(self._flash.read_flash(address, 4), "little")
            new = old & int.from_bytes(data, "little")
            if self._cut():
                new |= (old ^ new) & random.Random(self._supply.operations).getrandbits(32)
            self._flash.write_flash(address, new.to_bytes(4, "little"))
            self._flash.spend(_WRITE_CYCLES)
        return True

    def _erase(self, address: int) -> None:
        if address % _PAGE or address >= _PAGE * _PAGES:
            raise UnmodelledError
        if self._cut():
            chance = random.Random(self._supply.operations)
            old = self._flash.read_flash(address, _PAGE)
            words = (old[place : place + 4] for place in range(0, _PAGE, 4))
            page = b"".join(chance.choice((word, b"\xff" * 4, _half_erased(word, chance))) for word in words)
        else:
            page = b"\xff" * _PAGE
        self._flash.write_flash(address, page)
        self._flash.spend(_ERASE_CYCLES)

    def _cut(self) -> bool:
        if not self._supply.use():
            return False
        self._power_fails()
        return True


def _half_erased(word: bytes, chance: random.Random) -> bytes:
    return (int.from_bytes(word, "little") | chance.getrandbits(32)).to_bytes(4, "little")
