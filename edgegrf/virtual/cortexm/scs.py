# SPDX-License-Identifier: Apache-2.0
"""The System Control Space of a Cortex-M4: interrupt controller, system control, debug monitor control.

Register addresses and behaviour: ARMv7-M Architecture Reference Manual, B3.2 to B3.4 and C1.6.
Interrupts become pending and wake the core; none is delivered (see `must_deliver`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from edgegrf.virtual.bus import Bus, UnmodelledError
from edgegrf.virtual.peripheral import Peripheral

__all__ = ["SystemControlSpace"]

ISER, ICER, ISPR, ICPR, IPR = 0x100, 0x180, 0x200, 0x280, 0x400
AIRCR, SCR, CPACR, DEMCR = 0xD0C, 0xD10, 0xD88, 0xDFC
_WORDS = 2  # the nRF52840 has 48 interrupts
_AIRCR_KEY = 0x05FA << 16
_SYSRESETREQ = 1 << 2
_SEVONPEND = 1 << 4
_SLEEPDEEP = 1 << 2
_TRCENA = 1 << 24


class SystemControlSpace(Peripheral):
    """`on_reset` is called when software asks for a reset; `event` is the core's event register."""

    registers: ClassVar[Mapping[int, str]] = {
        0x008: "ACTLR", 0xD04: "ICSR", 0xD08: "VTOR", SCR: "SCR", 0xD14: "CCR", 0xD18: "SHPR1",
        0xD1C: "SHPR2", 0xD20: "SHPR3", 0xD24: "SHCSR", 0xD28: "CFSR", 0xD2C: "HFSR", 0xD34: "MMFAR",
        0xD38: "BFAR", CPACR: "CPACR", DEMCR: "DEMCR", 0xF34: "FPCCR", 0xF38: "FPCAR", 0xF3C: "FPDSCR",
        **{IPR + 4 * n: f"IPR[{n}]" for n in range(12)},
    }  # fmt: skip
    resets: ClassVar[Mapping[int, int]] = {
        0x004: 1, 0xD00: 0x410F_C241, AIRCR: 0xFA05_0000, 0xD14: 0x200, 0xF34: 0xC000_0000,
    }  # fmt: skip

    def __init__(self, bus: Bus, base: int, name: str, on_reset: Callable[[], None]) -> None:
        super().__init__(bus, base, name)
        self.event = False
        #: called when DEMCR was written
        self.on_trace: Callable[[], None] = lambda: None
        self._on_reset = on_reset
        self._enabled = self._pending = self._lines = 0
        bus.on_interrupt = self._line

    @property
    def traced(self) -> bool:
        """DEMCR.TRCENA: the DWT runs."""
        return bool(self.values[DEMCR] & _TRCENA)

    @property
    def fpu_on(self) -> bool:
        """CPACR gives full access to coprocessors 10 and 11."""
        return self.values[CPACR] >> 20 & 0xF == 0xF

    @property
    def must_deliver(self) -> int | None:
        """The lowest interrupt that is enabled and pending: a real core would now run its handler."""
        both = self._enabled & self._pending
        return (both & -both).bit_length() - 1 if both else None

    def read(self, offset: int) -> int:
        bank, word = offset & ~0x7F, (offset & 0x7F) // 4
        if bank in (ISER, ICER, ISPR, ICPR) and word < _WORDS:
            bits = self._enabled if bank in (ISER, ICER) else self._pending
            return bits >> 32 * word & 0xFFFF_FFFF
        return super().read(offset)

    def write(self, offset: int, value: int) -> None:
        bank, word = offset & ~0x7F, (offset & 0x7F) // 4
        if bank in (ISER, ICER, ISPR, ICPR) and word < _WORDS:
            self._write_bank(bank, value << 32 * word)
        elif offset == AIRCR:
            if value & 0xFFFF_0000 == _AIRCR_KEY and value & _SYSRESETREQ:
                self._on_reset()
        elif offset == SCR and value & _SLEEPDEEP:
            raise UnmodelledError  # the nRF52 sleeps by its own POWER registers
        else:
            super().write(offset, value)
            if offset == DEMCR:
                self.on_trace()

    def _write_bank(self, bank: int, bits: int) -> None:
        if bank == ISER:
            self._enabled |= bits
            if self._enabled & self._pending:
                self.event = True
        elif bank == ICER:
            self._enabled &= ~bits
        elif bank == ISPR:
            self._pend(bits)
        else:  # a line that is still high keeps its interrupt pending
            self._pending &= ~bits | self._lines

    def _line(self, number: int, level: bool) -> None:
        if level:
            self._lines |= 1 << number
            self._pend(1 << number)
        else:
            self._lines &= ~(1 << number)

    def _pend(self, bits: int) -> None:
        """Make interrupts pending; with SEVONPEND a new one sets the event register even if disabled."""
        new = bits & ~self._pending
        self._pending |= bits
        if new and (self.values[SCR] & _SEVONPEND or new & self._enabled):
            self.event = True
