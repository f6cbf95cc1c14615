# SPDX-License-Identifier: Apache-2.0
"""The firmware itself, emulated and native, on sound and bad lines: the bits of the host, or a LinkError."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from lines import NoisyLine

from edgegrf.boards import board
from edgegrf.errors import LinkError, UnknownNameError, UsageError
from edgegrf.link import Device, open_port
from edgegrf.link.exchange import Patience
from edgegrf.parity.c_board import board_link
from edgegrf.parity.host import HostModel
from edgegrf.resources import DEFAULT_STUDENT, shipped_file

BOARDS = ["native:", "virtual:nrf52840dk"]


@pytest.fixture(scope="module")
def model():
    return shipped_file(DEFAULT_STUDENT, "student_int8.tflite")


@pytest.fixture(scope="module")
def host(model):
    return HostModel(model)


@pytest.fixture(scope="module")
def samples():
    steps = np.random.default_rng(3).integers(-20, 21, (400, 4)).cumsum(axis=0)
    return np.clip(steps, -128, 127).astype(np.int8)


class Wire:
    """A transport as the board of a NoisyLine: bytes in, all that comes back out."""

    def __init__(self, port):
        self.port = port

    def feed(self, data):
        self.port.write(data)
        replies = b""
        while part := self.port.read(0.05):
            replies += part
        return replies


def streamed(host, samples):
    host.reset()
    return host.stream(samples)


@pytest.mark.parametrize("spec", BOARDS)
def test_board_gives_the_bits_of_the_host(spec, model, host, samples):
    with Device(open_port(spec, model=model)) as device:
        info = device.expect_model(device.info.model_sha256.hex())
        assert (info.virtual, info.native) == (spec != "native:", spec == "native:")
        stream = board_link(device, host, [samples, samples[::-1].copy()], mode="stream")
        windows = list(samples.reshape(-1, info.window_samples, 4))
        window = board_link(device, host, windows, mode="window")
        assert device.counters.retries == device.counters.crc_errors == 0
    for link in (stream, window):
        assert link.ok
        assert link.outputs >= 400
    assert stream.target == window.target == (f"virtual:{info.board}" if info.virtual else "native")


@pytest.mark.parametrize("spec", BOARDS)
def test_bad_line_to_the_firmware_never_gives_a_wrong_estimate(spec, model, host, samples):
    expected, exact = streamed(host, samples), 0
    for seed in range(4):
        with contextlib.closing(open_port(spec, model=model)) as port:
            line = NoisyLine(Wire(port), random.Random(seed), 0.25, reorder=False)
            try:
                estimates, _ = Device(line).stream(samples)
            except LinkError:
                continue
        np.testing.assert_array_equal(estimates, expected)
        exact += 1
    assert exact >= 2


def test_impatient_host_repeats_itself_and_the_board_executes_once(model, host, samples):
    with Device(open_port(BOARDS[1], model=model), Patience(0.002, 12)) as device:
        estimates, _ = device.stream(samples)
        assert device.counters.retries > 0
        assert device.stats().duplicates > 0
    np.testing.assert_array_equal(estimates, streamed(host, samples))


@pytest.mark.parametrize("spec", BOARDS)
def test_served_board_through_a_pty(spec, model, host, samples):
    command = [sys.executable, "-c", "from edgegrf.cli import main; main()"]
    serving = [*command, "boards", "--serve", spec, "--model", str(model)]
    with subprocess.Popen(serving, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            path = server.stdout.readline().strip()
            with Device(open_port(path)) as device:
                estimates, _ = device.stream(samples)
                assert device.counters.lost == 0
        finally:
            server.send_signal(signal.SIGINT)
            server.communicate(timeout=20)
    np.testing.assert_array_equal(estimates, streamed(host, samples))


def test_firmware_that_dies_is_a_link_error_with_its_code(model):
    from edgegrf.link.native_port import NativePort

    port = NativePort(Path("/bin/false"))
    with pytest.raises(LinkError, match="ended with code 1"):
        for _ in range(200):
            port.write(b"\x00")
            port.read(0.05)
    port.close()


def test_native_process_ends_with_its_port(model):
    port = open_port("native:", model=model)
    Device(port).hello()
    port.close()
    assert port._process.returncode == 0


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ("virtual:nrf9999", UnknownNameError),
        ("virtual:nope", UnknownNameError),
        ("virtual:native", UnknownNameError),
        ("", UsageError),
    ],
)
def test_port_that_is_none(spec, error, model):
    with pytest.raises(error):
        open_port(spec, model=model)


def test_virtual_board_without_a_model_says_what_to_give():
    with pytest.raises(UsageError, match="needs a model") as caught:
        open_port("virtual:nrf52840dk")
    assert "--model" in caught.value.fix


def test_port_of_a_known_usb_board_is_listed_and_opened_its_way(monkeypatch, tmp_path):
    from serial.tools import list_ports
    from serial.tools.list_ports_common import ListPortInfo

    from edgegrf.link import opening, plugged_in

    def port(device, vid, pid):
        info = ListPortInfo(device)
        info.vid, info.pid, info.description = vid, pid, "J-Link"
        return info

    found = [
        port("/dev/ttyS0", None, None),
        port("/dev/ttyUSB9", 0x0403, 0x6001),
        port("/dev/ttyACM7", 0x1366, 0x105A),
    ]
    monkeypatch.setattr(list_ports, "comports", lambda: found)
    assert [item.device for item in plugged_in()] == ["/dev/ttyACM7", "/dev/ttyUSB9"]
    assert opening.default_port() == "/dev/ttyACM7"
    opened = {}
    monkeypatch.setattr(opening, "SerialPort", lambda name, **how: opened.update(how))
    opening.open_port("/dev/ttyACM7")
    assert opened == {"baud": board("nrf52840dk").baud, "dtr": True, "rts": None}
    found.pop()
    assert opening.default_port() == "virtual:nrf52840dk"
