# SPDX-License-Identifier: Apache-2.0
"""SAADC: one SAMPLE task converts every enabled channel in turn, and EasyDMA takes the results to RAM."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from edgegrf.virtual.bus import Alarm, Bus
from edgegrf.virtual.insole import FULL_SCALE
from edgegrf.virtual.nrf52.peripheral import NordicPeripheral

__all__ = ["Saadc"]

START, SAMPLE, STOP, CALIBRATEOFFSET = 0x000, 0x004, 0x008, 0x00C
STATUS, ENABLE, RESOLUTION, OVERSAMPLE, SAMPLERATE = 0x400, 0x500, 0x5F0, 0x5F4, 0x5F8
RESULT_PTR, RESULT_MAXCNT, RESULT_AMOUNT = 0x62C, 0x630, 0x634
_CHANNELS = 8
_PSELP, _CONFIG, _CHANNEL_BYTES = 0x510, 0x518, 0x10
_CYCLES_PER_US = 64
_ACQUISITION_US = (3, 5, 10, 15, 20, 40)  # by TACQ
_CONVERSION_US = 2
_CALIBRATION_US = 100
#: by GAIN; by REFSEL the reference as a part of a supply of 3.3 V
_GAIN = (1 / 6, 1 / 5, 1 / 4, 1 / 3, 1 / 2, 1.0, 2.0, 4.0)
_REFERENCE = (0.6 / 3.3, 0.25)
_BITS = (8, 10, 12, 14)
#: P0 pins of AIN0 to AIN7, which PSELP numbers from 1
_PINS = (2, 3, 4, 5, 28, 29, 30, 31)

#: (time, pins) -> counts of 12 bits, FULL_SCALE at the supply voltage
Convert = Callable[[int, Sequence[int]], list[int]]


class Saadc(NordicPeripheral):
    """`convert` says what is on the pins; single-ended, without oversampling, limits or the own timer.

    DONE and RESULTDONE are latched when a scan ends, and tell nobody in between.
    """

    registers: ClassVar[Mapping[int, str]] = {
        ENABLE: "ENABLE", RESOLUTION: "RESOLUTION", RESULT_PTR: "RESULT.PTR", OVERSAMPLE: "OVERSAMPLE",
        RESULT_MAXCNT: "RESULT.MAXCNT", RESULT_AMOUNT: "RESULT.AMOUNT", STATUS: "STATUS",
        SAMPLERATE: "SAMPLERATE",
        **{_PSELP + _CHANNEL_BYTES * n: f"CH[{n}].PSELP" for n in range(_CHANNELS)},
        **{_PSELP + 4 + _CHANNEL_BYTES * n: f"CH[{n}].PSELN" for n in range(_CHANNELS)},
    }  # fmt: skip
    resets: ClassVar[Mapping[int, int]] = {
        RESOLUTION: 1,
        **{_CONFIG + _CHANNEL_BYTES * n: 0x0002_0000 for n in range(_CHANNELS)},
    }
    events: ClassVar[Mapping[str, int]] = {
        "STARTED": 0x100, "END": 0x104, "DONE": 0x108, "RESULTDONE": 0x10C, "CALIBRATEDONE": 0x110,
        "STOPPED": 0x114,
    }  # fmt: skip

    def __init__(self, bus: Bus, base: int, name: str, convert: Convert) -> None:
        super().__init__(bus, base, name)
        self._convert = convert
        self._pointer = self._room = self._count = 0
        self._started = False
        self._scan: Alarm | None = None
        self._set_up: tuple[list[int], list[float], int, int] | None = None
        self.tasks = {
            START: self._start, SAMPLE: self._sample, STOP: self._stop, CALIBRATEOFFSET: self._calibrate,
        }  # fmt: skip

    def write(self, offset: int, value: int) -> None:
        super().write(offset, value)
        if ENABLE <= offset <= SAMPLERATE:
            self._set_up = None

    def _start(self) -> None:
        if not self.values[ENABLE] & 1:
            return
        self._pointer, self._room = self.values[RESULT_PTR], self.values[RESULT_MAXCNT] & 0x7FFF
        self._count, self._started = 0, True
        self.fire("STARTED")

    def _sample(self) -> None:
        if not self._started or self._scan:  # a scan that is under way goes on
            return
        pins, factors, cycles, most = self._set_up or self._look()
        counts = self._convert(self.bus.time, pins)
        values = [min(round(count * factor), most) for count, factor in zip(counts, factors, strict=True)]
        self._scan = self.bus.at(self.bus.time + cycles, lambda: self._converted(values))

    def _converted(self, values: list[int]) -> None:
        self._scan = None
        fit = values[: max(0, self._room - self._count)]
        if fit:
            self.bus.dma_store(self._pointer + 2 * self._count, struct.pack(f"<{len(fit)}h", *fit), self.name)
        self._count += len(fit)
        self.fire("DONE")
        self.fire("RESULTDONE")
        if self._started and self._count >= self._room:
            self._finish()

    def _finish(self) -> None:
        self._started = False
        self.values[RESULT_AMOUNT] = self._count
        self.fire("END")

    def _stop(self) -> None:
        if self._scan:
            self._scan.cancel()
            self._scan = None
        if self._started:
            self._finish()
        self.fire("STOPPED")

    def _calibrate(self) -> None:
        when = self.bus.time + _CALIBRATION_US * _CYCLES_PER_US
        self.bus.at(when, lambda: self.fire("CALIBRATEDONE"))

    def _look(self) -> tuple[list[int], list[float], int, int]:
        """Pins and scales of the enabled channels, cycles of a scan, the highest result."""
        pins, factors, microseconds = [], [], 0
        most = (1 << _BITS[self.values[RESOLUTION] & 3]) - 1
        for channel in range(_CHANNELS):
            source = self.values[_PSELP + _CHANNEL_BYTES * channel]
            if not source:
                continue
            config = self.values[_CONFIG + _CHANNEL_BYTES * channel]
            pins.append(_PINS[source - 1] if source <= len(_PINS) else -1)
            full = _GAIN[config >> 8 & 7] / _REFERENCE[config >> 12 & 1]
            factors.append(full * (most + 1) / (FULL_SCALE + 1))
            microseconds += _ACQUISITION_US[min(config >> 16 & 7, 5)] + _CONVERSION_US
        self._set_up = pins, factors, microseconds * _CYCLES_PER_US, most
        return self._set_up
