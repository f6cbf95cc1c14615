# SPDX-License-Identifier: Apache-2.0
"""Registers that are only stored: GPIO, IO_MUX, the cache's, the analogue bus's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from edgegrf.virtual.bus import Bus
from edgegrf.virtual.insole import Drive
from edgegrf.virtual.peripheral import Peripheral

__all__ = ["AnalogBus", "Gpio", "IoMux"]

OUT, OUT_SET, OUT_CLEAR, ENABLE, ENABLE_SET, ENABLE_CLEAR, IN = 0x04, 0x08, 0x0C, 0x20, 0x24, 0x28, 0x3C


class Gpio(Peripheral):
    """22 pins; an output reads back what it drives, an input reads high; `drive` follows the outputs."""

    registers: ClassVar[Mapping[int, str]] = {
        OUT: "OUT", OUT_SET: "OUT_W1TS", OUT_CLEAR: "OUT_W1TC", ENABLE: "ENABLE", ENABLE_SET: "ENABLE_W1TS",
        ENABLE_CLEAR: "ENABLE_W1TC", 0x38: "STRAP", IN: "IN",
        **{0x74 + 4 * pin: f"PIN{pin}" for pin in range(26)},
        **{0x154 + 4 * signal: f"FUNC{signal}_IN_SEL_CFG" for signal in range(128)},
        **{0x554 + 4 * pin: f"FUNC{pin}_OUT_SEL_CFG" for pin in range(26)},
    }  # fmt: skip

    def __init__(self, bus: Bus, base: int, name: str, drive: Drive) -> None:
        super().__init__(bus, base, name)
        self._drive = drive

    @property
    def driven(self) -> int:
        """The pins that are driven high, as bits."""
        return self.values[OUT] & self.values[ENABLE]

    def read(self, offset: int) -> int:
        return self.driven | ~self.values[ENABLE] & 0x3F_FFFF if offset == IN else super().read(offset)

    def write(self, offset: int, value: int) -> None:
        if offset in (OUT_SET, ENABLE_SET):
            offset -= 4
            value |= self.values[offset]
        elif offset in (OUT_CLEAR, ENABLE_CLEAR):
            offset -= 8
            value = self.values[offset] & ~value
        super().write(offset, value)
        if offset in (OUT, ENABLE):
            self._drive.change(self.driven, self.bus.time)


class IoMux(Peripheral):
    """What each pin is connected to."""

    registers: ClassVar[Mapping[int, str]] = {0: "PIN_CTRL", **{4 + 4 * n: f"GPIO{n}" for n in range(22)}}
    resets: ClassVar[Mapping[int, int]] = {0: 0x7FF, **{4 + 4 * n: 0xB00 for n in range(22)}}


class AnalogBus(Peripheral):
    """The bus to the analogue parts (I2C_ANA_MST): its three configuration words."""

    registers: ClassVar[Mapping[int, str]] = {0x40: "ANA_CONF0", 0x44: "ANA_CONFIG", 0x48: "ANA_CONFIG2"}
