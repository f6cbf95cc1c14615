# SPDX-License-Identifier: Apache-2.0
"""A board behind a TCP socket (`socket://HOST:PORT`): a serial server, ser2net, an emulator."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from edgegrf.errors import LinkError, PortError, UsageError

__all__ = ["SocketPort"]

_CONNECT_TIMEOUT_S = 5.0


class SocketPort:
    """A TCP connection without Nagle's delay, which would cost 40 ms a frame; raises PortError."""

    def __init__(self, name: str) -> None:
        self.name = name
        host, port = _address(name)
        try:
            self._socket = socket.create_connection((host, port), _CONNECT_TIMEOUT_S)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            raise PortError(
                f"nobody answers at {name}",
                why=error.strerror or str(error),
                fix="start the serial server there, check host, port and firewall",
            ) from error

    def write(self, data: bytes) -> None:
        """Send all of `data`."""
        with self._gone():
            self._socket.settimeout(_CONNECT_TIMEOUT_S)
            self._socket.sendall(data)

    def read(self, timeout_s: float) -> bytes:
        """What has arrived, as soon as anything has; b"" after `timeout_s` seconds of silence."""
        with self._gone():
            self._socket.settimeout(timeout_s)
            try:
                data = self._socket.recv(4096)
            except TimeoutError:
                return b""
            if not data:
                raise ConnectionResetError("the other side closed the connection")
            return data

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    @contextlib.contextmanager
    def _gone(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise LinkError(
                f"{self.name} went away",
                why=error.strerror or str(error),
                fix="check the serial server there",
            ) from error


def _address(name: str) -> tuple[str, int]:
    try:
        parts = urlsplit(name)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port:
        raise UsageError(
            f"'{name}' is no address", fix="write socket://HOST:PORT, say socket://localhost:3333"
        )
    return host, port
