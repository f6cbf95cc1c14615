# SPDX-License-Identifier: Apache-2.0
"""The flasher for Adafruit's nRF52 boot loader on its serial port; every acknowledgement is looked at."""

from __future__ import annotations

import time

from edgegrf.errors import DeviceError, UsageError
from edgegrf.flash.dfu_packets import (
    DATA_BYTES,
    INIT,
    START,
    STOP,
    WRITE,
    Acks,
    data_packet,
    init_body,
    start_body,
)
from edgegrf.flash.job import FlashJob, SerialLine, only
from edgegrf.image.formats import to_binary

__all__ = ["find", "write"]

_PAGE = 4096
#: erasing a page, at most (nRF52840 product specification 1.7, NVMC, t_ERASEPAGE)
_ERASE_PAGE_S = 0.085
#: the boot loader cannot answer while it writes a page
_ACK_S = 1.0
_ATTEMPTS = 5


def find(job: FlashJob) -> list[str]:
    """The ports of the board's boot loader."""
    return job.serial.boot_loaders(job.board)


def write(job: FlashJob) -> str:
    """Send the image through the boot loader's port, `job.to` or the only one that is plugged in.

    Raises DeviceError when the port is of another board, or the boot loader stops acknowledging.
    """
    if job.board.dfu_softdevice is None:
        raise UsageError(f"{job.board.name} has no serial boot loader", fix=f"--via {job.board.flashers[0]}")
    device = _device(job)
    _, image = to_binary(job.segments)
    image += b"\xff" * (-len(image) % 4)
    line = job.serial.open(device)
    try:
        session = _Session(line, device)
        session.send(START, start_body(len(image)))
        time.sleep((len(image) // _PAGE + 1) * _ERASE_PAGE_S)
        session.send(INIT, init_body(image, job.board.dfu_softdevice))
        for start in range(0, len(image), DATA_BYTES):
            job.progress("write by dfu", start, len(image))
            session.send(WRITE, image[start : start + DATA_BYTES])
        session.send(STOP)
        job.progress("write by dfu", len(image), len(image))
    finally:
        line.close()
    return device


def _device(job: FlashJob) -> str:
    """The port to write to; another board's is refused before anything is erased."""
    found = find(job)
    device = only(
        [str(job.to)] if job.to else found,
        f"boot loader port of {job.board.name}",
        why="the board is not in its boot loader",
        fix="double-press reset, then again",
        choose="name one with --to",
    )
    if device not in found:
        raise DeviceError(
            f"{device} is not the boot loader of {job.board.name}",
            why=f"its USB numbers are none of {', '.join(job.board.boot_loader_usb)}",
            fix="double-press reset; edgegrf boards lists what is plugged in",
        )
    return device


class _Session:
    """Packets one at a time, each sent until the boot loader says that it expects the next."""

    def __init__(self, line: SerialLine, device: str) -> None:
        self._line, self._device = line, device
        self._acks = Acks()
        self._seq = 1
        self._sent = 0

    def send(self, kind: int, body: bytes = b"") -> None:
        after = (self._seq + 1) % 8
        said: list[int] = []
        for _ in range(_ATTEMPTS):
            self._line.write(data_packet(self._seq, kind, body))
            said = self._answers(after)
            if after in said:
                self._seq = after
                self._sent += 1
                return
        expected = f"it expects packet {said[-1]}" if said else "it is silent"
        raise DeviceError(
            f"the boot loader at {self._device} does not acknowledge packet {self._sent + 1}",
            why=f"{expected}, after {_ATTEMPTS} attempts; what was there before may be erased",
            fix="double-press reset and flash again; else --via uf2",
        )

    def _answers(self, wanted: int) -> list[int]:
        found: list[int] = []
        end = time.monotonic() + _ACK_S
        while wanted not in found and (left := end - time.monotonic()) > 0:
            found += self._acks.feed(self._line.read(left))
        return found
