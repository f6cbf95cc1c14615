# SPDX-License-Identifier: Apache-2.0
"""What all nRF52 peripherals have in common: tasks, events, shortcuts and the interrupt enable.

nRF52840 Product Specification v1.7, "Peripheral interface": tasks at 0x000-0x0FC, events at
0x100-0x1FC, SHORTS at 0x200, INTEN/INTENSET/INTENCLR at 0x300-0x308.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from edgegrf.virtual.bus import Bus
from edgegrf.virtual.peripheral import Peripheral

__all__ = ["NordicPeripheral"]

EVENTS = 0x100
SHORTS = 0x200
INTEN, INTENSET, INTENCLR = 0x300, 0x304, 0x308


class NordicPeripheral(Peripheral):
    """Tasks start things, events say that they happened; both are registers.

    `events` maps a name to its offset; `shorts` lists (bit, event, task offset); `tasks`, filled by the
    subclass, maps an offset to what it starts.
    """

    events: ClassVar[Mapping[str, int]] = {}
    shorts: ClassVar[tuple[tuple[int, str, int], ...]] = ()

    def __init__(self, bus: Bus, base: int, name: str) -> None:
        super().__init__(bus, base, name)
        self.tasks: dict[int, Callable[[], None]] = {}
        self.interrupt = (base >> 12) & 0x3F  # the peripheral's ID is its interrupt number
        self._enabled = 0  # one bit per event, as INTEN numbers them
        self._happened = 0
        self._line = False
        for offset in self.events.values():
            self.values[offset] = 0
        if self.shorts:
            self.values[SHORTS] = 0

    def read(self, offset: int) -> int:
        if offset in self.tasks:
            return 0
        if offset in (INTEN, INTENSET, INTENCLR):
            return self._enabled
        return super().read(offset)

    def write(self, offset: int, value: int) -> None:
        if offset in self.tasks:
            if value & 1:
                self.tasks[offset]()
        elif offset in (INTEN, INTENSET, INTENCLR):
            self._enable(offset, value)
        else:
            super().write(offset, value)
            if EVENTS <= offset < SHORTS:
                bit = 1 << (offset - EVENTS) // 4
                self._happened = self._happened | bit if value else self._happened & ~bit
                self._update_interrupt()

    def fire(self, event: str) -> None:
        """Latch the event, tell the PPI, run its shortcuts, raise its interrupt."""
        offset = self.events[event]
        self.values[offset] = 1
        self._happened |= 1 << (offset - EVENTS) // 4
        self._update_interrupt()
        self.bus.on_event(self.base + offset)
        if self.shorts and self.values[SHORTS]:
            for bit, source, task in self.shorts:
                if source == event and self.values[SHORTS] >> bit & 1:
                    self.tasks[task]()

    def _watched(self, event: str) -> bool:
        """True if an interrupt, a shortcut or the PPI waits for the event."""
        offset = self.events[event]
        if self._enabled >> (offset - EVENTS) // 4 & 1 or self.bus.is_led(self.base + offset):
            return True
        return any(source == event and self.values[SHORTS] >> bit & 1 for bit, source, _ in self.shorts)

    def _enable(self, offset: int, value: int) -> None:
        if offset == INTENSET:
            self._enabled |= value
        elif offset == INTENCLR:
            self._enabled &= ~value
        else:
            self._enabled = value
        self._update_interrupt()

    def _update_interrupt(self) -> None:
        line = bool(self._happened & self._enabled)
        if line != self._line:
            self._line = line
            self.bus.on_interrupt(self.interrupt, line)
