# SPDX-License-Identifier: Apache-2.0
"""A serial port behind the transport seam; also `rfc2217://`, which pyserial speaks."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edgegrf.errors import LinkError, MissingToolError, PortError

__all__ = ["SerialPort"]

_WRITE_TIMEOUT_S = 5.0
_RFC2217 = "rfc2217://"

_BUSY = (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK)
_NOT_PERMITTED = (errno.EACCES, errno.EPERM)
_ABSENT = (errno.ENOENT, errno.ENXIO, errno.ENODEV)


class SerialPort:
    """A device path or `rfc2217://` URL, opened for this program alone.

    `dtr` and `rts` are the levels to open with (None: as the system does).  Raises PortError when the
    port is missing, busy, not permitted or no serial port.
    """

    def __init__(
        self, name: str, *, baud: int = 115_200, dtr: bool | None = None, rts: bool | None = None
    ) -> None:
        self.name = name
        try:
            import serial
        except ImportError as error:
            raise MissingToolError("pyserial is not installed", fix="pip install pyserial") from error
        # after unplugging: pyserial's error (an OSError), a bare OSError or termios.error
        self._failures: tuple[type[Exception], ...] = (OSError, *_termios_error())
        refusals: tuple[type[Exception], ...] = (ValueError, *self._failures)
        try:
            port: Any = serial.serial_for_url(name, do_not_open=True)
            port.baudrate, port.exclusive = baud, True
            if not name.startswith(_RFC2217):  # pyserial's has no time-out for writing
                port.write_timeout = _WRITE_TIMEOUT_S
            if dtr is not None:
                port.dtr = dtr
            if rts is not None:
                port.rts = rts
            port.open()
        except refusals as error:
            raise _not_opened(name, error) from error
        self._port = port

    def write(self, data: bytes) -> None:
        """Send all of `data`."""
        with self._gone():
            self._port.write(data)

    def read(self, timeout_s: float) -> bytes:
        """What has arrived, as soon as anything has; b"" after `timeout_s` seconds of silence."""
        with self._gone():
            if self._port.timeout != timeout_s:
                self._port.timeout = timeout_s
            data: bytes = self._port.read(max(1, self._port.in_waiting))
            return data

    def close(self) -> None:
        """Give the port back."""
        with contextlib.suppress(*self._failures):
            self._port.close()

    @contextlib.contextmanager
    def _gone(self) -> Iterator[None]:
        try:
            yield
        except self._failures as error:
            raise LinkError(
                f"{self.name} went away",
                why=str(error) or "unplugged, switched off, or taken by another program",
                fix="plug the board in again; edgegrf boards lists what is there",
            ) from error


def _termios_error() -> tuple[type[Exception], ...]:
    try:
        import termios
    except ImportError:  # Windows
        return ()
    return (termios.error,)


def _not_opened(name: str, error: Exception) -> PortError:
    number = getattr(error, "errno", None)
    if number in _ABSENT:
        return PortError(
            f"no port {name}", why="the board is not plugged in, or has another name", fix="edgegrf boards"
        )
    if number in _NOT_PERMITTED:
        return PortError(
            f"{name}: not permitted",
            why="serial ports belong to a group that you are not in",
            fix="sudo usermod -aG dialout $USER (on some systems: uucp), then log in again",
        )
    if number in _BUSY:
        return PortError(
            f"{name} is busy",
            why="another program has it open",
            fix=f"close it; to see which: fuser -v {name}",
        )
    if Path(name).is_file():
        return PortError(f"{name} is a file, not a serial port", fix="edgegrf boards lists the ports")
    remote = "start the serial server there, check host, port and firewall"
    fix = remote if "://" in name else "edgegrf boards lists the ports"
    return PortError(f"cannot open {name}", why=str(error), fix=fix)
