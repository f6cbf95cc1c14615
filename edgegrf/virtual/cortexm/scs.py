# SPDX-License-Identifier: Apache-2.0
"""The System Control Space of a Cortex-M4: interrupt controller, system control, debug monitor control.

Register addresses and behaviour: ARMv7-M Architecture Reference Manual, B3.2 to B3.4 and C1.6.
Exceptions are kept by number (16 + n is interrupt n), one bit each; exceptions.py takes and leaves them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from edgegrf.virtual.bus import Bus, UnmodelledError
from edgegrf.virtual.peripheral import Peripheral

__all__ = ["HARD_FAULT", "IRQ0", "NMI", "PENDSV", "SVCALL", "SystemControlSpace"]

NMI, HARD_FAULT, SVCALL, PENDSV, IRQ0 = 2, 3, 11, 14, 16

ISER, ICER, ISPR, ICPR, IABR, IPR = 0x100, 0x180, 0x200, 0x280, 0x300, 0x400
ICSR, VTOR, AIRCR, SCR, SHPR1, SHCSR = 0xD04, 0xD08, 0xD0C, 0xD10, 0xD18, 0xD24
CFSR, HFSR, MMFAR, BFAR, CPACR, DEMCR, STIR = 0xD28, 0xD2C, 0xD34, 0xD38, 0xD88, 0xDFC, 0xF00
_BANKS = (ISER, ICER, ISPR, ICPR, IABR)
_WORDS = 2  # the nRF52840 has 48 interrupts
_AIRCR_KEY = 0x05FA << 16
_SYSRESETREQ = 1 << 2
_SEVONPEND = 1 << 4
_SLEEPDEEP = 1 << 2
_TRCENA = 1 << 24
_PENDSVSET, _PENDSVCLR = 1 << 28, 1 << 27
_PRIORITY_BITS = 0xE0  # three of eight are there


class SystemControlSpace(Peripheral):
    """`on_reset` is called when software asks for a reset; `event` is the core's event register.

    `active` holds the exceptions whose handlers run or were preempted, the latest last.
    """

    registers: ClassVar[Mapping[int, str]] = {
        0x008: "ACTLR", VTOR: "VTOR", SCR: "SCR", 0xD14: "CCR", SHPR1: "SHPR1", 0xD1C: "SHPR2",
        0xD20: "SHPR3", SHCSR: "SHCSR", CFSR: "CFSR", HFSR: "HFSR", MMFAR: "MMFAR", BFAR: "BFAR",
        CPACR: "CPACR", DEMCR: "DEMCR", 0xF34: "FPCCR", 0xF38: "FPCAR", 0xF3C: "FPDSCR",
        **{IPR + 4 * n: f"IPR[{n}]" for n in range(12)},
    }  # fmt: skip
    resets: ClassVar[Mapping[int, int]] = {
        0x004: 1, 0xD00: 0x410F_C241, AIRCR: 0xFA05_0000, 0xD14: 0x200, 0xF34: 0xC000_0000,
    }  # fmt: skip

    def __init__(self, bus: Bus, base: int, name: str, on_reset: Callable[[], None]) -> None:
        super().__init__(bus, base, name)
        self.event = False
        self.active: list[int] = []
        #: called when DEMCR was written
        self.on_trace: Callable[[], None] = lambda: None
        #: called when an exception that was not ready became so
        self.on_ready: Callable[[], None] = lambda: None
        self._on_reset = on_reset
        self._enabled = (1 << IRQ0) - 1
        self._pending = self._lines = 0
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
    def listening(self) -> bool:
        """True when any interrupt is enabled."""
        return self._enabled >> IRQ0 != 0

    def ready(self) -> int | None:
        """The exception that is enabled and pending with the highest priority, the lowest number first."""
        both = self._enabled & self._pending
        if not both:
            return None
        if both & (both - 1) == 0:
            return both.bit_length() - 1
        numbers = [number for number in range(both.bit_length()) if both >> number & 1]
        return min(numbers, key=lambda number: (self.priority(number), number))

    def priority(self, number: int) -> int:
        """What an exception is set to: lower runs first; HardFault has -1, NMI -2."""
        if number < 4:
            return number - 4
        place = SHPR1 + number - 4 if number < IRQ0 else IPR + number - IRQ0
        return self.values[place & ~3] >> 8 * (place & 3) & _PRIORITY_BITS

    def take(self, number: int) -> None:
        """The exception's handler begins."""
        self._pending &= ~(1 << number)
        self.active.append(number)
        self.event = True

    def leave(self, number: int) -> None:
        """The exception's handler returned; a line that is still high makes it pending again."""
        self.active.remove(number)
        self._pending |= self._lines & 1 << number
        self.event = True

    def read(self, offset: int) -> int:
        bank, word = offset & ~0x7F, (offset & 0x7F) // 4
        if bank in _BANKS and word < _WORDS:
            active = sum(1 << number for number in self.active)
            bits = {ISER: self._enabled, ICER: self._enabled, IABR: active}.get(bank, self._pending)
            return bits >> IRQ0 >> 32 * word & 0xFFFF_FFFF
        if offset == ICSR:
            pendsv = _PENDSVSET if self._pending >> PENDSV & 1 else 0
            return pendsv | (self.ready() or 0) << 12 | (self.active[-1] if self.active else 0)
        return super().read(offset)

    def write(self, offset: int, value: int) -> None:
        bank, word = offset & ~0x7F, (offset & 0x7F) // 4
        if bank in _BANKS and word < _WORDS:
            self._write_bank(bank, value << 32 * word << IRQ0)
        elif offset == AIRCR:
            if value & 0xFFFF_0000 == _AIRCR_KEY and value & _SYSRESETREQ:
                self._on_reset()
        elif offset == ICSR:
            self._pending &= ~(1 << PENDSV if value & _PENDSVCLR else 0)
            self.pend(1 << PENDSV if value & _PENDSVSET else 0)
        elif offset == STIR:
            self.pend(1 << IRQ0 + (value & 0x1FF))
        elif offset == SCR and value & _SLEEPDEEP:
            raise UnmodelledError  # the nRF52 sleeps by its own POWER registers
        else:  # the fault status words are cleared by writing ones
            super().write(offset, self.values[offset] & ~value if offset in (CFSR, HFSR) else value)
            if offset == DEMCR:
                self.on_trace()

    def pend(self, bits: int) -> None:
        """Make exceptions pending; with SEVONPEND a new one sets the event register even if disabled."""
        new = bits & ~self._pending
        self._pending |= bits
        if new and (self.values[SCR] & _SEVONPEND or new & self._enabled):
            self.event = True
        if new & self._enabled:
            self.on_ready()

    def _write_bank(self, bank: int, bits: int) -> None:
        if bank == ISER:
            self._enabled |= bits
            if self._enabled & self._pending & bits:
                self.event = True
                self.on_ready()
        elif bank == ICER:
            self._enabled &= ~bits
        elif bank == ISPR:
            self.pend(bits)
        elif bank == ICPR:  # a line that is still high keeps its interrupt pending
            self._pending &= ~bits | self._lines
        else:
            raise UnmodelledError

    def _line(self, number: int, level: bool) -> None:
        bit = 1 << IRQ0 + number
        if level:
            self._lines |= bit
            self.pend(bit)
        else:
            self._lines &= ~bit
