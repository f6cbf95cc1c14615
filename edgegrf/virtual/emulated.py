# SPDX-License-Identifier: Apache-2.0
"""What every emulated chip answers alike: its counters, its registers, and the insole on its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from edgegrf.virtual.bus import Bus
from edgegrf.virtual.counts import Counter, Share
from edgegrf.virtual.insole import Insole
from edgegrf.virtual.owners import Span

__all__ = ["EmulatedChip"]


class _Counted(Protocol):
    """A core whose work is counted."""

    @property
    def cycles(self) -> int: ...
    @property
    def note(self) -> str: ...
    @property
    def counter(self) -> Counter: ...
    def close(self) -> None: ...


_Core = TypeVar("_Core", bound=_Counted)


class EmulatedChip(Generic[_Core]):
    """The part of a chip (chip.py) that needs no more than its core and the bus of its peripherals."""

    core: _Core
    bus: Bus
    _insole: Insole | None = None

    @property
    def cycles(self) -> int:
        """Active cycles since power-on, by the cycle model."""
        return self.core.cycles

    @property
    def instructions(self) -> int:
        """Instructions executed since power-on."""
        return self.core.counter.counts.instructions

    @property
    def due(self) -> int | None:
        """When something happens by itself, None when nothing is to come."""
        return self.bus.due()

    @property
    def unmodelled(self) -> list[str]:
        """Accesses to registers that are not modelled, with their counts, since the last reset."""
        return [f"{access}, {count} times" for access, count in sorted(self.bus.unmodelled.items())]

    @property
    def note(self) -> str:
        """Why cycles are not counted natively; empty when they are."""
        return self.core.note

    def count_by_owner(self, spans: Sequence[Span]) -> None:
        """Count anew by the owners of `spans`."""
        self.core.counter.count_by_owner(spans)

    def shares(self) -> list[Share]:
        """What ran for owner 0 (everyone else), 1, ... since `count_by_owner`."""
        return self.core.counter.shares()

    def peek(self, address: int) -> int:
        """A register's word, as a debugger reads it."""
        return self.bus.read(address, 4)

    def poke(self, address: int, word: int) -> None:
        """Write a register, as a debugger does."""
        self.bus.write(address, 4, word)

    def wear(self, insole: Insole) -> None:
        """Put an insole on the analog inputs and the pins that drive its rows."""
        self._insole = insole

    def close(self) -> None:
        """Free the emulator."""
        self.core.close()
