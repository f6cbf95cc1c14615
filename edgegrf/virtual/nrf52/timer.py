# SPDX-License-Identifier: Apache-2.0
"""TIMER: counts the 16 MHz clock divided by 2**PRESCALER, or the COUNT tasks it is given."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from edgegrf.virtual.bus import Alarm, Bus
from edgegrf.virtual.nrf52.peripheral import NordicPeripheral

__all__ = ["Timer"]

START, STOP, COUNT, CLEAR, SHUTDOWN, CAPTURE0 = 0x000, 0x004, 0x008, 0x00C, 0x010, 0x040
COMPARE0, MODE, BITMODE, PRESCALER, CC0 = 0x140, 0x504, 0x508, 0x510, 0x540
_BITS = (16, 8, 24, 32)  # by BITMODE
_CYCLES_PER_TICK = 4  # the core's 64 MHz against the timer's 16 MHz
_COMPARES = 6


class Timer(NordicPeripheral):
    """One TIMER with six CC registers (TIMER0-2 of the chip have four).

    A CC register gives compare events once software has written it; one that only ever captured does not,
    so that a timer that is only read never wakes the board.
    """

    registers: ClassVar[Mapping[int, str]] = {
        MODE: "MODE", BITMODE: "BITMODE", PRESCALER: "PRESCALER",
        **{CC0 + 4 * n: f"CC[{n}]" for n in range(_COMPARES)},
    }  # fmt: skip
    resets: ClassVar[Mapping[int, int]] = {PRESCALER: 4}
    events: ClassVar[Mapping[str, int]] = {f"COMPARE[{n}]": COMPARE0 + 4 * n for n in range(_COMPARES)}
    shorts: ClassVar[tuple[tuple[int, str, int], ...]] = (
        *((n, f"COMPARE[{n}]", CLEAR) for n in range(_COMPARES)),
        *((8 + n, f"COMPARE[{n}]", STOP) for n in range(_COMPARES)),
    )

    def __init__(self, bus: Bus, base: int, name: str) -> None:
        super().__init__(bus, base, name)
        self._running = False
        self._held = 0  # the count when the timer last started, stopped or counted
        self._since = 0  # when that was, in core cycles
        self._alarm: Alarm | None = None
        self._armed: set[int] = set()
        self.tasks = {
            START: self._start, STOP: self._stop, COUNT: self._count, CLEAR: self._clear,
            SHUTDOWN: self._shutdown,
            **{CAPTURE0 + 4 * n: partial(self._capture, n) for n in range(_COMPARES)},
        }  # fmt: skip

    @property
    def count(self) -> int:
        """The counter now."""
        ticks = (self.bus.time - self._since) // self._tick if self._ticking else 0
        return (self._held + ticks) % self._modulus

    def write(self, offset: int, value: int) -> None:
        if offset in (MODE, BITMODE, PRESCALER):
            self._hold()
        super().write(offset, value)
        if offset >= CC0:
            self._armed.add((offset - CC0) // 4)
        if offset >= MODE:
            self._plan()

    @property
    def _ticking(self) -> bool:
        return self._running and self.values[MODE] == 0

    @property
    def _tick(self) -> int:
        return _CYCLES_PER_TICK << min(self.values[PRESCALER] & 0xF, 9)

    @property
    def _modulus(self) -> int:
        return 1 << _BITS[self.values[BITMODE] & 3]

    def _hold(self) -> None:
        """Fix the count at what it is now, keeping the fraction of a tick that has passed."""
        count = self.count
        part = (self.bus.time - self._since) % self._tick if self._ticking else 0
        self._held, self._since = count, self.bus.time - part

    def _start(self) -> None:
        if not self._running:
            self._running, self._since = True, self.bus.time
        self._plan()

    def _stop(self) -> None:
        self._hold()
        self._running = False
        self._plan()

    def _shutdown(self) -> None:
        self._stop()
        self._clear()

    def _clear(self) -> None:
        self._held, self._since = 0, self.bus.time
        self._plan()

    def _count(self) -> None:
        if self._running and self.values[MODE]:
            self._held = (self._held + 1) % self._modulus
            self._compare()

    def _capture(self, index: int) -> None:
        self.values[CC0 + 4 * index] = self.count
        self._plan()

    def _compare(self) -> None:
        if not self._armed:
            return
        count = self.count
        for index in sorted(self._armed):
            if self.values[CC0 + 4 * index] % self._modulus == count:
                self.fire(f"COMPARE[{index}]")

    def _plan(self) -> None:
        """Set the alarm for the next count that a CC register holds."""
        if self._alarm:
            self._alarm.cancel()
            self._alarm = None
        if self._ticking and self._armed:
            count = self.count
            wait = min((self.values[CC0 + 4 * n] - count - 1) % self._modulus + 1 for n in self._armed)
            elapsed = (self.bus.time - self._since) // self._tick
            self._alarm = self.bus.at(self._since + (elapsed + wait) * self._tick, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._compare()
        self._plan()
