# SPDX-License-Identifier: Apache-2.0
"""Ports of the operating system: pty, TCP, RFC 2217; and those that are missing, busy or forbidden."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
import tty
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from board_model import BoardModel, expected_stream

from edgegrf.errors import LinkError, PortError, UsageError
from edgegrf.link import open_port
from edgegrf.link.device import Device
from edgegrf.link.exchange import Patience
from edgegrf.link.serial_port import SerialPort
from edgegrf.link.socket_port import SocketPort

SAMPLES = np.random.default_rng(5).integers(-128, 128, (2000, 4)).astype(np.int8)


def check(transport):
    with Device(transport) as device:
        estimates, _ = device.stream(SAMPLES)
        assert device.counters.retries == device.counters.crc_errors == 0
    np.testing.assert_array_equal(estimates, expected_stream(SAMPLES))


def serve(receive, send):
    """Run the board model in a thread until `receive` gives nothing."""

    def loop():
        board = BoardModel()
        with contextlib.suppress(OSError):
            while data := receive():
                send(board.feed(data))

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    return thread


@pytest.fixture
def pty():
    master, slave = os.openpty()
    tty.setraw(slave)
    yield master, os.ttyname(slave)
    for number in (master, slave):
        with contextlib.suppress(OSError):
            os.close(number)


def test_serial_port_over_a_pty(pty):
    master, name = pty
    serve(lambda: os.read(master, 4096), lambda data: os.write(master, data))
    check(SerialPort(name, dtr=True, rts=False))


def test_read_returns_nothing_after_the_time_out(pty):
    port = SerialPort(pty[1])
    assert port.read(0.01) == b""
    os.write(pty[0], b"\x01\x02\x03")
    assert port.read(1.0)
    port.close()
    port.close()


def test_unplugged_port_is_a_link_error(pty):
    master, name = pty
    port = SerialPort(name)
    os.close(master)
    with pytest.raises(LinkError, match="went away"):
        port.read(0.1)
    with pytest.raises(LinkError, match="went away"):
        for _ in range(3):
            port.write(b"\x00" * 64)


def test_silent_port_is_a_link_error_naming_it(pty):
    device = Device(SerialPort(pty[1]))
    with pytest.raises(LinkError, match=pty[1]) as caught:
        list(device._exchange.replies([_hello()], Patience(0.01, 3)))
    assert "edgegrf" in caught.value.fix


def _hello():
    from edgegrf.link.exchange import Request
    from edgegrf.link.messages import MessageType

    return Request(MessageType.HELLO, b"\x01\x01")


def test_missing_port():
    with pytest.raises(PortError, match="no port /dev/ttyACM99") as caught:
        SerialPort("/dev/ttyACM99")
    assert caught.value.fix == "edgegrf boards"


def test_busy_port(pty):
    first = SerialPort(pty[1])
    with pytest.raises(PortError, match="busy"):
        SerialPort(pty[1])
    first.close()


def test_port_that_is_not_permitted(pty, monkeypatch):
    def refuse(path, flags, *rest):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("serial.serialposix.os.open", refuse)
    with pytest.raises(PortError, match="not permitted") as caught:
        SerialPort(pty[1])
    assert "dialout" in caught.value.fix


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every port")
def test_port_without_permission_for_real(pty):
    Path(pty[1]).chmod(0)
    with pytest.raises(PortError, match="not permitted"):
        SerialPort(pty[1])


@pytest.mark.parametrize("name", ["/dev/null", "rfc2217://", "nonsense://x"])
def test_what_is_no_serial_port(name):
    with pytest.raises(PortError):
        SerialPort(name)


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_socket_port(listener):
    def accept():
        connection, _ = listener.accept()
        serve(lambda: connection.recv(4096), connection.sendall)

    threading.Thread(target=accept, daemon=True).start()
    check(SocketPort(f"socket://127.0.0.1:{listener.getsockname()[1]}"))


def test_socket_that_closes_is_a_link_error(listener):
    port = SocketPort(f"socket://127.0.0.1:{listener.getsockname()[1]}")
    assert port.read(0.01) == b""
    listener.accept()[0].close()
    with pytest.raises(LinkError, match="closed"):
        raise_why(lambda: port.read(1.0))


def raise_why(call):
    try:
        call()
    except LinkError as error:
        raise LinkError(error.why) from error


def test_socket_where_nobody_listens(listener):
    number = listener.getsockname()[1]
    listener.close()
    with pytest.raises(PortError, match="nobody answers"):
        SocketPort(f"socket://127.0.0.1:{number}")


@pytest.mark.parametrize("name", ["socket://", "socket://host", "socket://host:port", "socket://:3"])
def test_socket_address_that_is_none(name):
    with pytest.raises(UsageError, match="no address"):
        SocketPort(name)


@pytest.mark.filterwarnings("ignore:setDaemon", "ignore:setName")
def test_rfc2217_port(listener):
    import serial
    from serial.rfc2217 import PortManager

    def accept():
        connection, _ = listener.accept()
        loop = serial.serial_for_url("loop://", timeout=0)

        class Sender:
            write = staticmethod(connection.sendall)

        manager = PortManager(loop, Sender())

        def receive():
            raw = connection.recv(4096)
            return b"".join(manager.filter(raw)) or (b"\x00" if raw else b"")

        serve(receive, lambda data: connection.sendall(b"".join(manager.escape(data))))

    threading.Thread(target=accept, daemon=True).start()
    check(SerialPort(f"rfc2217://127.0.0.1:{listener.getsockname()[1]}"))


def test_a_file_is_no_port(tmp_path):
    (tmp_path / "walk.csv").write_text("")
    with pytest.raises(PortError, match="is a file"):
        open_port(str(tmp_path / "walk.csv"))
