# SPDX-License-Identifier: Apache-2.0
"""DWT: the cycle counter, fed by the cycle model; it stands still while the core sleeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from edgegrf.virtual.bus import Bus
from edgegrf.virtual.peripheral import Peripheral

__all__ = ["CYCCNT", "Dwt"]

CTRL, CYCCNT = 0x000, 0x004
_CYCCNTENA = 1
_MASK = 0xFFFF_FFFF


class Dwt(Peripheral):
    """`cycles` tells the core's active cycles, `traced` whether DEMCR.TRCENA is set.

    `show` is told what CYCCNT reads beyond those cycles, None while it stands still, so that the core can
    answer reads of it by itself.
    """

    registers: ClassVar[Mapping[int, str]] = {CTRL: "CTRL", CYCCNT: "CYCCNT"}
    resets: ClassVar[Mapping[int, int]] = {CTRL: 0x4000_0000}

    def __init__(
        self,
        bus: Bus,
        base: int,
        name: str,
        *,
        cycles: Callable[[], int],
        traced: Callable[[], bool],
        show: Callable[[int | None], None],
    ) -> None:
        super().__init__(bus, base, name)
        self._cycles = cycles
        self._traced = traced
        self._show = show
        self._counting = False
        self._held = 0  # the count while it stands still; while it counts, what it shows beyond the cycles
        show(None)

    def read(self, offset: int) -> int:
        return self._count() if offset == CYCCNT else super().read(offset)

    def write(self, offset: int, value: int) -> None:
        if offset == CYCCNT:
            self._go_on_from(value)
        else:
            super().write(offset, value)
            self.look_at_trace()

    def look_at_trace(self) -> None:
        """TRCENA may have changed: count or stand still accordingly."""
        count = self._count()
        self._counting = bool(self.values[CTRL] & _CYCCNTENA) and self._traced()
        self._go_on_from(count)

    def _go_on_from(self, count: int) -> None:
        self._held = count - self._cycles() if self._counting else count
        self._show(self._held if self._counting else None)

    def _count(self) -> int:
        return (self._held + (self._cycles() if self._counting else 0)) & _MASK
