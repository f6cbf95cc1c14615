# SPDX-License-Identifier: Apache-2.0
"""What a virtual board asks of an emulated chip; another chip is another class with these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

from edgegrf.virtual.counts import Share
from edgegrf.virtual.image import Firmware
from edgegrf.virtual.insole import Insole
from edgegrf.virtual.line import Line
from edgegrf.virtual.owners import Span
from edgegrf.virtual.supply import Supply

__all__ = ["Chip"]


class Chip(Protocol):
    """A chip with a firmware in it and its serial port on a line; times are in cycles of its core clock.

    Made of the firmware, the line, and where in its flash the firmware begins: powered, and not yet run.
    """

    #: what kind of estimate the cycles are, as it is shown beside them
    error_band: ClassVar[str]
    clock_hz: int
    supply: Supply

    def __init__(self, firmware: Firmware, line: Line, origin: int = 0, /) -> None: ...

    @property
    def time(self) -> int:
        """Cycles since power-on, sleep included."""

    @property
    def cycles(self) -> int:
        """Active cycles since power-on, by the cycle model."""

    @property
    def instructions(self) -> int:
        """Instructions executed since power-on."""

    @property
    def asleep(self) -> bool:
        """True while the core waits and nothing has woken it."""

    @property
    def due(self) -> int | None:
        """When something happens by itself, None when nothing is to come."""

    @property
    def transmitting(self) -> bool:
        """True while a byte is on its way to the host."""

    @property
    def overruns(self) -> int:
        """Received bytes lost for want of room, since power-on."""

    @property
    def unheard(self) -> int:
        """Bytes that came while the receiver was off, since power-on."""

    @property
    def unmodelled(self) -> list[str]:
        """Accesses to registers that are not modelled, since the last reset."""

    @property
    def faults(self) -> list[str]:
        """Faults of the firmware, since power-on: where and what."""

    @property
    def note(self) -> str:
        """What a user should know about how cycles are counted; usually empty."""

    def execute(self, cycles: int) -> None:
        """Let the core run for about `cycles`, or until it sleeps."""

    def sleep(self, until: int) -> None:
        """Skip to the next thing that happens, at most to the time `until`."""

    def count_by_owner(self, spans: Sequence[Span]) -> None:
        """Count anew by the owners of `spans`."""

    def shares(self) -> list[Share]:
        """What ran for owner 0 (everyone else), 1, ... since `count_by_owner`."""

    def peek(self, address: int) -> int:
        """A register's word, as a debugger reads it."""

    def poke(self, address: int, word: int) -> None:
        """Write a register, as a debugger does."""

    def press_reset(self) -> None:
        """Reset by the pin."""

    def wear(self, insole: Insole) -> None:
        """Put an insole on the analog inputs."""

    def power_on(self) -> None:
        """Start as after a power cut: nothing is left but the flash."""

    def close(self) -> None:
        """Free the emulator."""
