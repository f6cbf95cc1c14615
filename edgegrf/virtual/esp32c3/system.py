# SPDX-License-Identifier: Apache-2.0
"""SYSTEM: the clock that the core runs on, and which peripherals have theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from edgegrf.virtual.bus import Bus
from edgegrf.virtual.peripheral import Peripheral

__all__ = ["System"]

CPU_PER_CONF, PERIP_CLK_EN0, PERIP_RST_EN0, SYSCLK_CONF = 0x08, 0x10, 0x18, 0x58
_XTAL_HZ, _RC_HZ = 40_000_000, 17_500_000


class System(Peripheral):
    """`on_clock` is called with the core's frequency when it changes."""

    registers: ClassVar[Mapping[int, str]] = {
        CPU_PER_CONF: "CPU_PER_CONF", PERIP_CLK_EN0: "PERIP_CLK_EN0", 0x14: "PERIP_CLK_EN1",
        PERIP_RST_EN0: "PERIP_RST_EN0", 0x1C: "PERIP_RST_EN1", SYSCLK_CONF: "SYSCLK_CONF",
        **{0x28 + 4 * n: f"CPU_INTR_FROM_CPU_{n}" for n in range(4)},
    }  # fmt: skip
    resets: ClassVar[Mapping[int, int]] = {
        CPU_PER_CONF: 0x0C, PERIP_CLK_EN0: 0xF9C1_E06F, SYSCLK_CONF: 1,
    }  # fmt: skip

    def __init__(self, bus: Bus, base: int, name: str, on_clock: Callable[[int], None]) -> None:
        super().__init__(bus, base, name)
        self._on_clock = on_clock
        on_clock(self.core_hz)

    @property
    def core_hz(self) -> int:
        """The core's frequency by SOC_CLK_SEL, its divider and CPUPERIOD_SEL."""
        conf = self.values[SYSCLK_CONF]
        divider = (conf & 0x3FF) + 1
        if conf >> 10 & 3 == 1:
            return 160_000_000 if self.values[CPU_PER_CONF] & 3 == 1 else 80_000_000
        return (_XTAL_HZ if conf >> 10 & 3 == 0 else _RC_HZ) // divider

    def write(self, offset: int, value: int) -> None:
        super().write(offset, value)
        if offset in (CPU_PER_CONF, SYSCLK_CONF):
            self._on_clock(self.core_hz)
