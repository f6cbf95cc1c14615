# SPDX-License-Identifier: Apache-2.0
"""The stack that a board reserves is at least twice the deepest that a session of everything needs."""

from __future__ import annotations

import struct
import sys
import zlib
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from conftest import Board
from scanning import ESTIMATE, RAW, SCAN, STATUS, STOP, begin, ramp, run
from words import STEP, counters, step

from edgegrf.boards import board
from edgegrf.image import build_image
from edgegrf.resources import DEFAULT_STUDENT, shipped_file

RESET, WRITE, RUN, READ = 2, 4, 5, 6
CAL_READ, CAL_WRITE, CAL_COMMIT, CAL_ERASE, FAULT = 12, 13, 14, 15, 16
PRESSURE = 2
FAILED = 0xFF
MLPERF = (
    b"name%", b"profile%", b"timestamp%", b"db load 800%", *[b"db " + b"7f" * 31 + b"%"] * 26, b"db print%",
    b"infer 2 1%", b"results%", b"no such command%",
)  # fmt: skip


def use_everything(one):
    """Windows, a stream, the live insole, a calibration, faults, noise, and the runner's every command."""
    channels, samples = 4, 200
    one.greet()
    for offset in range(0, channels * samples, 200):
        assert one.ask(WRITE, struct.pack("<I", offset) + bytes(200))[0] != FAILED
    assert one.ask(RUN)[0] != FAILED and one.ask(READ, struct.pack("<IH", 0, 200))[0] != FAILED
    one.ask(RESET)
    assert one.ask(STEP, step(0, [[n, 0, 127, 255] for n in range(20)]))[0] != FAILED
    one.machine.wear(ramp(8), 100.0)
    begin(one, 100, RAW | PRESSURE | ESTIMATE)
    run(one, 1.0)
    assert all(one.ask(kind)[0] != FAILED for kind in (STATUS, SCAN, STOP))
    _, record = one.ask(CAL_READ, struct.pack("<HH", 0, 208))
    one.ask(CAL_WRITE, struct.pack("<H", 0) + record)
    assert one.ask(CAL_COMMIT, struct.pack("<I", zlib.crc32(record)))[0] != FAILED
    assert one.ask(CAL_ERASE)[0] != FAILED and one.ask(FAULT, b"\x01")[0] != FAILED
    one.machine.feed(b"\0" + bytes(range(1, 255)) * 5 + b"\0")
    one.machine.run(0.1, until="idle")
    for command in MLPERF:
        one.machine.feed(command)
        said = one.machine.run(10.0, until="idle")
        assert said.endswith(b"m-ready\r\n"), (command, said)
    one.waiting.clear()
    one.greet()


@pytest.mark.parametrize("compiler", ["gcc", "zig"])
@pytest.mark.parametrize("name", ["nrf52840dk", "esp32c3"])
def test_the_reserved_stack_is_twice_what_everything_needs(tmp_path, needs_compiler, name, compiler):
    pytest.importorskip("unicorn")
    from edgegrf.virtual import VirtualBoard

    needs_compiler(board(name).core, compiler)
    model = shipped_file(DEFAULT_STUDENT, "student_int8.tflite")
    image = build_image(board(name), model, tmp_path, compiler=compiler)
    machine = VirtualBoard(image.elf, board(name), strict=True)
    one = Board(machine.feed, machine.run, machine=machine)
    use_everything(one)
    found = counters(one)
    machine.close()
    assert found["stack_size"] == image.sizes.stack_bytes == board(name).stack_size
    assert found["stack_used"] > 200 and 2 * found["stack_used"] <= found["stack_size"]
