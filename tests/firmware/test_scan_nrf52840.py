# SPDX-License-Identifier: Apache-2.0
"""The scan of port/nrf52840 on the virtual board: each frame is whole, in its time, or counted as lost."""

from __future__ import annotations

import random
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from scanning import ESTIMATE, RAW, SCAN, START, STOP, begin, frames, ramp, run, sample_of, status

CAL_READ, CAL_WRITE, CAL_COMMIT = 12, 13, 14
TICK = 16_000_000


@pytest.mark.parametrize("name", ["nrf52840dk", "nano33ble"])
def test_direct_sensors_are_converted_at_the_period_that_was_asked_for(virtual, name):
    board = virtual("trivial", name=name)
    board.greet()
    board.machine.wear(ramp(8), 100.0)
    assert begin(board, 100) == 100
    run(board, 2.0)
    found = status(board)
    assert (found["lost"], found["missed"], found["jitter"]) == (0, 0, 0)
    got = frames(board, 8)
    assert [sample for sample, _ in got] == list(range(len(got))) and 198 <= len(got) <= 202
    shown = np.array([sample_of(counts, 8) for _, counts in got])
    assert (shown == shown[:, :1]).all() and (np.diff(shown[:, 0]) == 1).all()


def test_six_sensors_of_a_board_with_six_inputs(virtual):
    board = virtual("trivial", name="xiao_nrf52840")
    board.greet()
    _, body = board.ask(SCAN)
    assert tuple(body[:2]) == (0, 6) and struct.unpack_from("<I", body, 12) == (TICK,)
    counts = np.array([[100, 200, 300, 400, 500, 4095]], dtype=np.uint16)
    board.machine.wear(counts, 100.0)
    begin(board, 50)
    run(board, 0.5)
    got = frames(board, 6)
    assert len(got) > 20 and all((row == counts[0]).all() for _, row in got)


def test_a_matrix_is_converted_row_by_row_when_it_has_settled(virtual):
    board = virtual("slow")  # 24 inputs: three rows of eight
    board.greet()
    assert tuple(board.ask(SCAN)[1][:2]) == (3, 8)
    board.machine.wear(ramp(24), 1000.0)
    begin(board, 333.3)
    run(board, 1.0)
    found = status(board)
    assert (found["lost"], found["jitter"]) == (0, 0)
    got = frames(board, 24)
    assert 330 < len(got) < 336
    for _, counts in got:  # a scan takes 0.4 ms: its rows show one sample, or two that follow
        shown = sample_of(counts, 24).reshape(3, 8)
        assert (shown == shown[:, :1]).all()
        steps = np.diff(shown[:, 0]) % 4096
        assert set(steps) <= {0, 1} and steps.sum() <= 1


def test_frames_wait_while_the_model_runs_and_what_is_lost_is_a_hole(virtual):
    """A step takes 25 ms; at 100 Hz frames come faster than they are taken."""
    board = virtual("slow")
    board.greet()
    board.machine.wear(ramp(24), 100.0)
    begin(board, 100, RAW | ESTIMATE)
    run(board, 4.0)
    found = status(board)
    got = frames(board, 24)
    assert found["lost"] > 100 and found["missed"] > 50
    numbers = np.array([sample for sample, _ in got])
    assert (np.diff(numbers) >= 1).all()
    shown = np.array([sample_of(counts, 24) for _, counts in got])
    assert (np.ptp(shown, axis=1) <= 1).all()  # no frame is made of two
    assert (np.abs(np.diff(shown[:, 0]) - np.diff(numbers)) <= 1).all()  # each has the number of its time
    assert found["samples"] + found["lost"] - numbers[-1] < 12


@pytest.mark.parametrize("rate", [0.5, 7.77, 99.9, 1234.567])
def test_the_rate_that_is_told_is_the_timers(virtual, rate):
    board = virtual("trivial")
    board.greet()
    told = begin(board, rate)
    ticks = round(TICK / rate)
    assert told == pytest.approx(TICK / ticks, abs=0.0006)
    assert board.machine.peek(0x4000_A540) == ticks


@pytest.mark.parametrize(
    ("model", "rate"), [("trivial", 8_000), ("slow", 3_000), ("trivial", 4_000_000), ("trivial", 0.007)]
)
def test_a_rate_that_the_scan_cannot_keep_is_refused(virtual, model, rate):
    board = virtual(model)
    board.greet()
    kind, _ = board.ask(START, struct.pack("<IBBH", round(rate * 1000), 1, RAW, 1000))
    assert kind == 0xFF
    run(board, 0.1)
    assert not board.live


@pytest.mark.parametrize(("model", "channels"), [("slow", 24), ("trivial", 8)])
def test_a_core_that_is_late_loses_frames_and_delivers_no_wrong_one(virtual, model, channels):
    """It is stalled at random for 5 us to 6 ms, in the main loop and in the middle of interrupts."""
    board = virtual(model)
    board.greet()
    board.machine.wear(ramp(channels), 200.0)
    begin(board, 200)
    rng, chip = random.Random(1), board.machine._chip
    for _ in range(1500):
        run(board, rng.uniform(0.00002, 0.003) if rng.random() < 0.7 else rng.uniform(0.000001, 0.00002))
        if chip.scs.active or rng.random() < 0.3:
            chip.core.spend(rng.choice((320, 1_000, 4_000, 12_800, 400_000)))
    found = status(board)
    got = frames(board, channels)
    assert found["lost"] > 30 and found["samples"] > 200
    for _, counts in got:
        shown = sample_of(counts, channels).reshape(-1, 8)
        assert (shown == shown[:, :1]).all()
        steps = np.diff(shown[:, 0]) % 4096
        assert set(steps) <= {0, 1} and steps.sum() <= 1
    assert found["samples"] + found["lost"] - got[-1][0] <= 2


def test_a_core_that_stands_still_for_many_periods_loses_them_and_goes_on(virtual):
    board = virtual("trivial")
    board.greet()
    board.machine.wear(ramp(8), 100.0)
    begin(board, 100)
    run(board, 0.5)
    board.machine._chip.core.spend(85_000 * 64)  # as while a page of flash is erased
    run(board, 0.5)
    found = status(board)
    got = frames(board, 8)
    assert 6 <= found["lost"] <= 10
    numbers = np.array([sample for sample, _ in got])
    shown = np.array([sample_of(counts, 8)[0] for _, counts in got])
    assert (np.abs((shown - shown[0]) - (numbers - numbers[0])) <= 1).all()
    assert np.diff(numbers).max() == found["lost"] + 1


def test_stop_switches_everything_off_and_start_begins_anew(virtual):
    board = virtual("slow")
    board.greet()
    for _ in range(3):
        begin(board, 100)
        run(board, 0.2)
        assert board.ask(STOP)[0] == 0x89
        quiet = len(frames(board, 24))
        assert board.machine.peek(0x4000_7500) == 0  # the ADC
        assert all(
            board.machine.peek(0x5000_0A00 + 4 * pin) == 2 for pin in range(1, 4)
        )  # rows P1.01 ... P1.03
        run(board, 0.3)
        assert board.machine.idle and len(frames(board, 24)) == quiet > 15
    assert board.live[0][1][:4] == bytes(4) and board.machine.warnings == []


def test_the_core_sleeps_between_samples(virtual):
    board = virtual("trivial")
    board.greet()
    begin(board, 100)
    before = board.machine.cycles
    run(board, 1.0)
    assert (board.machine.cycles - before) / 64e6 < 0.02
    assert 99 <= len(frames(board, 8)) <= 101


def test_what_is_stored_is_there_after_a_reset_and_a_power_cut(virtual):
    board = virtual("trivial")
    board.greet()
    _, record = board.ask(CAL_READ, struct.pack("<HH", 0, 208))
    record = bytearray(record)
    record[12:16] = struct.pack("<I", 700_000)  # the wearer's weight
    board.ask(CAL_WRITE, struct.pack("<H", 0) + record)
    for turn in (1, 2, 3):
        board.ask(CAL_WRITE, struct.pack("<H", 0) + record)
        kind, body = board.ask(CAL_COMMIT, struct.pack("<I", zlib.crc32(record)))
        assert (kind, struct.unpack("<I", body)[0]) == (0x8E, turn)
        board.machine.reset() if turn == 1 else board.machine.power_on()
        run(board, 0.1)
        board.greet()
        assert status(board)["generation"] == turn
        assert board.ask(CAL_READ, struct.pack("<HH", 12, 4))[1] == struct.pack("<I", 700_000)
