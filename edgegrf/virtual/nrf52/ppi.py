# SPDX-License-Identifier: Apache-2.0
"""PPI: events trigger tasks without the core."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from edgegrf.virtual.bus import Bus
from edgegrf.virtual.peripheral import Peripheral

__all__ = ["Ppi"]

CHEN, CHENSET, CHENCLR = 0x500, 0x504, 0x508
_CHANNELS = 20  # those that software may point; the twelve above are fixed in hardware and not modelled


class Ppi(Peripheral):
    """Twenty channels, each from an event's address (EEP) to a task's (TEP) and a fork's (FORK.TEP)."""

    registers: ClassVar[Mapping[int, str]] = {
        CHEN: "CHEN",
        **{0x510 + 8 * n: f"CH[{n}].EEP" for n in range(_CHANNELS)},
        **{0x514 + 8 * n: f"CH[{n}].TEP" for n in range(_CHANNELS)},
        **{0x910 + 4 * n: f"FORK[{n}].TEP" for n in range(_CHANNELS)},
    }

    def __init__(self, bus: Bus, base: int, name: str) -> None:
        super().__init__(bus, base, name)
        self._routes: dict[int, list[int]] = {}
        bus.on_event = self._event
        bus.is_led = self._routes.__contains__

    def read(self, offset: int) -> int:
        return super().read(CHEN if offset in (CHENSET, CHENCLR) else offset)

    def write(self, offset: int, value: int) -> None:
        if offset == CHENSET:
            offset, value = CHEN, self.values[CHEN] | value
        elif offset == CHENCLR:
            offset, value = CHEN, self.values[CHEN] & ~value
        super().write(offset, value)
        self._route()

    def _route(self) -> None:
        self._routes.clear()
        for channel in range(_CHANNELS):
            if self.values[CHEN] >> channel & 1:
                tasks = self._routes.setdefault(self.values[0x510 + 8 * channel], [])
                ends = (self.values[0x514 + 8 * channel], self.values[0x910 + 4 * channel])
                tasks.extend(task for task in ends if task)

    def _event(self, address: int) -> None:
        for task in self._routes.get(address, ()):
            self.bus.task(task)
