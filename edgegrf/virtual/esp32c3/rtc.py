# SPDX-License-Identifier: Apache-2.0
"""RTC_CNTL and, in the same page, EFUSE: why the chip was reset, two watchdogs, and who it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from edgegrf.virtual.bus import Bus, UnmodelledError
from edgegrf.virtual.esp32c3.watchdog import KEY, Stages
from edgegrf.virtual.peripheral import Peripheral

__all__ = ["Cause", "Rtc"]

OPTIONS0, RESET_STATE, STORE, ANA_CONF = 0x00, 0x38, (0x50, 0x54, 0x58, 0x5C, 0xB8, 0xBC, 0xC0, 0xC4), 0x34
WDT_CONFIG0, WDT_HOLD, WDT_FEED, WDT_PROTECT = 0x90, 0x94, 0xA4, 0xA8
SWD_CONF, SWD_PROTECT = 0xAC, 0xB0
EFUSE = 0x800
MAC = EFUSE + 0x44
_SOFTWARE_RESET = 1 << 31
_WDT_ON, _WDT_FLASH_BOOT = 1 << 31, 1 << 12
_SWD_KEY = 0x8F1D_312A
_SWD_DISABLE, _SWD_AUTO_FEED, _SWD_FEED = 1 << 30, 1 << 31, 1 << 29
#: the RC oscillator that the RTC's watchdog counts
_SLOW_HZ = 136_000
#: the super watchdog bites about a second after it was last fed
_SWD_SECONDS = 1
#: eight bytes that hosts know a virtual board by: the MAC's six and two of its eFuse word's other half
DEVICE_ID = b"VIRTUAL\0"


class Cause:
    """What RESET_STATE says."""

    POWER_ON, SOFTWARE, TIMER_GROUP0, TIMER_GROUP1, RTC_WATCHDOG, SUPER_WATCHDOG = 1, 3, 7, 8, 16, 18


class Rtc(Peripheral):
    """`cause` is the reset's; `kept` are the registers that outlive one; `reset` is called with the cause of
    the next; `guards` says whether the watchdog runs from the reset on, as in a boot from flash."""

    registers: ClassVar[Mapping[int, str]] = {
        OPTIONS0: "OPTIONS0", ANA_CONF: "ANA_CONF", 0x3C: "WAKEUP_STATE", RESET_STATE: "RESET_STATE",
        **{offset: f"STORE{n}" for n, offset in enumerate(STORE)},
        0x70: "CLK_CONF", 0x74: "SLOW_CLK_CONF", WDT_CONFIG0: "WDTCONFIG0",
        **{WDT_HOLD + 4 * n: f"WDTCONFIG{n + 1}" for n in range(4)},
        WDT_FEED: "WDTFEED", WDT_PROTECT: "WDTWPROTECT", SWD_CONF: "SWD_CONF", SWD_PROTECT: "SWD_WPROTECT",
    }  # fmt: skip
    resets: ClassVar[Mapping[int, int]] = {
        OPTIONS0: 0x1C00_A000, ANA_CONF: 0xC4_0000, 0x70: 0x1158_3218, 0x74: 0x40_0000,
        WDT_CONFIG0: 0x1_3214, WDT_HOLD: 200_000, WDT_HOLD + 4: 80_000, WDT_HOLD + 8: 0xFFF,
        WDT_HOLD + 12: 0xFFF, SWD_CONF: 0x04B0_0000,
        MAC: int.from_bytes(DEVICE_ID[:4], "little"), MAC + 4: int.from_bytes(DEVICE_ID[4:], "little"),
        MAC + 12: 4 << 18,  # chip revision 0.4
    }  # fmt: skip

    def __init__(
        self, bus: Bus, base: int, name: str, kept: dict[int, int], cause: int, reset: Callable[[int], None],
        tick_hz: int, *, guards: bool,
    ) -> None:  # fmt: skip
        super().__init__(bus, base, name)
        self._kept, self._reset, self._tick_hz = kept, reset, tick_hz
        self.values.update(kept)
        self.values[RESET_STATE] = 0x3000 | cause
        if not guards:
            self.values[WDT_CONFIG0] &= ~_WDT_FLASH_BOOT
        self._watchdog = Stages(bus, lambda: reset(Cause.RTC_WATCHDOG))
        self._super = Stages(bus, lambda: reset(Cause.SUPER_WATCHDOG))
        self._feed()
        self._feed_super()

    def write(self, offset: int, value: int) -> None:
        if offset >= EFUSE:
            raise UnmodelledError
        if WDT_CONFIG0 <= offset < WDT_PROTECT and self.values[WDT_PROTECT] != KEY:
            return  # locked
        if offset == SWD_CONF and self.values[SWD_PROTECT] != _SWD_KEY:
            return
        super().write(offset, value)
        if offset == OPTIONS0 and value & _SOFTWARE_RESET:
            self._reset(Cause.SOFTWARE)
        elif offset in STORE:
            self._kept[offset] = value
        elif WDT_CONFIG0 <= offset < WDT_PROTECT:
            self._feed()
        elif offset == SWD_CONF:
            self._feed_super()

    def _feed(self) -> None:
        config = self.values[WDT_CONFIG0]
        ticks = self._tick_hz // _SLOW_HZ
        holds = [self.values[WDT_HOLD + 4 * n] * ticks for n in range(4)]
        if config & _WDT_ON:
            self._watchdog.feed(holds, [config >> shift & 7 for shift in (28, 25, 22, 19)])
        else:  # the boot guard
            self._watchdog.feed(holds, [4 if config & _WDT_FLASH_BOOT else 0, 0, 0, 0])

    def _feed_super(self) -> None:
        off = self.values[SWD_CONF] & (_SWD_DISABLE | _SWD_AUTO_FEED)
        self._super.feed((_SWD_SECONDS * self._tick_hz,), (0 if off else 4,))
