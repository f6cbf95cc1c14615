# SPDX-License-Identifier: Apache-2.0
"""INTERRUPT_CORE0: leads the peripherals' interrupts to the core's 31, by priority and threshold.

ESP32-C3 Technical Reference Manual v1.1, chapters 1.6 and 8.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from edgegrf.virtual.bus import Bus
from edgegrf.virtual.peripheral import Peripheral

__all__ = ["InterruptMatrix"]

ENABLE, TYPE, CLEAR, STATUS, PRIORITY, THRESHOLD = 0x104, 0x108, 0x10C, 0x110, 0x114, 0x194
_SOURCES = 62
_NUMBERS = range(1, 32)


class InterruptMatrix(Peripheral):
    """Sources are numbered as in the SVD file; `on_pending` is told whether an interrupt may be taken."""

    registers: ClassVar[Mapping[int, str]] = {
        **{4 * source: f"MAP[{source}]" for source in range(_SOURCES)},
        ENABLE: "CPU_INT_ENABLE", TYPE: "CPU_INT_TYPE", CLEAR: "CPU_INT_CLEAR", STATUS: "CPU_INT_EIP_STATUS",
        **{PRIORITY + 4 * number: f"CPU_INT_PRI_{number}" for number in range(32)},
        THRESHOLD: "CPU_INT_THRESH",
    }  # fmt: skip

    def __init__(self, bus: Bus, base: int, name: str, on_pending: Callable[[bool], None]) -> None:
        super().__init__(bus, base, name)
        self._on_pending = on_pending
        self._lines: set[int] = set()  # sources that ask
        self._latched = 0  # of the interrupts that are edges, those that came
        #: the interrupt that the core takes next, if it lets any in: highest priority, lowest number
        self.pending: int | None = None
        bus.on_interrupt = self._line

    def read(self, offset: int) -> int:
        return self._asking() if offset == STATUS else super().read(offset)

    def write(self, offset: int, value: int) -> None:
        super().write(offset, value)
        if offset == CLEAR:
            self._latched &= ~value
        self._follow()

    def _follow(self) -> None:
        """Look anew at who asks and may."""
        asking = self._asking() & self.values[ENABLE]
        able = asking and [
            number
            for number in _NUMBERS
            if asking >> number & 1 and 0 < self._priority(number) >= self.values[THRESHOLD]
        ]
        self.pending = min(able, key=lambda number: (-self._priority(number), number)) if able else None
        self._on_pending(self.pending is not None)

    def _priority(self, number: int) -> int:
        return self.values[PRIORITY + 4 * number] & 0xF

    def _asking(self) -> int:
        bits = 0
        for source in self._lines:
            bits |= 1 << (self.values[4 * source] & 31)
        return bits & ~self.values[TYPE] | self._latched & self.values[TYPE]

    def _line(self, source: int, level: bool) -> None:
        if level:
            self._lines.add(source)
            self._latched |= 1 << (self.values[4 * source] & 31)
        else:
            self._lines.discard(source)
        self._follow()
