# SPDX-License-Identifier: Apache-2.0
"""Which serial ports this computer has, and which board each may belong to, by its USB numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgegrf.boards import Board, boards
from edgegrf.errors import MissingToolError

__all__ = ["Plugged", "plugged_in"]


@dataclass(frozen=True)
class Plugged:
    """A USB serial port: its path, what it says of itself, and the known boards it may be.

    `boards` have this USB number themselves, the boot loaders of `boot_loaders` too; `adapter_of` come with
    such an adapter, which may as well belong to anything else.
    """

    device: str
    description: str
    serial_number: str
    usb: str  # "VID:PID", hexadecimal
    boards: tuple[Board, ...]
    boot_loaders: tuple[Board, ...] = ()
    adapter_of: tuple[Board, ...] = ()

    @property
    def usb_numbers(self) -> tuple[int, int]:
        """(VID, PID)."""
        vid, pid = self.usb.split(":")
        return int(vid, 16), int(pid, 16)


def plugged_in() -> list[Plugged]:
    """The USB serial ports, those of known boards first, then by path; raises MissingToolError."""
    try:
        from serial.tools import list_ports
    except ImportError as error:
        raise MissingToolError("pyserial is not installed", fix="pip install pyserial") from error
    found = [_plugged(port) for port in list_ports.comports() if None not in (port.vid, port.pid)]
    return sorted(found, key=lambda port: (not port.boards, port.device))


def _plugged(port: Any) -> Plugged:
    known, numbers = boards().values(), (port.vid, port.pid)
    own = tuple(board for board in known if board.has_usb(*numbers))
    return Plugged(
        device=port.device,
        description=port.description or "",
        serial_number=port.serial_number or "",
        usb=f"{port.vid:04X}:{port.pid:04X}",
        boards=own,
        boot_loaders=tuple(board for board in known if board.boot_loader_has_usb(*numbers)),
        adapter_of=tuple(board for board in known if board not in own and board.may_have_usb(*numbers)),
    )
