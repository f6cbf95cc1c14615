# SPDX-License-Identifier: Apache-2.0
"""Lists of USB ports as the system gives them, and whose they may be."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from edgegrf.boards import board
from edgegrf.cli import boards as boards_command
from edgegrf.link import default_port, open_port, plugged_in
from edgegrf.link.flash_access import ComputerPorts


def usb(device, numbers, serial="", says=""):
    vid, pid = (int(part, 16) for part in numbers.split(":"))
    return SimpleNamespace(device=device, vid=vid, pid=pid, serial_number=serial, description=says)


@pytest.fixture
def plug(monkeypatch):
    def put(*ports):
        monkeypatch.setattr("serial.tools.list_ports.comports", lambda: list(ports))

    return put


def test_a_board_its_boot_loader_and_a_stranger(plug):
    plug(
        SimpleNamespace(device="/dev/ttyS0", vid=None, pid=None, serial_number=None, description="n/a"),
        usb("/dev/ttyACM2", "FFFF:0001", says="a modem"),
        usb("/dev/ttyACM1", "239A:0029", "ABC", "Feather"),
        usb("/dev/ttyACM0", "1366:1015", "000683000001", "J-Link"),
    )
    dk, *others = plugged_in()
    assert (dk.device, dk.serial_number, dk.usb) == ("/dev/ttyACM0", "000683000001", "1366:1015")
    assert [item.name for item in dk.boards] == ["nrf52840dk"]
    feather, stranger = others
    assert [item.name for item in feather.boot_loaders] == ["feather_nrf52840"] and not feather.boards
    assert not stranger.boards and not stranger.boot_loaders and not stranger.adapter_of
    assert default_port() == "/dev/ttyACM0"
    access = ComputerPorts()
    assert access.running(board("nrf52840dk")) == ["/dev/ttyACM0"]
    assert access.boot_loaders(board("feather_nrf52840")) == ["/dev/ttyACM1"]
    assert access.boot_loaders(board("nrf52840dk")) == []
    records = [boards_command._port(port) for port in plugged_in()]
    assert [record["flashers"] for record in records] == [["pyocd"], ["dfu"], []]


def test_nothing_plugged_in(plug):
    plug()
    assert plugged_in() == [] and default_port() == "virtual:nrf52840dk"
    assert ComputerPorts().running(board("nrf52840dk")) == []


def test_an_adapter_is_nobodys_until_a_board_is_named(plug):
    plug(usb("/dev/ttyUSB0", "10C4:EA60", says="CP2102"))
    (port,) = plugged_in()
    assert not port.boards and {"esp32", "esp32c3"} <= {item.name for item in port.adapter_of}
    assert default_port() == "virtual:nrf52840dk"
    assert ComputerPorts().running(board("esp32c3")) == ["/dev/ttyUSB0"]
    assert boards_command._port(port)["flashers"] == ["esptool"]
    assert "esp32c3?" in boards_command._line(port)[1]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nrf52840dk", {"baud": 1_000_000, "dtr": True, "rts": None}),
        ("feather_nrf52840", {"baud": 1_000_000, "dtr": False, "rts": None}),
        ("esp32c3", {"baud": 1_000_000, "dtr": False, "rts": False}),
        ("esp32s3", {"baud": 921_600, "dtr": False, "rts": False}),
    ],
)
def test_a_port_is_opened_with_the_boards_own_speed_and_levels(monkeypatch, name, expected):
    monkeypatch.setattr("edgegrf.link.opening.SerialPort", lambda device, **options: options)
    assert open_port("/dev/ttyUSB0", board_name=name) == expected
