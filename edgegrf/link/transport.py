# SPDX-License-Identifier: Apache-2.0
"""The seam between the protocol and the way to a board: bytes out, bytes in, and why none came."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Transport"]


class Transport(Protocol):
    """A way to a board.

    Every call raises LinkError when the board went away.  `name` is what a person typed to get here.
    """

    name: str

    def write(self, data: bytes) -> None:
        """Send all of `data`."""
        ...

    def read(self, timeout_s: float) -> bytes:
        """What has arrived, as soon as anything has; b"" when nothing came in `timeout_s` seconds.

        The seconds are the board's own where its time is simulated.
        """
        ...

    def close(self) -> None:
        """Give the port back; a second call does nothing."""
        ...
