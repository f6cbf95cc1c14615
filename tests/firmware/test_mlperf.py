# SPDX-License-Identifier: Apache-2.0
"""The MLPerf Tiny commands of SPEC.md section 7, on the native board under sanitizers, beside the frames."""

from __future__ import annotations

import re
import shutil
import struct
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from edgegrf import __version__
from edgegrf.boards import board
from edgegrf.image import build_image_of_c
from edgegrf.link.native_port import NativePort

FIRMWARE = Path(__file__).parents[2] / "firmware"
READY = "m-ready"
SIZE = 24  # of trivial's window: 8 samples of 3 channels
STEP, RUN, STATS, ERROR = 3, 5, 7, 0xFF


class Line:
    """Text commands to a board, and the lines that come back."""

    def __init__(self, board):
        self.board = board
        self.waiting = ""

    def lines(self, seconds=5.0):
        """The lines up to and with `m-ready`; fewer if they do not come in time."""
        found, end = [], time.monotonic() + seconds
        while found[-1:] != [READY] and time.monotonic() < end:
            self.waiting += self.board.read(0.02).decode("ascii")
            *whole, self.waiting = self.waiting.split("\r\n")
            found += whole
        return found

    def ask(self, command):
        """The answer to one command, without the closing `m-ready`."""
        self.board.write(f"{command}%".encode())
        *answer, last = self.lines()
        assert last == READY and not self.waiting
        return answer

    def silent(self, seconds=0.3):
        """True if nothing at all comes."""
        return not self.waiting and not self.board.read(seconds)

    def load(self, data, chunk=31):
        assert self.ask(f"db load {len(data)}") == [f"m-[Expecting {len(data)} bytes]"]
        for start in range(0, len(data), chunk):
            answer = self.ask("db " + data[start : start + chunk].hex())
            assert answer == (["m-load-done"] if start + chunk >= len(data) else [])


@pytest.fixture
def line(native):
    return Line(native("trivial"))


def window():
    return bytes(range(100, 100 + SIZE))


def trivial_results(data):
    """trivial's estimates in its unit: 0.25 * (q - 7)."""
    values = struct.unpack(f"{len(data)}b", data)
    sums = [sum(values[i : i + 3]) for i in range(0, len(values), 3)]
    raw = [int(now / 2) + before for now, before in zip(sums, [0, *sums], strict=False)]
    return [0.25 * (max(-128, min(127, value)) - 7) for value in raw]


def test_nothing_is_said_before_it_is_asked(line):
    assert line.silent()
    assert line.ask("name") == ["m-name-dut-[native]"]
    assert line.silent()


def test_a_session_as_the_runner_holds_it(line):
    assert line.ask("name") == ["m-name-dut-[native]"]
    assert line.ask("profile") == [f"m-profile-[edgegrf {__version__}]", "m-model-[trivial]"]
    line.load(window())
    print_lines = line.ask("db print")
    assert [len(each) for each in print_lines] == [9 + 8 * 3 - 1] * 3
    assert bytes.fromhex("".join(each[9:].replace("-", "") for each in print_lines)) == window()
    answer = line.ask("infer 100 3")
    times = [int(each.removeprefix("m-lap-us-")) for each in answer if each.startswith("m-lap-us-")]
    kept = [each for each in answer if not each.startswith("m-lap-us-")]
    results = "m-results-[" + ",".join(f"{value:.3f}" for value in trivial_results(window())) + "]"
    assert kept == ["m-warmup-start-3", "m-warmup-done", "m-infer-start-100", "m-infer-done", results]
    assert answer[3].startswith("m-lap") and answer[4].startswith("m-lap")
    assert len(times) == 2 and 0 < times[1] - times[0] < 10**6
    assert line.ask("results") == [results]


def test_times_go_on(line):
    def now():
        (said,) = line.ask("timestamp")
        return int(re.fullmatch(r"m-lap-us-(\d+)", said).group(1))

    first = now()
    time.sleep(0.05)
    assert 40_000 < now() - first < 5_000_000


def test_defaults_and_help(line):
    assert len(line.ask("help")) == 3
    line.load(window())
    assert line.ask("infer")[0] == "m-warmup-start-10"
    assert line.ask("infer 2")[2] == "m-infer-start-2"


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("bogus", "e-[Unknown command: bogus]"),
        ("names", "e-[Unknown command: names]"),
        ("nam", "e-[Unknown command: nam]"),
        ("NAME x", "e-[Unknown command: NAME]"),
        (" ", "e-[Unknown command: ]"),
        ("x" * 79, f"e-[Unknown command: {'x' * 79}]"),
        ("x" * 80, "e-[Command longer than 79 characters]"),
        ("x" * 5000, "e-[Command longer than 79 characters]"),
        ("db", "e-[Command 'db' requires a subcommand]"),
        ("db load", "e-[Command 'db load' requires the # of bytes]"),
        ("db load 0", "e-[Command 'db load' must be >0 bytes]"),
        ("db load -1", "e-[Command 'db load' must be >0 bytes]"),
        ("db load 1e3", "e-[Command 'db load' must be >0 bytes]"),
        ("db load 25", "e-[Command 'db load' takes at most 24 bytes]"),
        ("db load 1000000000", "e-[Command 'db load' takes at most 24 bytes]"),
        ("db load 4294967297", "e-[Command 'db load' must be >0 bytes]"),
        ("db 00", "e-[Command 'db load' comes first]"),
        ("infer 0", "e-[Inference iterations must be >0]"),
        ("infer -1 0", "e-[Inference iterations must be >0]"),
        ("infer 1 -1", "e-[Inference warmup must be >=0]"),
        ("infer 1 0", "e-[Input has 0 bytes, expected 24]"),
    ],
)
def test_what_is_refused(line, command, answer):
    assert line.ask(command) == [answer]
    assert line.ask("name") == ["m-name-dut-[native]"]


def test_a_refused_load_changes_nothing(line):
    line.load(window())
    assert line.ask("db load 25") == ["e-[Command 'db load' takes at most 24 bytes]"]
    assert line.ask("db ff") == ["e-[Command 'db load' comes first]"]
    assert line.ask("results")[0].startswith("m-results-[")
    assert len(line.ask("infer 1 0")) == 7
    assert line.ask("db load 2") == ["m-[Expecting 2 bytes]"]
    assert line.ask("db 0") == ["e-[Insufficient number of hex digits]"]
    assert line.ask("db 0g") == ["e-[Invalid hex digit 'g']"]
    assert line.ask("infer 1 0") == ["e-[Input has 0 bytes, expected 24]"]
    assert line.ask("db AbCd99") == ["m-load-done"]
    assert line.ask("db print") == ["m-buffer-ab-cd"]
    assert line.ask("infer 1 0") == ["e-[Input has 2 bytes, expected 24]"]


def test_commands_split_at_every_byte(line):
    line.load(window())
    said = ("name", "profile", "timestamp", "help", "db print", "infer 3 0", "results")
    refused = ("bogus", "db", "db 00", "db load", "db load 99", "infer 0")
    for command in (*said, *refused):
        text = f"{command}%".encode()

        def fixed(answer):
            return [each for each in answer if not each.startswith("m-lap-us-")]

        whole = fixed(line.ask(command))
        for cut in range(1, len(text)):
            line.board.write(text[:cut])
            time.sleep(0.002)
            line.board.write(text[cut:])
            assert fixed(line.lines()) == [*whole, READY], (command, cut)
    for cut in range(1, len(b"db 07%")):
        assert line.ask("db load 1") == ["m-[Expecting 1 bytes]"]
        line.board.write(b"db 07%"[:cut])
        time.sleep(0.002)
        line.board.write(b"db 07%"[cut:])
        assert line.lines() == ["m-load-done", READY], cut
    assert line.ask("db print") == ["m-buffer-07"]


def test_a_model_that_only_streams_goes_on_from_sample_to_sample(tmp_path):
    model = tmp_path / "model"
    shutil.copytree(FIRMWARE / "tests" / "trivial", model)
    header = model / "model.h"
    header.write_text(header.read_text().replace("MODEL_MODES 3", "MODEL_MODES 2"))
    port = NativePort(build_image_of_c(board("native"), model, tmp_path / "image").elf)
    try:
        line = Line(SimpleNamespace(write=port.write, read=port.read))
        for _ in range(2):
            assert line.ask("name") and line.ask("infer 1 0") == ["e-[Input has 0 bytes, expected 3]"]
            assert line.ask("db load 4") == ["e-[Command 'db load' takes at most 3 bytes]"]
            got = []
            for start in range(0, SIZE, 3):
                line.load(window()[start : start + 3])
                got.append(line.ask("infer 1 0")[-1])
            assert got == [f"m-results-[{value:.3f}]" for value in trivial_results(window())]
    finally:
        port.close()


def test_a_model_of_int16(tmp_path):
    model = tmp_path / "model"
    shutil.copytree(FIRMWARE / "tests" / "trivial", model)
    for file in model.iterdir():
        text = file.read_text().replace("int8_t", "int16_t").replace("VALUE_BYTES 1", "VALUE_BYTES 2")
        text = text.replace(
            "const int16_t weights[]", "const int8_t weights[]"
        )  # codes of weights stay bytes
        file.write_text(text.replace("-128", "-32768").replace("127", "32767"))
    port = NativePort(build_image_of_c(board("native"), model, tmp_path / "image").elf)
    try:
        line = Line(SimpleNamespace(write=port.write, read=port.read))
        values = [1000 * i - 11_000 for i in range(24)]
        assert line.ask("db load 49") == ["e-[Command 'db load' takes at most 48 bytes]"]
        line.load(struct.pack("<24h", *values))
        sums = [sum(values[i : i + 3]) for i in range(0, 24, 3)]
        raw = [int(now / 2) + before for now, before in zip(sums, [0, *sums], strict=False)]
        expected = [0.25 * (max(-32768, min(32767, value)) - 7) for value in raw]
        assert line.ask("infer 1 0")[-1] == "m-results-[" + ",".join(f"{x:.3f}" for x in expected) + "]"
    finally:
        port.close()


def test_new_lines_and_blank_commands_are_nothing(line):
    line.board.write(b"%%\r\n%")
    assert line.silent()
    assert line.ask("\r\nname") == ["m-name-dut-[native]"]


def test_frames_and_commands_share_the_line(line):
    board = line.board
    board.greet()
    assert board.ask(RUN)[0] == 0x85
    assert line.ask("name") == ["m-name-dut-[native]"]
    # the command may have used the engine: the conversation is over, and nothing was counted as damage
    assert board.ask(STATS) == (ERROR, struct.pack("<BBI", 7, STATS, 0))
    board.greet()
    numbers = struct.unpack("<12I", board.ask(STATS)[1])
    assert numbers[6:8] == (0, 0)


def test_a_frame_is_never_a_command(line):
    """Bodies full of '%' and command text run as samples; what text says inside a frame is not obeyed."""
    board = line.board
    board.greet()
    first = 0
    for body in (b"%" * 60, b"name%" * 9 + b"xyz", b"%name%%name%", bytes([37, 10, 37]) * 16):
        for _ in range(40):  # with every seq, '%' among them
            kind, reply = board.ask(STEP, struct.pack("<I", first) + body[: len(body) // 3 * 3])
            assert kind == 0x83 and reply[:4] == struct.pack("<I", first)
            first += len(body) // 3
            assert board.ask(0x70, body)[0] == ERROR  # of a type that is printable, too
    assert line.silent(0.05)


def test_noise_is_over_after_a_silence(line):
    line.board.write(b"\xff\x80 name%")
    assert line.silent(0.05)
    time.sleep(0.15)
    assert line.ask("name") == ["m-name-dut-[native]"]


@pytest.mark.parametrize("name", ["nrf52840dk", "esp32c3"])
def test_the_boards_own_images_answer_the_runner(virtual, name):
    line = Line(virtual("trivial", name=name))
    line.board.read(0.3)  # what a ROM says at start-up
    assert line.ask("name") == [f"m-name-dut-[{name}]"]
    line.load(window())
    answer = line.ask("infer 50 1")
    times = [int(each.removeprefix("m-lap-us-")) for each in answer if each.startswith("m-lap-us-")]
    assert 50 < times[1] - times[0] < 50 * 500  # a window of 24 additions takes some microseconds
    expected = ",".join(f"{value:.3f}" for value in trivial_results(window()))
    assert answer[-1] == f"m-results-[{expected}]"
