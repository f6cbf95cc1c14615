# SPDX-License-Identifier: Apache-2.0
"""What a flasher is given: an image that was read and checked, the board, and where it shall go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edgegrf.boards import Board
from edgegrf.errors import DeviceError
from edgegrf.image.elf import Segment
from edgegrf.progress import Progress

__all__ = ["FlashJob", "SerialAccess", "SerialLine", "only"]


class SerialLine(Protocol):
    """An open serial port; every call raises LinkError when it went away."""

    def write(self, data: bytes) -> None:
        """Send all of `data`."""
        ...

    def read(self, timeout_s: float) -> bytes:
        """What has arrived, as soon as anything has; b"" when nothing came in `timeout_s` seconds."""
        ...

    def close(self) -> None:
        """Give the port back."""
        ...


class SerialAccess(Protocol):
    """This computer's serial ports, as far as flashers need them; `link` has the real one."""

    def running(self, board: Board) -> list[str]:
        """The ports that may be `board`'s own, by their USB numbers."""
        ...

    def boot_loaders(self, board: Board) -> list[str]:
        """The ports that `board`'s boot loader serves, by their USB numbers."""
        ...

    def open(self, device: str) -> SerialLine:
        """Open a boot loader's port with DTR asserted; raises PortError."""
        ...


@dataclass(frozen=True)
class FlashJob:
    """`segments` fit `board`; `to`, `probe` and `port` are what the person named, if anything.

    `to` is a drive, a folder, a file or a boot loader's port; `port` is where the firmware answers.
    """

    board: Board
    image: Path
    segments: tuple[Segment, ...]
    to: Path | None
    probe: str | None
    port: str | None
    serial: SerialAccess
    progress: Progress


def only(found: list[str], what: str, *, why: str, fix: str, choose: str) -> str:
    """The one thing in `found`; raises DeviceError when there is none, or several to choose from."""
    if not found:
        raise DeviceError(f"no {what}", why=why, fix=fix)
    if len(found) > 1:
        raise DeviceError(f"several of {what}: {', '.join(found)}", fix=choose)
    return found[0]
