# SPDX-License-Identifier: Apache-2.0
"""The serial ports of this computer as flashers see them."""

from __future__ import annotations

from edgegrf.boards import Board
from edgegrf.link.ports import plugged_in
from edgegrf.link.serial_port import SerialPort

__all__ = ["ComputerPorts"]

_BOOT_LOADER_BAUD = 115_200


class ComputerPorts:
    """Implements flash.job.SerialAccess on pyserial; the USB numbers are looked up anew at each call."""

    def running(self, board: Board) -> list[str]:
        """The ports that may be `board`'s; its own USB numbers come before adapters' of any use."""
        ports = plugged_in()
        own = [port.device for port in ports if board in port.boards]
        return own or [port.device for port in ports if board.may_have_usb(*port.usb_numbers)]

    def boot_loaders(self, board: Board) -> list[str]:
        """The ports that `board`'s boot loader serves."""
        return [port.device for port in plugged_in() if board in port.boot_loaders]

    def open(self, device: str) -> SerialPort:
        """Open a boot loader's port; USB ones answer only while DTR is asserted."""
        return SerialPort(device, baud=_BOOT_LOADER_BAUD, dtr=True)
