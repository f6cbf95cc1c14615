# SPDX-License-Identifier: Apache-2.0
"""APB_SARADC: single conversions of ADC1, whose five channels are GPIO0 to GPIO4."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from edgegrf.virtual.bus import Bus
from edgegrf.virtual.esp32c3.events import EventPeripheral
from edgegrf.virtual.insole import Drive

__all__ = ["SarAdc"]

ONETIME, DATA = 0x20, 0x2C
ENABLE, RAW, STATUS, CLEAR = 0x40, 0x44, 0x48, 0x4C
_ADC1, _START = 1 << 31, 1 << 29
_DONE = 1 << 31
_CHANNELS = 5
_CHANNEL_SHIFT = 13
_CLOCK_ON = 1 << 20
#: what a conversion takes: 25 cycles of the converter's 5 MHz
_SECONDS = 5e-6


class SarAdc(EventPeripheral):
    """`sample(pin)` gives the count of what a pin shows now; `tick_hz` is the bus's.

    What `drive` selects anew while a conversion runs spoils it: half of it sees the one, half the other.
    """

    registers: ClassVar[Mapping[int, str]] = {
        0x00: "CTRL", 0x04: "CTRL2", 0x0C: "FSM_WAIT", ONETIME: "ONETIME_SAMPLE", DATA: "SAR1DATA_STATUS",
        0x54: "CLKM_CONF",
    }  # fmt: skip
    resets: ClassVar[Mapping[int, int]] = {
        0x00: 0x4003_8240, 0x04: 0xA1FE, 0x0C: 0x00FF_0808, ONETIME: 0x1A00_0000, 0x54: 4,
    }  # fmt: skip
    events = (RAW, STATUS, ENABLE, CLEAR)
    sources = (43,)

    def __init__(
        self, bus: Bus, base: int, name: str, sample: Callable[[int], int], drive: Drive, tick_hz: int
    ) -> None:  # fmt: skip
        super().__init__(bus, base, name)
        self._sample, self._drive, self._ticks = sample, drive, round(_SECONDS * tick_hz)

    def write(self, offset: int, value: int) -> None:
        before = self.values.get(offset, 0)
        super().write(offset, value)
        starts = offset == ONETIME and value & ~before & _START and value & _ADC1
        if starts and self.values[0x54] & _CLOCK_ON:
            self._start(value >> 25 & 0xF)

    def _start(self, channel: int) -> None:
        begun = self.bus.time
        count = self._sample(channel) if channel < _CHANNELS else 0

        def convert() -> None:
            spoiled = channel < _CHANNELS and self._drive.since > begun
            seen = (count + self._sample(channel)) // 2 if spoiled else count
            self.values[DATA] = channel << _CHANNEL_SHIFT | seen
            self.fire(_DONE)

        self.bus.at(begun + self._ticks, convert)
