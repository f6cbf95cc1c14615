# SPDX-License-Identifier: Apache-2.0
"""What joins the peripherals of a virtual chip: registers, time, events, interrupts and DMA."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edgegrf.errors import DeviceError

__all__ = ["Alarm", "Bus", "Memory", "Page", "UnmodelledError"]

_PAGE_BITS = 12


class UnmodelledError(Exception):
    """Raised by a page for a register that it does not model; the bus records it."""


class Memory(Protocol):
    """RAM as DMA sees it."""

    def load(self, address: int, size: int) -> bytes: ...

    def store(self, address: int, data: bytes) -> None: ...


class Page(Protocol):
    """4 KiB of registers, accessed in words."""

    @property
    def name(self) -> str: ...

    def read(self, offset: int) -> int: ...

    def write(self, offset: int, value: int) -> None: ...


@dataclass
class Alarm:
    """Something that is to happen; `cancel()` takes it back."""

    action: Callable[[], None] | None

    def cancel(self) -> None:
        """Make the alarm do nothing when its time comes."""
        self.action = None


class Bus:
    """Routes words to pages and keeps the agenda of what happens when.

    `time` is in cycles of the chip's core clock since power-on, sleep included.  While an alarm
    runs, `time` is the alarm's own, so that a chain of events and tasks carries exact times however
    late the core looks.
    """

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.time = 0
        self.unmodelled: Counter[str] = Counter()
        #: called with an event register's address when the event fires
        self.on_event: Callable[[int], None] = lambda address: None
        #: tells whether an event register's event is led anywhere
        self.is_led: Callable[[int], bool] = lambda address: False
        #: called with (interrupt number, level) when an interrupt line changes
        self.on_interrupt: Callable[[int, bool], None] = lambda number, level: None
        self._pages: dict[int, Page] = {}
        self._agenda: list[tuple[int, int, Alarm]] = []  # time, order of entry
        self._order = itertools.count()

    def attach(self, base: int, page: Page) -> None:
        """Put a page at `base`, a multiple of 4 KiB."""
        self._pages[base >> _PAGE_BITS] = page

    def read(self, address: int, size: int) -> int:
        """The register's bits at `address`; 0, and a note in `unmodelled`, where there is none."""
        if size == 4:
            return self._read_word(address)
        return self._read_word(address & ~3) >> 8 * (address & 3) & (1 << 8 * size) - 1

    def write(self, address: int, size: int, value: int) -> None:
        """Write a register; a part of a word is merged with what the rest reads as."""
        word = address & ~3
        if size < 4:
            shift = 8 * (address & 3)
            mask = ((1 << (8 * size)) - 1) << shift
            value = (self._read_word(word) & ~mask) | ((value << shift) & mask)
        page = self._pages.get(word >> _PAGE_BITS)
        try:
            if page is None:
                raise UnmodelledError
            page.write(word & 0xFFF, value & 0xFFFF_FFFF)
        except UnmodelledError:
            self._note("write to", word, page)

    def task(self, address: int) -> None:
        """Trigger the task register at `address`, as the PPI does."""
        self.write(address, 4, 1)

    def at(self, time: int, action: Callable[[], None]) -> Alarm:
        """Have `action` run at `time` (in core clock cycles, not before now)."""
        alarm = Alarm(action)
        heapq.heappush(self._agenda, (max(time, self.time), next(self._order), alarm))
        return alarm

    def due(self) -> int | None:
        """The time of the next alarm, None when nothing is to come."""
        while self._agenda and self._agenda[0][2].action is None:
            heapq.heappop(self._agenda)
        return self._agenda[0][0] if self._agenda else None

    def advance(self, now: int) -> None:
        """Run every alarm up to and including `now`, in order, and set the time to `now`."""
        agenda = self._agenda
        if not agenda or agenda[0][0] > now:
            if now > self.time:
                self.time = now
            return
        while agenda and agenda[0][0] <= now:
            time, _, alarm = heapq.heappop(agenda)
            if alarm.action is not None:
                self.time = max(self.time, time)
                alarm.action()
        if now > self.time:
            self.time = now

    def dma_load(self, address: int, size: int, reader: str) -> bytes:
        """RAM as EasyDMA reads it; raises DeviceError outside RAM."""
        try:
            return self.memory.load(address, size)
        except IndexError as error:
            raise _outside_ram(reader, "reads", address, size) from error

    def dma_store(self, address: int, data: bytes, writer: str) -> None:
        """Write RAM as EasyDMA does; raises DeviceError outside RAM."""
        try:
            self.memory.store(address, data)
        except IndexError as error:
            raise _outside_ram(writer, "writes", address, len(data)) from error

    def _read_word(self, address: int) -> int:
        page = self._pages.get(address >> _PAGE_BITS)
        try:
            if page is None:
                raise UnmodelledError
            return page.read(address & 0xFFF) & 0xFFFF_FFFF
        except UnmodelledError:
            self._note("read of", address, page)
            return 0

    def _note(self, access: str, address: int, page: Page | None) -> None:
        place = f"{page.name}+0x{address & 0xFFF:03X}" if page else "no peripheral"
        self.unmodelled[f"{access} 0x{address:08X} ({place})"] += 1


def _outside_ram(name: str, does: str, address: int, size: int) -> DeviceError:
    return DeviceError(
        f"{name}: DMA {does} {size} bytes at 0x{address:08X}, which is not RAM",
        why="EasyDMA reaches RAM only; a constant in flash cannot be sent from there",
        fix="copy the bytes to a buffer in RAM first",
    )
