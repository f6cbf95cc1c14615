# SPDX-License-Identifier: Apache-2.0
"""WDT: resets the chip unless it is told in time that all is well; may pause while the core sleeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from edgegrf.virtual.bus import Bus, UnmodelledError
from edgegrf.virtual.nrf52.peripheral import NordicPeripheral

__all__ = ["Wdt"]

RUNSTATUS, REQSTATUS, CRV, RREN, CONFIG, RR0 = 0x400, 0x404, 0x504, 0x508, 0x50C, 0x600
_RELOAD = 0x6E52_4635
_CYCLES_PER_TICK = 64_000_000 / 32_768
_RUN_IN_SLEEP = 1 << 0
#: from TIMEOUT to the reset: two ticks
_GRACE = round(2 * _CYCLES_PER_TICK)


class Wdt(NordicPeripheral):
    """`awake` tells the core's active cycles; `bite` resets the chip.  What was started goes on in `kept`
    over a reset by software; `look` must be called now and then while the core runs.
    """

    registers: ClassVar[Mapping[int, str]] = {
        RUNSTATUS: "RUNSTATUS", REQSTATUS: "REQSTATUS", RREN: "RREN", CONFIG: "CONFIG",
        **{RR0 + 4 * n: f"RR[{n}]" for n in range(8)},
    }  # fmt: skip
    resets: ClassVar[Mapping[int, int]] = {CRV: 0xFFFF_FFFF, RREN: 1, CONFIG: 1, REQSTATUS: 1}
    events: ClassVar[Mapping[str, int]] = {"TIMEOUT": 0x100}

    def __init__(
        self,
        bus: Bus,
        base: int,
        name: str,
        kept: dict[int, int],
        *,
        awake: Callable[[], int],
        bite: Callable[[], None],
    ) -> None:
        super().__init__(bus, base, name)
        self._kept, self._awake, self._bite = kept, awake, bite
        self.values.update(kept)
        self._bitten = False
        self._due = 0
        self.tasks = {0x000: self._start}
        if self._running:
            self._reload()

    def write(self, offset: int, value: int) -> None:
        if offset in (RUNSTATUS, REQSTATUS):
            raise UnmodelledError
        if offset in (CRV, RREN, CONFIG):
            if not self._running:  # a running watchdog keeps what it was started with
                super().write(offset, value)
        elif RR0 <= offset < RR0 + 32:
            self._request((offset - RR0) // 4, value)
        else:
            super().write(offset, value)

    def look(self) -> None:
        """Bite if it is time."""
        if self._running and not self._bitten and self._now() >= self._due:
            self._bitten = True
            self.fire("TIMEOUT")
            self.bus.at(self.bus.time + _GRACE, self._bite)

    @property
    def _running(self) -> bool:
        return bool(self.values[RUNSTATUS])

    def _now(self) -> int:
        return self.bus.time if self.values[CONFIG] & _RUN_IN_SLEEP else self._awake()

    def _start(self) -> None:
        self.values[RUNSTATUS] = 1
        self._kept.update({place: self.values[place] for place in (RUNSTATUS, CRV, RREN, CONFIG)})
        self._reload()

    def _request(self, number: int, value: int) -> None:
        if value == _RELOAD and self._running:
            self.values[REQSTATUS] &= ~(1 << number)
            if not self.values[REQSTATUS] & self.values[RREN]:
                self._reload()

    def _reload(self) -> None:
        self.values[REQSTATUS] = self.values[RREN]
        self._due = self._now() + round((self.values[CRV] + 1) * _CYCLES_PER_TICK)
        if self.values[CONFIG] & _RUN_IN_SLEEP:
            self.bus.at(self._due, self.look)
