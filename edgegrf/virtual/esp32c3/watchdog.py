# SPDX-License-Identifier: Apache-2.0
"""A watchdog of Espressif's kind: four stages, one after the other, until it is fed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgegrf.virtual.bus import Alarm, Bus

__all__ = ["KEY", "Stages"]

#: what a watchdog's registers are unlocked with
KEY = 0x50D8_3AA1
#: actions of a stage from which on the chip starts over: 2 the core, 3 the system, 4 also the RTC
_RESETS = 2


class Stages:
    """Calls `reset` when a stage that resets has passed unfed; a stage of action 0 or 1 only passes."""

    def __init__(self, bus: Bus, reset: Callable[[], None]) -> None:
        self._bus, self._reset = bus, reset
        self._alarm: Alarm | None = None

    def feed(self, holds: Sequence[int], actions: Sequence[int]) -> None:
        """Start over with stages of `holds` ticks of the bus and their `actions`."""
        if self._alarm:
            self._alarm.cancel()
            self._alarm = None
        wait = 0
        for hold, action in zip(holds, actions, strict=True):
            wait += hold
            if action >= _RESETS:
                self._alarm = self._bus.at(self._bus.time + wait, self._reset)
                return
