# SPDX-License-Identifier: Apache-2.0
"""CLOCK, POWER and APPROTECT, which share a page: oscillators take time to start; why the chip was reset."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from edgegrf.virtual.bus import Bus
from edgegrf.virtual.nrf52.peripheral import NordicPeripheral

__all__ = ["Clock"]

HFCLKRUN, HFCLKSTAT, LFCLKRUN, LFCLKSTAT, LFCLKSRC = 0x408, 0x40C, 0x414, 0x418, 0x518
RESETREAS, GPREGRET, GPREGRET2 = 0x400, 0x51C, 0x520
_RUNNING = 1 << 16
_XTAL = 1
#: start-up times in core cycles at 64 MHz: crystal 360 us, low-frequency RC 600 us, its crystal 250 ms
_HF_START = 23_040
_LF_START = {0: 38_400, 1: 16_000_000, 2: 38_400}


class Clock(NordicPeripheral):
    """`reset_reason` is what RESETREAS shows after this reset; GPREGRET lives on in `kept`."""

    registers: ClassVar[Mapping[int, str]] = {
        RESETREAS: "RESETREAS", HFCLKRUN: "HFCLKRUN", HFCLKSTAT: "HFCLKSTAT", LFCLKRUN: "LFCLKRUN",
        LFCLKSTAT: "LFCLKSTAT", LFCLKSRC: "LFCLKSRC", GPREGRET: "GPREGRET", GPREGRET2: "GPREGRET2",
        0x41C: "LFCLKSRCCOPY", 0x510: "POFCON", 0x578: "DCDCEN", 0x580: "DCDCEN0", 0x640: "MAINREGSTATUS",
        0x550: "APPROTECT.FORCEPROTECT", 0x558: "APPROTECT.DISABLE",
        **{0x900 + 16 * bank + 4 * part: f"RAM[{bank}]" for bank in range(9) for part in range(3)},
    }  # fmt: skip
    events: ClassVar[Mapping[str, int]] = {
        "HFCLKSTARTED": 0x100, "LFCLKSTARTED": 0x104, "POFWARN": 0x108, "DONE": 0x10C,
        "SLEEPENTER": 0x114, "SLEEPEXIT": 0x118,
    }  # fmt: skip

    def __init__(self, bus: Bus, base: int, name: str, kept: dict[int, int], reset_reason: int) -> None:
        super().__init__(bus, base, name)
        self.crystal_works = True  # False: HFCLKSTARTED never comes
        self._kept = kept
        kept[RESETREAS] = kept.get(RESETREAS, 0) | reset_reason
        self.values.update(kept)
        self.tasks = {
            0x000: self._start_hf, 0x004: self._stop_hf, 0x008: self._start_lf, 0x00C: self._stop_lf,
            0x078: lambda: None, 0x07C: lambda: None,  # CONSTLAT and LOWPWR: no effect on time here
        }  # fmt: skip

    def write(self, offset: int, value: int) -> None:
        if offset == RESETREAS:  # write one to clear
            value = self.values[offset] & ~value
        super().write(offset, value)
        if offset in (RESETREAS, GPREGRET, GPREGRET2):
            self._kept[offset] = value

    def _start_hf(self) -> None:
        self.values[HFCLKRUN] = 1
        if self.crystal_works:
            started = partial(self._started, HFCLKSTAT, _XTAL, "HFCLKSTARTED")
            self.bus.at(self.bus.time + _HF_START, started)

    def _stop_hf(self) -> None:
        self.values[HFCLKRUN] = self.values[HFCLKSTAT] = 0

    def _start_lf(self) -> None:
        source = self.values[LFCLKSRC] & 3
        self.values[LFCLKRUN] = 1
        delay = _LF_START.get(source, _LF_START[0])
        self.bus.at(self.bus.time + delay, partial(self._started, LFCLKSTAT, source, "LFCLKSTARTED"))

    def _stop_lf(self) -> None:
        self.values[LFCLKRUN] = self.values[LFCLKSTAT] = 0

    def _started(self, status: int, source: int, event: str) -> None:
        self.values[status] = _RUNNING | source
        self.fire(event)
