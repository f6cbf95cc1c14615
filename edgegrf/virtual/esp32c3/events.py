# SPDX-License-Identifier: Apache-2.0
"""What Espressif's peripherals have in common: raw interrupt bits, their mask, and the line that follows."""

from __future__ import annotations

from edgegrf.virtual.bus import Bus
from edgegrf.virtual.peripheral import Peripheral

__all__ = ["EventPeripheral"]


class EventPeripheral(Peripheral):
    """Four registers RAW, STATUS, ENABLE and CLEAR at `events`, leading bit n to source `sources[n]`, or all
    to the one source there is."""

    events: tuple[int, int, int, int]
    sources: tuple[int, ...]

    def __init__(self, bus: Bus, base: int, name: str) -> None:
        super().__init__(bus, base, name)
        raw, status, enable, clear = self.events
        self.values.update(dict.fromkeys((raw, status, enable, clear), 0))
        self._asking = 0
        self._raised: set[int] = set()

    def read(self, offset: int) -> int:
        raw, status, enable, _ = self.events
        if offset == status:
            return self.values[raw] & self.values[enable]
        return super().read(offset)

    def write(self, offset: int, value: int) -> None:
        raw, _, enable, clear = self.events
        if offset == clear:
            self.values[raw] &= ~value
            self.values[raw] |= self.level()
        elif offset != raw:
            super().write(offset, value)
        if offset in (raw, enable, clear):
            self._follow()

    def fire(self, bits: int) -> None:
        """Latch raw interrupt bits."""
        self.values[self.events[0]] |= bits
        self._follow()

    def level(self) -> int:
        """The bits whose reason holds still: they come again when they are cleared."""
        return 0

    def _follow(self) -> None:
        raw, _, enable, _ = self.events
        asking = self.values[raw] & self.values[enable]
        if asking == self._asking:
            return
        self._asking = asking
        if len(self.sources) == 1:
            wanted = {self.sources[0]} if asking else set()
        else:
            wanted = {source for bit, source in enumerate(self.sources) if asking >> bit & 1}
        for source in self._raised ^ wanted:
            self.bus.on_interrupt(source, source in wanted)
        self._raised = wanted
