# SPDX-License-Identifier: Apache-2.0
"""SYSTIMER, 16 MHz for ever, and the timer groups: a general timer and a watchdog each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar

from edgegrf.virtual.bus import Alarm, Bus
from edgegrf.virtual.esp32c3.events import EventPeripheral
from edgegrf.virtual.esp32c3.watchdog import KEY, Stages

__all__ = ["Systimer", "TimerGroup"]

CONF, OP, VALUE_HI, VALUE_LO = 0x00, 0x04, 0x40, 0x44
TARGET_HI, TARGET_LO, TARGET_CONF, COMP_LOAD = 0x1C, 0x20, 0x34, 0x50
ENABLE, RAW, CLEAR, STATUS = 0x64, 0x68, 0x6C, 0x70
_TARGETS = range(3)
_SYSTIMER_HZ = 16_000_000
_UPDATE, _VALID = 1 << 30, 1 << 29
_PERIODIC, _PERIOD = 1 << 30, (1 << 26) - 1
_WORKS = (1 << 24, 1 << 23, 1 << 22)  # of targets 0, 1, 2 in CONF

T0_CONFIG, T0_LO, T0_HI, T0_UPDATE, T0_ALARM_LO, T0_ALARM_HI = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14
T0_LOAD_LO, T0_LOAD_HI, T0_LOAD = 0x18, 0x1C, 0x20
T0_ENABLE, T0_RAW, T0_STATUS, T0_CLEAR = 0x70, 0x74, 0x78, 0x7C
_T0_ON, _T0_UP, _T0_RELOADS, _T0_ALARM, _T0_XTAL = 1 << 31, 1 << 30, 1 << 29, 1 << 10, 1 << 9
WDT_CONFIG0, WDT_CONFIG1, WDT_HOLD, WDT_FEED, WDT_PROTECT = 0x48, 0x4C, 0x50, 0x60, 0x64
_WDT_ON, _WDT_FLASH_BOOT, _WDT_XTAL = 1 << 31, 1 << 14, 1 << 21
_APB_HZ, _XTAL_HZ = 80_000_000, 40_000_000


class Systimer(EventPeripheral):
    """Unit 0 and the three targets on it; unit 1 is not modelled.  `tick_hz` is the bus's."""

    registers: ClassVar[Mapping[int, str]] = {
        CONF: "CONF", OP: "UNIT0_OP", VALUE_HI: "UNIT0_VALUE_HI", VALUE_LO: "UNIT0_VALUE_LO",
        **{TARGET_HI + 8 * n: f"TARGET{n}_HI" for n in _TARGETS},
        **{TARGET_LO + 8 * n: f"TARGET{n}_LO" for n in _TARGETS},
        **{TARGET_CONF + 4 * n: f"TARGET{n}_CONF" for n in _TARGETS},
        **{COMP_LOAD + 4 * n: f"COMP{n}_LOAD" for n in _TARGETS},
    }  # fmt: skip
    resets: ClassVar[Mapping[int, int]] = {CONF: 0x4600_0000}
    events = (RAW, STATUS, ENABLE, CLEAR)
    sources = (37, 38, 39)

    def __init__(self, bus: Bus, base: int, name: str, tick_hz: int) -> None:
        super().__init__(bus, base, name)
        self._ratio = tick_hz // _SYSTIMER_HZ
        self._alarms: dict[int, Alarm] = {}

    @property
    def count(self) -> int:
        """Unit 0 now."""
        return self.bus.time // self._ratio

    def write(self, offset: int, value: int) -> None:
        before = self.values.get(CONF, 0)
        super().write(offset, value)
        if offset == OP and value & _UPDATE:
            self.values[VALUE_LO], self.values[VALUE_HI] = self.count & 0xFFFF_FFFF, self.count >> 32
            self.values[OP] = _VALID
        elif offset == CONF:
            for number in _TARGETS:
                if (before ^ value) & _WORKS[number]:
                    self._arm(number)
        elif COMP_LOAD <= offset < COMP_LOAD + 12:
            self._arm((offset - COMP_LOAD) // 4)

    def _arm(self, number: int) -> None:
        alarm = self._alarms.pop(number, None)
        if alarm:
            alarm.cancel()
        if not self.values[CONF] & _WORKS[number]:
            return
        conf = self.values[TARGET_CONF + 4 * number]
        if conf & _PERIODIC:
            at = self.count + max(conf & _PERIOD, 1)
        else:
            at = self.values[TARGET_HI + 8 * number] << 32 | self.values[TARGET_LO + 8 * number]
        self._alarms[number] = self.bus.at(at * self._ratio, partial(self._reached, number))

    def _reached(self, number: int) -> None:
        del self._alarms[number]
        self.fire(1 << number)
        if self.values[TARGET_CONF + 4 * number] & _PERIODIC:
            self._arm(number)


class TimerGroup(EventPeripheral):
    """A group's general timer, counting up, and its watchdog.

    `source` is the timer's interrupt; `reset` is called when the watchdog bites; `guards` says whether it
    runs from the reset on, as group 0's does where the chip boots from flash.
    """

    registers: ClassVar[Mapping[int, str]] = {
        T0_CONFIG: "T0CONFIG", T0_LO: "T0LO", T0_HI: "T0HI", T0_UPDATE: "T0UPDATE", T0_ALARM_LO: "T0ALARMLO",
        T0_ALARM_HI: "T0ALARMHI", T0_LOAD_LO: "T0LOADLO", T0_LOAD_HI: "T0LOADHI", T0_LOAD: "T0LOAD",
        WDT_CONFIG0: "WDTCONFIG0", WDT_CONFIG1: "WDTCONFIG1",
        **{WDT_HOLD + 4 * n: f"WDTCONFIG{n + 2}" for n in range(4)},
        WDT_FEED: "WDTFEED", WDT_PROTECT: "WDTWPROTECT", 0xFC: "REGCLK",
    }  # fmt: skip
    resets: ClassVar[Mapping[int, int]] = {
        T0_CONFIG: 0x6000_2000,
        WDT_CONFIG0: 0x4_C000, WDT_CONFIG1: 0x1_0000, WDT_HOLD: 26_000_000, WDT_HOLD + 4: 0x7FF_FFFF,
        WDT_HOLD + 8: 0xF_FFFF, WDT_HOLD + 12: 0xF_FFFF, WDT_PROTECT: KEY, 0xFC: 0x6000_0000,
    }  # fmt: skip
    events = (T0_RAW, T0_STATUS, T0_ENABLE, T0_CLEAR)

    def __init__(
        self, bus: Bus, base: int, name: str, source: int, reset: Callable[[], None], tick_hz: int, *,
        guards: bool,
    ) -> None:  # fmt: skip
        self.sources = (source,)
        super().__init__(bus, base, name)
        if not guards:
            self.values[WDT_CONFIG0] &= ~_WDT_FLASH_BOOT
        self._tick_hz = tick_hz
        self._count = self._since = 0  # of the general timer, and when it was that
        self._alarm: Alarm | None = None
        self._stages = Stages(bus, reset)
        self._feed()

    def write(self, offset: int, value: int) -> None:
        if WDT_CONFIG0 <= offset < WDT_PROTECT and self.values[WDT_PROTECT] != KEY:
            return  # locked
        if offset == T0_CONFIG:
            self._hold()
        super().write(offset, value)
        if offset == T0_LOAD:
            self._load()
        elif offset == T0_UPDATE:
            count = self._now()
            self.values[T0_LO], self.values[T0_HI] = count & 0xFFFF_FFFF, count >> 32
        if offset <= T0_LOAD:
            self._plan()
        elif WDT_CONFIG0 <= offset < WDT_PROTECT:
            self._feed()

    def _ticks(self) -> int:
        """Of the bus, for one of the general timer."""
        config = self.values[T0_CONFIG]
        return max(config >> 13 & 0xFFFF, 2) * self._tick_hz // (_XTAL_HZ if config & _T0_XTAL else _APB_HZ)

    def _now(self) -> int:
        passed = (self.bus.time - self._since) // self._ticks() if self.values[T0_CONFIG] & _T0_ON else 0
        return self._count + passed

    def _hold(self) -> None:
        self._count, self._since = self._now(), self.bus.time

    def _load(self) -> None:
        self._count = self.values[T0_LOAD_HI] << 32 | self.values[T0_LOAD_LO]
        self._since = self.bus.time

    def _plan(self) -> None:
        if self._alarm:
            self._alarm.cancel()
            self._alarm = None
        config = self.values[T0_CONFIG]
        if config & _T0_ON and config & _T0_UP and config & _T0_ALARM:
            until = (self.values[T0_ALARM_HI] << 32 | self.values[T0_ALARM_LO]) - self._count
            self._alarm = self.bus.at(self._since + until * self._ticks(), self._reached)

    def _reached(self) -> None:
        self._alarm = None
        if self.values[T0_CONFIG] & _T0_RELOADS:
            self._load()
        self.values[T0_CONFIG] &= ~_T0_ALARM
        self.fire(1)

    def _feed(self) -> None:
        config = self.values[WDT_CONFIG0]
        clock = _XTAL_HZ if config & _WDT_XTAL else _APB_HZ
        ticks = max(self.values[WDT_CONFIG1] >> 16, 1) * self._tick_hz // clock
        holds = [self.values[WDT_HOLD + 4 * n] * ticks for n in range(4)]
        if config & _WDT_ON:
            self._stages.feed(holds, [config >> shift & 3 for shift in (29, 27, 25, 23)])
        else:  # the boot guard resets at its first stage
            self._stages.feed(holds, [3 if config & _WDT_FLASH_BOOT else 0, 0, 0, 0])
