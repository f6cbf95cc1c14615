# SPDX-License-Identifier: Apache-2.0
"""The serial wire between host and board: bytes one after the other, each at its time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from edgegrf.virtual.bus import Bus

__all__ = ["Line"]


class Line:
    """Carries the host's bytes to `deliver`, each when its stop bit ends, and collects the board's.

    `deliver` is also told whether the stop bit was sound.  `byte_cycles` is what one byte takes, in core
    cycles.  What is under way survives a reset of the board.
    """

    def __init__(self, byte_cycles: int) -> None:
        self.byte_cycles = byte_cycles
        self._to_board: deque[tuple[int, bool]] = deque()
        self._from_board = bytearray()
        self._bus: Bus | None = None
        self._deliver: Callable[[int, bool], None] = lambda byte, framed: None
        self._busy = False

    @property
    def has_output(self) -> bool:
        """True when the board has said something that was not taken yet."""
        return bool(self._from_board)

    def connect(self, bus: Bus, deliver: Callable[[int, bool], None]) -> None:
        """Put the wire on a board's receiver (after power-on, after a reset)."""
        self._bus, self._deliver, self._busy = bus, deliver, False
        self._next()

    def feed(self, data: bytes, framed: bool = True) -> None:
        """The host sends `data`, from now when the wire is free; stop bits are broken if not `framed`."""
        self._to_board.extend((byte, framed) for byte in data)
        self._next()

    def collect(self, data: bytes) -> None:
        """The board sent these bytes."""
        self._from_board += data

    def take(self) -> bytes:
        """What the board has sent since the last call."""
        data = bytes(self._from_board)
        self._from_board.clear()
        return data

    def _next(self) -> None:
        if self._bus and self._to_board and not self._busy:
            self._busy = True
            self._bus.at(self._bus.time + self.byte_cycles, self._arrived)

    def _arrived(self) -> None:
        self._busy = False
        byte, framed = self._to_board.popleft()
        self._next()
        self._deliver(byte, framed)
