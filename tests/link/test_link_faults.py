# SPDX-License-Identifier: Apache-2.0
"""A bad line gives exact results or a LinkError; never a wrong estimate, never one counted twice."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from board_model import WINDOW, BoardModel, expected_stream, expected_window, greeting
from lines import CutLine, Line, NoisyLine

from edgegrf.errors import FirmwareMismatchError, LinkError, UsageError
from edgegrf.link.device import Device

SAMPLES = np.random.default_rng(7).integers(-128, 128, (170, 4)).astype(np.int8)


def check_stream(device, samples=SAMPLES, period=1):
    estimates, cycles = device.stream(samples)
    np.testing.assert_array_equal(estimates, expected_stream(samples, period))
    np.testing.assert_array_equal(cycles, 1000 + np.arange(len(samples)))


def executed_once(board, samples=SAMPLES):
    steps = b"".join(frame.body[4:] for frame in board.executed if frame.type == 3)
    assert steps == samples.tobytes()


def bytes_of_a_run(direction):
    board = BoardModel()
    line = CutLine(board, direction, 1 << 30, 0)
    check_stream(Device(line), SAMPLES)
    return line.passed


def test_sound_line_gives_exact_estimates_without_a_retry():
    board = BoardModel()
    line = Line(board)
    device = Device(line)
    check_stream(device)
    executed_once(board)
    counters = device.counters
    assert (counters.retries, counters.lost, counters.crc_errors, counters.duplicates) == (0, 0, 0, 0)
    assert counters.frames == 1 + 4  # RESET and STEPs of 50 samples
    assert line.timeouts == 0


@pytest.mark.parametrize("direction", ["to_board", "to_host"])
def test_gap_after_any_byte_is_repaired(direction):
    for start in range(bytes_of_a_run(direction)):
        board = BoardModel()
        device = Device(CutLine(board, direction, start, 1 + start % 40))
        check_stream(device)
        executed_once(board)
        assert device.counters.lost == 0


@pytest.mark.parametrize("direction", ["to_board", "to_host"])
def test_cut_after_any_byte_is_a_link_error(direction):
    whole = bytes_of_a_run(direction)
    for start in range(whole - 1):
        device = Device(CutLine(BoardModel(), direction, start, None))
        with pytest.raises(LinkError):
            device.stream(SAMPLES)


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.6])
@pytest.mark.parametrize("reorder", [False, True])
def test_hostile_line_never_gives_a_wrong_estimate(rate, reorder):
    exact = 0
    for seed in range(60):
        board = BoardModel()
        device = Device(NoisyLine(board, random.Random(seed), rate, reorder=reorder))
        try:
            check_stream(device)
            window = SAMPLES[:WINDOW]
            estimates, _ = device.window(window)
            np.testing.assert_array_equal(estimates, expected_window(window))
        except LinkError:
            continue
        executed_once(board)
        exact += 1
    assert exact == 60 if rate < 0.1 and not reorder else exact > 0


def test_window_needs_no_retry_on_a_sound_line():
    device = Device(Line(BoardModel()))
    estimates, cycles = device.window(SAMPLES[:WINDOW])
    np.testing.assert_array_equal(estimates, expected_window(SAMPLES[:WINDOW]))
    assert cycles == 90_000
    assert device.counters.retries == 0


def test_period_and_long_walk_wrap_the_sequence_numbers():
    samples = np.random.default_rng(1).integers(-128, 128, (15_001, 4)).astype(np.int8)
    board = BoardModel(greeting(period=4))
    check_stream(Device(NoisyLine(board, random.Random(3), 0.05, reorder=False)), samples, period=4)
    assert len(board.executed) > 256
    executed_once(board, samples)


def test_unplugging_in_the_middle_is_a_link_error():
    with pytest.raises(LinkError, match="unplugged"):
        Device(NoisyLine(BoardModel(), random.Random(1), 0.0, unplug_after=2)).stream(SAMPLES)


def test_silent_board_names_the_port_and_the_command():
    class Deaf(BoardModel):
        def feed(self, data):
            return b""

    with pytest.raises(LinkError) as caught:
        Device(Line(Deaf())).hello()
    assert "test:" in caught.value.what
    assert "edgegrf flash" in caught.value.fix


def test_babbling_board_is_silent_too():
    class Babbler(Line):
        def read(self, timeout_s):
            return b"\x55" * 4096

    with pytest.raises(LinkError):
        Device(Babbler(BoardModel())).hello()


def test_boot_text_is_no_link_error():
    class Booting(BoardModel):
        def feed(self, data):
            return b"ESP-ROM:esp32c3-api1\r\n\x00\x12\x00" + super().feed(data)

    device = Device(Line(Booting()))
    device.hello()
    assert device.counters.crc_errors == 0


def test_board_that_restarts_in_the_middle_is_noticed():
    class Restarting(BoardModel):
        def answer(self, frame):
            if len(self.executed) == 3:
                self.greeted = False
            return super().answer(frame)

    board = Restarting()
    device = Device(Line(board))
    with pytest.raises(LinkError, match="restarted"):
        device.stream(SAMPLES)
    board.executed.append(None)
    assert device.stats().stack_used == 700  # greets again by itself


def test_other_model_is_refused_with_the_repair():
    device = Device(Line(BoardModel()))
    assert device.expect_model(bytes(range(32)).hex()).board == "model"
    with pytest.raises(FirmwareMismatchError) as caught:
        device.expect_model("ab" * 32, name="mine.tflite")
    assert caught.value.fix == "edgegrf flash --board model --model mine.tflite"


def test_other_protocol_is_refused_with_the_repair():
    with pytest.raises(FirmwareMismatchError, match=r"protocol 9\.\.9") as caught:
        Device(Line(BoardModel(greeting(protocol=9)))).hello()
    assert "edgegrf flash" in caught.value.fix


def test_mode_that_the_model_lacks_is_a_usage_error():
    with pytest.raises(UsageError, match="stream"):
        Device(Line(BoardModel(greeting(modes=1)))).stream(SAMPLES)
    with pytest.raises(UsageError, match="window"):
        Device(Line(BoardModel(greeting(modes=2)))).window(SAMPLES[:WINDOW])


def test_samples_of_another_shape_or_type_are_refused():
    device = Device(Line(BoardModel()))
    for bad in (SAMPLES[:, :3], SAMPLES.astype(np.int16), SAMPLES[:0]):
        with pytest.raises(UsageError):
            device.stream(bad)
    with pytest.raises(UsageError):
        device.window(SAMPLES)
