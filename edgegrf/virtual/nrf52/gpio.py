# SPDX-License-Identifier: Apache-2.0
"""GPIO: both ports of the nRF52840 on one page; an insole's rows see what is driven, inputs see nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from edgegrf.virtual.bus import Bus
from edgegrf.virtual.insole import Drive
from edgegrf.virtual.peripheral import Peripheral

__all__ = ["Gpio"]

OUT, OUTSET, OUTCLR, IN, DIR, DIRSET, DIRCLR = 0x504, 0x508, 0x50C, 0x510, 0x514, 0x518, 0x51C
_PORTS = (0x000, 0x300)


class Gpio(Peripheral):
    """P0 and P1; an output pin reads back what it drives."""

    registers: ClassVar[Mapping[int, str]] = {
        port + offset: name
        for port in _PORTS
        for offset, name in {
            OUT: "OUT", OUTSET: "OUTSET", OUTCLR: "OUTCLR", IN: "IN", DIR: "DIR", DIRSET: "DIRSET",
            DIRCLR: "DIRCLR", 0x520: "LATCH", 0x524: "DETECTMODE",
            **{0x700 + 4 * pin: f"PIN_CNF[{pin}]" for pin in range(32)},
        }.items()
    }  # fmt: skip

    def __init__(self, bus: Bus, base: int, name: str) -> None:
        super().__init__(bus, base, name)
        self.drive = Drive()

    def read(self, offset: int) -> int:
        port, register = _split(offset)
        if register == IN:
            return self.values[port + OUT] & self.values[port + DIR]
        aliases = {OUTSET: OUT, OUTCLR: OUT, DIRSET: DIR, DIRCLR: DIR}
        return super().read(port + aliases.get(register, register))

    def write(self, offset: int, value: int) -> None:
        port, register = _split(offset)
        if register in (OUTSET, DIRSET):
            register -= 4 if register == OUTSET else DIRSET - DIR
            value |= self.values[port + register]
        elif register in (OUTCLR, DIRCLR):
            register -= OUTCLR - OUT
            value = self.values[port + register] & ~value
        elif 0x700 <= register < 0x780:
            self._configure(port, (register - 0x700) // 4, value)
        super().write(port + register, value)
        first, second = (self.values[port + OUT] & self.values[port + DIR] for port in _PORTS)
        self.drive.change(first | second << 32, self.bus.time)

    def _configure(self, port: int, pin: int, value: int) -> None:
        direction = self.values[port + DIR] & ~(1 << pin)
        self.values[port + DIR] = direction | (value & 1) << pin


def _split(offset: int) -> tuple[int, int]:
    port = _PORTS[1] if offset >= 0x800 else _PORTS[0]
    return port, offset - port
