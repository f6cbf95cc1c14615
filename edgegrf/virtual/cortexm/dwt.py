# SPDX-License-Identifier: Apache-2.0
"""DWT: the cycle counter, fed by the cycle model; it stands still while the core sleeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from edgegrf.virtual.bus import Bus
from edgegrf.virtual.peripheral import Peripheral

__all__ = ["Dwt"]

CTRL, CYCCNT = 0x000, 0x004
_CYCCNTENA = 1
_MASK = 0xFFFF_FFFF


class Dwt(Peripheral):
    """`cycles` tells the core's active cycles, `traced` whether DEMCR.TRCENA is set."""

    registers: ClassVar[Mapping[int, str]] = {CTRL: "CTRL", CYCCNT: "CYCCNT"}
    resets: ClassVar[Mapping[int, int]] = {CTRL: 0x4000_0000}

    def __init__(
        self, bus: Bus, base: int, name: str, *, cycles: Callable[[], int], traced: Callable[[], bool]
    ) -> None:
        super().__init__(bus, base, name)
        self._cycles = cycles
        self._traced = traced
        self._held = 0
        self._since: int | None = None  # the active cycles when counting began; None while it is off

    def read(self, offset: int) -> int:
        return self._count() if offset == CYCCNT else super().read(offset)

    def write(self, offset: int, value: int) -> None:
        if offset == CYCCNT:
            self._held = value
            self._since = None if self._since is None else self._cycles()
            return
        self._held = self._count()
        super().write(offset, value)
        counting = bool(value & _CYCCNTENA) and self._traced()
        self._since = self._cycles() if counting else None

    def _count(self) -> int:
        counted = 0 if self._since is None else self._cycles() - self._since
        return (self._held + counted) & _MASK
