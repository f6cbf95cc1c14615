# SPDX-License-Identifier: Apache-2.0
"""A virtual board on a pty, spoken to by plain pyserial."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import serial

_PROGRAM = """
import sys
from pathlib import Path
from edgegrf.boards import board
from edgegrf.virtual import VirtualBoard, serve
one = VirtualBoard(Path(sys.argv[1]), board("nrf52840dk"), strict=True)
serve(one, on_ready=lambda path: print(path, flush=True))
"""


@pytest.fixture
def served(build):
    processes = []

    def begin(name, **defines):
        argv = [sys.executable, "-c", _PROGRAM, str(build(name, **defines))]
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        processes.append(process)
        return process, process.stdout.readline().strip()

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


def processor_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_an_echo_crosses_the_pty_whole_and_the_next_host_finds_the_board(served):
    _, path = served("echo")
    sent = bytes(range(256)) * 4
    for _ in range(2):
        with serial.Serial(path, 1_000_000, timeout=5, write_timeout=5, exclusive=True) as port:
            port.write(sent)
            assert port.read(len(sent)) == sent


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads processor time from /proc")
def test_an_idle_board_uses_no_processor(served):
    process, path = served("echo")
    with serial.Serial(path, timeout=5) as port:
        port.write(b"x")
        assert port.read(1) == b"x"
    before = processor_seconds(process.pid)
    time.sleep(1.0)
    assert processor_seconds(process.pid) - before <= 0.02


def test_a_board_that_speaks_by_itself_keeps_time_with_the_wall(served):
    _, path = served("beacon")
    with serial.Serial(path, timeout=5) as port:
        port.read(port.in_waiting or 1)  # what came before the port was open
        begin = time.monotonic()
        beats = port.read(500)
        seconds = time.monotonic() - begin
    assert [(beats[i + 1] - beats[i]) % 256 for i in range(499)] == [1] * 499
    assert 0.4 < seconds < 4.0  # half a second of the board's time


def test_an_interrupt_ends_it(served):
    process, _ = served("echo")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=5)
    assert process.returncode != 0 and "KeyboardInterrupt" in errors
