# SPDX-License-Identifier: Apache-2.0
"""The host's side of SPEC.md section 8: decoding is strict, and what a person reads says what happened."""

from __future__ import annotations

import io
import json
import random
from collections import deque
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from edgegrf.cli.live_view import _picture, trace
from edgegrf.errors import DataError, LinkError
from edgegrf.link.calibration_record import CalibrationRecord, SensorRecord, record_length
from edgegrf.link.exchange import Exchange, Patience, Request, TakenOverError
from edgegrf.link.frames import Frame, encode
from edgegrf.link.hello import MalformedError
from edgegrf.link.live_messages import Content, FaultRecord, LiveFrame, LiveStatus, ScanFacts, StartRequest
from edgegrf.link.messages import BoardError, MessageType
from edgegrf.live.backup import read_calibration, write_calibration
from edgegrf.live.guiding import _counts, asked_phases
from edgegrf.live.phases import Schedule
from edgegrf.live.stream import Stream, Terms, describe, line_bytes

VECTORS = json.loads((Path(__file__).parents[1] / "link/vectors.json").read_text())["good"]
INT8, INT16 = np.dtype(np.int8), np.dtype("<i2")


def body_of(name):
    return bytes.fromhex(next(vector["body"] for vector in VECTORS if vector["name"] == name))


def test_the_vectors_decode():
    frame = LiveFrame.decode(body_of("LIVE, two sensors, the second open"), 2, 1, INT8)
    assert (frame.sample, frame.time_us, frame.cycles, frame.latency_us) == (7, 70_000, 5_300, 91)
    assert frame.counts.tolist() == [0x123, 0x456] and frame.pressure.tolist() == [-112, -96]
    assert (frame.open, frame.saturated, frame.estimate.tolist()) == ((1,), (), [0x11])
    assert StartRequest.decode(body_of("START request")) == StartRequest(0, 1, 6, 2000)
    assert LiveStatus.decode(body_of("STATUS reply")).running
    assert ScanFacts.decode(body_of("SCAN reply")).sensor_of_input == (0, 2, 3, 6)


def test_sixteen_bit_values_are_little_endian():
    head = body_of("LIVE, two sensors, the second open")[:16] + bytes((1, 2))
    frame = LiveFrame.decode(head + bytes.fromhex("3412 00ff 0180"), 2, 1, INT16)
    assert frame.pressure.tolist() == [0x1234, -256] and frame.estimate.tolist() == [-32767]


def test_every_other_length_is_malformed():
    whole = body_of("LIVE, two sensors, the second open")
    for length in range(len(whole)):
        with pytest.raises(MalformedError):
            LiveFrame.decode(whole[:length], 2, 1, INT8)
    with pytest.raises(MalformedError):
        LiveFrame.decode(whole + b"\0", 2, 1, INT8)
    rng = random.Random(2)
    for kind in (LiveStatus, ScanFacts, StartRequest, FaultRecord, CalibrationRecord):
        for _ in range(200):
            with pytest.raises(MalformedError):
                kind.decode(rng.randbytes(rng.choice([0, 1, 7, 9, 23, 27, 43, 45, 100])))


def test_a_calibration_record_comes_back_from_bytes_and_file(tmp_path):
    sensors = tuple(SensorRecord(n, n + 1, 1000 * n + 5, tuple(range(n, n + 8))) for n in range(3))
    record = CalibrationRecord(4, 712_345, sensors)
    assert len(record.encode()) == record_length(3) == 88
    assert CalibrationRecord.decode(record.encode()) == record
    names = ("a", "b", "c")
    write_calibration(tmp_path / "c.json", record, names)
    assert read_calibration(tmp_path / "c.json", names) == replace(record, generation=0)
    with pytest.raises(DataError, match="3 other sensors"):
        read_calibration(tmp_path / "c.json", ("a", "b", "x"))
    for damage in ('"schema": 2', '"schema": "x"', "{"):
        text = (tmp_path / "c.json").read_text().replace('"schema": 1', damage, 1)
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(DataError):
            read_calibration(tmp_path / "bad.json", names)
    (tmp_path / "bad.json").write_text((tmp_path / "c.json").read_text().replace("1005", "-1"))
    with pytest.raises(DataError, match="outside its field"):
        read_calibration(tmp_path / "bad.json", names)


@pytest.mark.parametrize(
    ("fault", "cause", "said"),
    [
        (None, 1, ""),
        (None, 4, ""),
        (None, 3, "the board was restarted by the watchdog"),
        (None, 6, "the board was restarted by a brown-out"),
        (
            FaultRecord(3, 0x1A2C, 0x1B01, 0x8200, 0x50000000, 12_345, 2), 4,
            "the board restarted after a bus fault at pc 0x00001a2c, lr 0x00001b01, accessing 0x50000000 "
            "(status 0x00008200), 12.3 s after its start",
        ),
        (FaultRecord(5, 0, 0, 0, 0, 0, 1), 3, "the board restarted after the watchdog (status 0x00000000)"),
    ],
)  # fmt: skip
def test_a_fault_is_told_in_words(fault, cause, said):
    assert describe(fault, SimpleNamespace(reset_cause=cause)) == said


def test_spec_states_what_the_line_carries():
    one, two = (SimpleNamespace(dtype=INT8, estimate_bytes=n) for n in (1, 2))
    both, raw = Terms(), Terms(Content.RAW | Content.ESTIMATE)
    assert line_bytes(8, one, both, 100.0) <= 3700
    assert 31_200 <= line_bytes(128, two, both, 200.0) <= 31_800
    assert 44_000 <= line_bytes(128, two, raw, 200.0) <= 44_600 < 100_000
    assert line_bytes(128, two, Terms(every=4), 200.0) == line_bytes(128, two, both, 50.0)


def stream_of(frames, rows=0, names=("s1", "s2")):
    hello = SimpleNamespace(
        model="m", board="b", virtual=True, input_scale=0.01, input_zero_point=-128, output_scale=0.02,
        output_zero_point=-128, dtype=INT8, output_channels=1,
    )  # fmt: skip
    return Stream(hello, names, rows, Terms(), 100.0, frames)


def drawn(picture):
    from rich.console import Console

    console = Console(width=100, record=True, file=io.StringIO())
    console.print(picture)
    return console.export_text()


def test_the_view_draws_sensors_force_and_faults():
    frame = LiveFrame.decode(body_of("LIVE, two sensors, the second open"), 2, 1, INT8)
    text = drawn(_picture(stream_of([frame]), deque([0.0, 1.0, 2.0])))
    assert "s1  0.160 ████" in text and "s2  0.320" in text and "open" in text
    assert "force   2.90 BW" in text and "latency 91 µs" in text and "emulated" in text
    matrix = drawn(_picture(stream_of([frame], rows=2), deque()))
    assert "██" in matrix and "▒▒" in matrix
    assert trace([0.0, 1.0, 2.0, 1.0]) == " ▄█▄"


class Scripted:
    """A transport that answers each write with the next of its answers."""

    name = "scripted"

    def __init__(self, answers):
        self.answers, self.waiting = iter(answers), b""

    def write(self, data):
        self.waiting += next(self.answers, b"")

    def read(self, timeout_s):
        data, self.waiting = self.waiting, b""
        return data

    def close(self):
        pass


def test_refusals_out_of_sequence_name_the_other_host():
    out_of_step = encode(Frame(0xFF, 0, BoardError(6, 0x0A, 77).encode()))
    exchange = Exchange(Scripted([out_of_step] * 9), Patience(0.01, 6))
    with pytest.raises(TakenOverError):
        list(exchange.replies([Request(MessageType.STATUS)]))


def test_a_reply_lost_among_live_frames_is_asked_for_again():
    live = encode(Frame(0xC0, 1, b"x")) * 70
    answer = encode(Frame(0x8A, 0, b"here"))
    exchange = Exchange(Scripted([live, live + answer]), Patience(0.01, 6))
    [reply] = exchange.replies([Request(MessageType.STATUS)])
    assert reply.body == b"here" and exchange.counters.retries == 1
    assert sum(exchange.unasked(0.0) is not None for _ in range(200)) == 140


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"broken": LinkError("gone")}, LinkError),
        ({"interrupted": True}, KeyboardInterrupt),
        ({"restarts": ["after 3.0 s: a fault"]}, DataError),
        ({"missing": 3}, DataError),
    ],
)
def test_a_stream_that_did_not_go_to_its_end_calibrates_nobody(changes, error):
    frame = LiveFrame.decode(body_of("LIVE, two sensors, the second open"), 2, 1, INT8)
    assert _counts(stream_of([frame] * 40)).shape == (40, 2)
    with pytest.raises(error):
        _counts(replace(stream_of([frame] * 40), **changes))


def test_phases_are_asked_for_one_by_one(trivial_program, opened):
    asked = []
    phases = asked_phases(opened(trivial_program), Schedule(0.05, 0.1, 0.15), asked.append)
    assert asked == ["unloaded", "standing", "walking"]
    assert [len(each) for each in (phases.unloaded, phases.standing, phases.walking)] == [5, 10, 15]
