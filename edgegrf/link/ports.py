# SPDX-License-Identifier: Apache-2.0
"""Which serial ports this computer has, and which board each may belong to, by its USB numbers."""

from __future__ import annotations

from dataclasses import dataclass

from edgegrf.boards import Board, boards
from edgegrf.errors import MissingToolError

__all__ = ["Plugged", "plugged_in"]


@dataclass(frozen=True)
class Plugged:
    """A USB serial port: its path, what it says of itself, and the known boards it may be."""

    device: str
    description: str
    serial_number: str
    usb: str  # "VID:PID", hexadecimal
    boards: tuple[Board, ...]


def plugged_in() -> list[Plugged]:
    """The USB serial ports, those of known boards first, then by path; raises MissingToolError."""
    try:
        from serial.tools import list_ports
    except ImportError as error:
        raise MissingToolError("pyserial is not installed", fix="pip install pyserial") from error
    found = [
        Plugged(
            device=port.device,
            description=port.description or "",
            serial_number=port.serial_number or "",
            usb=f"{port.vid:04X}:{port.pid:04X}",
            boards=tuple(board for board in boards().values() if board.has_usb(port.vid, port.pid)),
        )
        for port in list_ports.comports()
        if port.vid is not None and port.pid is not None
    ]
    return sorted(found, key=lambda port: (not port.boards, port.device))
