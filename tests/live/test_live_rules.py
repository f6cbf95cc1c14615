# SPDX-License-Identifier: Apache-2.0
"""SPEC.md section 8 on all of core/, with scripted time: nothing waits, nothing is left to chance."""

from __future__ import annotations

import random
import struct
import zlib

import pytest

from edgegrf.link.calibration_record import CalibrationRecord
from edgegrf.link.frames import Decoder, Frame, encode
from edgegrf.link.live_messages import FaultRecord, LiveFlag, LiveFrame, LiveStatus, ScanFacts, StartRequest

HELLO, RESET, STEP, WRITE, RUN, READ, STATS = range(1, 8)
START, STOP, STATUS, SCAN, CAL_READ, CAL_WRITE, CAL_COMMIT, CAL_ERASE, FAULT = range(8, 17)
LIVE, ERROR = 0xC0, 0xFF
RAW, PRESSURE, ESTIMATE = 1, 2, 4
CORE = [
    f"core/{name}.c"
    for name in (
        "app",
        "link",
        "frame",
        "build",
        "sense",
        "calibration",
        "personal",
        "keep",
        "live",
        "mlperf",
    )
]
COUNTS = (100, 200, 300, 400, 500, 600, 700, 800)


class Script:
    """Lines for the probe, requests with running sequence numbers."""

    def __init__(self):
        self.lines, self.seq = [], 0
        self.ask(HELLO, b"\x01\x01")

    def ask(self, kind, body=b""):
        self.lines.append("send " + encode(Frame(kind, self.seq, body)).hex())
        self.seq = (self.seq + 1) % 256

    def start(self, rate_mhz=100_000, every=1, content=PRESSURE | ESTIMATE, keep_alive_ms=2000):
        self.ask(START, StartRequest(rate_mhz, every, content, keep_alive_ms).encode())

    def sample(self, number, *, ticks=None, ms=None, ready=None, counts=COUNTS):
        """One frame at 100 Hz, estimated `ready` ticks (us) after its first conversion."""
        ticks = 10_000 * (number + 1) if ticks is None else ticks
        self.lines.append(f"time {10 * (number + 1) if ms is None else ms}")
        self.lines.append(f"now {ticks + (90 if ready is None else ready)}")
        self.lines.append(f"frame {number} {ticks} {' '.join(map(str, counts))}")
        self.lines.append("turn")

    def wait(self, ms):
        self.lines += [f"time {ms}", "turn"]


@pytest.fixture
def play(probe):
    run = probe("live_probe", *CORE, "engine/engine_aot.c", "tests/trivial/model.c")

    def play(script):
        """(frames that the board sent, what it told the scan)."""
        decoder, sent, scan = Decoder(), [], []
        for line in run("\n".join(script.lines) + "\n"):
            word, _, rest = line.partition(" ")
            if word == "sent":
                text = not rest.startswith("00")  # the answer to a command in text
                sent += [] if text else decoder.feed(bytes.fromhex(rest))
            else:
                scan.append(line)
        assert decoder.errors.total == 0
        return sent, scan

    return play


def lives(sent):
    import numpy as np

    return [LiveFrame.decode(frame.body, 8, 1, np.dtype(np.int8)) for frame in sent if frame.type == LIVE]


def replies(sent):
    return [frame for frame in sent if frame.type != LIVE]


def error(frame):
    assert frame.type == ERROR
    return struct.unpack("<BBI", frame.body)


def test_samples_are_numbered_timed_and_counted(play):
    script = Script()
    script.start()
    for number in range(5):
        script.sample(number)
    script.ask(STATUS)
    script.ask(STOP)
    sent, scan = play(script)
    frames = lives(sent)
    assert [frame.sample for frame in frames] == list(range(5))
    assert [frame.time_us for frame in frames] == [0, 10_000, 20_000, 30_000, 40_000]
    assert {frame.latency_us for frame in frames} == {90}
    assert [frame.seq for frame in sent if frame.type == LIVE] == list(range(5))
    assert all(frame.estimate is not None and frame.flags & LiveFlag.UNCALIBRATED for frame in frames)
    status = LiveStatus.decode(replies(sent)[2].body)
    assert status.running and (status.samples, status.sent, status.lost, status.missed) == (5, 5, 0, 0)
    assert (status.jitter_max_ns, status.latency_max_us, status.rate_mhz) == (0, 90, 100_000)
    assert scan == ["scan 100000", "stop"]
    assert not LiveStatus.decode(replies(sent)[3].body).running


def test_lost_samples_late_ones_and_jitter_are_told(play):
    script = Script()
    script.start()
    script.sample(0)
    script.sample(1, ticks=20_003)
    script.sample(4, ticks=50_000)  # 2 and 3 are lost
    script.sample(5, ready=10_001)  # ready after the next one was due
    script.ask(STATUS)
    sent, _ = play(script)
    frames, status = lives(sent), LiveStatus.decode(replies(sent)[2].body)
    assert [frame.sample for frame in frames] == [0, 1, 4, 5]
    assert [frame.lost for frame in frames] == [0, 0, 2, 2]
    assert [bool(frame.flags & LiveFlag.MISSED) for frame in frames] == [False, False, False, True]
    assert (status.samples, status.lost, status.missed) == (4, 2, 1)
    assert status.jitter_max_ns == 3000 and status.jitter_mean_ns == 1500
    assert frames[-1].time_us == 50_000 and status.latency_max_us == 10_001


def test_a_first_sample_that_is_lost_counts(play):
    script = Script()
    script.start()
    script.sample(2)
    script.sample(3)
    script.ask(STATUS)
    sent, _ = play(script)
    status = LiveStatus.decode(replies(sent)[2].body)
    assert (status.samples, status.lost, status.jitter_max_ns) == (2, 2, 0)
    assert [frame.time_us for frame in lives(sent)] == [20_000, 30_000]


def test_every_other_sample_is_sent_but_all_are_estimated(play):
    script, every = Script(), Script()
    script.start()
    every.start(every=2)
    for number in range(6):
        counts = tuple(100 + 50 * number + count for count in COUNTS)
        script.sample(number, counts=counts)
        every.sample(number, counts=counts)
    whole, halved = lives(play(script)[0]), lives(play(every)[0])
    assert [frame.sample for frame in halved] == [0, 2, 4]
    assert [frame.estimate[0] for frame in halved] == [frame.estimate[0] for frame in whole[::2]]
    assert len({int(frame.estimate[0]) for frame in whole}) > 1


def test_open_and_saturated_sensors_are_named(play):
    script = Script()
    script.start(content=RAW | PRESSURE)
    script.sample(0, counts=(7, 8, 300, 4079, 4080, 4095, 0, 100))
    script.sample(1)
    sent, _ = play(script)
    first, second = lives(sent)
    assert (first.open, first.saturated) == ((0, 6), (4, 5))
    assert first.pressure[0] == first.pressure[6] == -3 and first.pressure[5] > first.pressure[2]
    assert first.counts.tolist() == [7, 8, 300, 4079, 4080, 4095, 0, 100]
    assert not second.flags & LiveFlag.FAULTS and second.open == ()


def test_counts_that_never_change_are_stuck_after_a_second(play):
    script = Script()
    script.start(content=RAW)
    for number in range(120):
        script.sample(number, counts=COUNTS if number < 110 else (101, *COUNTS[1:]))
    sent, _ = play(script)
    flags = [bool(frame.flags & LiveFlag.STUCK) for frame in lives(sent)]
    assert flags == [False] * 100 + [True] * 10 + [False] + [False] * 9


def test_an_adc_that_dies_is_told_and_told_again(play):
    script = Script()
    script.start()
    script.sample(0)
    for ms in (200, 259, 261, 400, 511, 513):
        script.wait(ms)
    script.sample(60, ticks=610_000, ms=600)
    sent, _ = play(script)
    frames = lives(sent)
    assert [bool(frame.flags & LiveFlag.SILENT) for frame in frames] == [False, True, True, False]
    assert frames[1].pressure is None and frames[1].estimate is None
    assert frames[3].lost == 59


def test_a_host_that_is_gone_ends_the_stream_and_nothing_else(play):
    script = Script()
    script.start(keep_alive_ms=500)
    for number in range(60):
        script.sample(number)
        if number == 20:
            script.ask(STATUS)
    assert len(lives(play(script)[0])) == 60  # heard at 210 ms: alive until 710 ms
    script = Script()
    script.start(keep_alive_ms=500)
    for number in range(60):
        script.sample(number)
    script.ask(STATUS)
    script.start(keep_alive_ms=500)
    script.sample(0, ms=700)
    sent, scan = play(script)
    status = LiveStatus.decode(replies(sent)[2].body)
    assert not status.running and status.ended == 2 and status.samples == 50
    assert len(lives(sent)) == 51 and scan == ["scan 100000", "stop", "scan 100000"]


def test_the_newest_host_has_the_board(play):
    script = Script()
    script.start()
    script.sample(0)
    script.ask(HELLO, b"\x01\x01")
    script.sample(1)
    script.ask(STATUS)
    sent, scan = play(script)
    assert len(lives(sent)) == 1 and scan == ["scan 100000", "stop"]
    status = LiveStatus.decode(replies(sent)[3].body)
    assert not status.running and status.ended == 3


def test_a_command_in_text_takes_the_board(play):
    script = Script()
    script.start()
    script.sample(0)
    script.lines += ["time 300", "send " + b"name%".hex()]
    script.sample(1, ms=310)
    script.ask(HELLO, b"\x01\x01")
    script.ask(STATUS)
    sent, scan = play(script)
    assert len(lives(sent)) == 1 and scan == ["scan 100000", "stop"]
    assert LiveStatus.decode(replies(sent)[-1].body).ended == 3


def test_what_comes_in_another_order_has_an_answer(play):
    script = Script()
    script.ask(STOP)
    script.ask(STATUS)
    script.ask(CAL_COMMIT, struct.pack("<I", 7))
    script.ask(CAL_ERASE)
    sent, scan = play(script)
    stopped, status, refused, erased = replies(sent)[1:]
    assert not LiveStatus.decode(stopped.body).running and LiveStatus.decode(status.body).ended == 0
    assert error(refused) == (11, CAL_COMMIT, 1) and erased.type == CAL_ERASE | 0x80 and scan == []
    ungreeted = Script()
    ungreeted.lines.clear()
    ungreeted.start()
    sent, scan = play(ungreeted)
    assert error(sent[0]) == (7, START, 0) and scan == []


def test_what_would_disturb_a_stream_is_refused(play):
    script = Script()
    script.start()
    disturbing = {
        RESET: b"", STEP: bytes(7), WRITE: bytes(5), RUN: b"", CAL_WRITE: bytes(3), CAL_COMMIT: bytes(4),
        CAL_ERASE: b"",
    }  # fmt: skip
    harmless = {READ: struct.pack("<IH", 0, 1), STATS: b"", SCAN: b"", STATUS: b"", FAULT: b"\0",
                CAL_READ: struct.pack("<HH", 0, 16)}  # fmt: skip
    for kind, body in {**disturbing, **harmless}.items():
        script.ask(kind, body)
    script.ask(STOP)
    script.ask(RESET)
    sent, _ = play(script)
    answers = replies(sent)[2:]
    for kind, frame in zip(disturbing, answers, strict=False):
        assert error(frame) == (9, kind, 0)
    assert [frame.type for frame in answers[7:]] == [kind | 0x80 for kind in (*harmless, STOP, RESET)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", (2, START, 0)),
        (bytes(9), (2, START, 9)),
        (StartRequest(0, 0, 1, 2000).encode(), (5, START, 256)),
        (StartRequest(0, 1, 0, 2000).encode(), (5, START, 256)),
        (StartRequest(0, 1, 8, 2000).encode(), (5, START, 256)),
        (StartRequest(0, 1, 1, 99).encode(), (5, START, 256)),
        (StartRequest(2_000_000, 1, 1, 2000).encode(), (5, START, 100_000)),
    ],
)
def test_start_refuses(play, body, expected):
    script = Script()
    script.ask(START, body)
    script.wait(10)
    sent, _ = play(script)
    assert error(replies(sent)[1]) == expected and lives(sent) == []


def test_another_rate_is_flagged(play):
    script = Script()
    script.start(rate_mhz=50_000)
    script.sample(0, ticks=20_000)
    assert lives(play(script)[0])[0].flags & LiveFlag.OFF_RATE


def test_scan_facts_and_the_fault_record(play):
    script = Script()
    script.ask(SCAN)
    script.ask(FAULT, b"\0")
    script.ask(FAULT, b"\1")
    script.ask(FAULT, b"\0")
    script.ask(FAULT)
    sent, _ = play(script)
    _, scan, first, second, third, short = replies(sent)
    assert ScanFacts.decode(scan.body) == ScanFacts(0, 8, 8, 100_000, 10, 10**6, 8, 4080, 4095, 7, (0, 2, 5))
    assert FaultRecord.decode(first.body) == FaultRecord(3, 0x1234, 0, 0, 0, 0, 1)
    assert second.body == first.body and not any(third.body)
    assert error(short) == (2, FAULT, 0)


def record_changed(**changes):
    """The default record of the probe's board, with changes of header or first sensor."""
    knots = tuple(min(65535, 8192 * (knot + 1) - 1) for knot in range(8))
    sensor = {"offset": 0, "band": 0, "gain": 500_000, "knots": knots}
    weight = changes.pop("weight", 700_000)
    magic, channels = changes.pop("magic", 0x31434745), changes.pop("channels", 8)
    first = {**sensor, **changes}
    packed = [
        struct.pack("<HHI8H", each["offset"], each["band"], each["gain"], *each["knots"])
        for each in (first, *[sensor] * 7)
    ]
    return struct.pack("<IHHII", magic, 208, channels, 0, weight) + b"".join(packed)


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"magic": 1}, 1), ({"channels": 7}, 1), ({"weight": 119_999}, 2), ({"weight": 4_000_001}, 2),
        ({"offset": 2049}, 3), ({"band": 513}, 4), ({"gain": 999}, 5), ({"gain": 20_000_001}, 5),
        ({"knots": (5, 4, 6, 7, 8, 9, 10, 11)}, 6), ({"knots": (0,) * 8}, 6),
    ],
)  # fmt: skip
def test_an_implausible_calibration_is_refused_and_the_old_one_holds(play, changes, detail):
    script = Script()
    data = record_changed(**changes)
    script.ask(CAL_WRITE, b"\0\0" + data)
    script.ask(CAL_COMMIT, struct.pack("<I", zlib.crc32(data)))
    script.ask(CAL_READ, struct.pack("<HH", 0, 208))
    sent, _ = play(script)
    _, written, refused, read = replies(sent)
    assert written.type == CAL_WRITE | 0x80 and error(refused) == (11, CAL_COMMIT, detail)
    assert CalibrationRecord.decode(read.body).weight_mn == 700_000


def test_a_damaged_copy_and_a_worn_page_are_refused(play):
    script = Script()
    data = record_changed(offset=9)
    script.ask(CAL_WRITE, b"\0\0" + data)
    script.ask(CAL_COMMIT, struct.pack("<I", zlib.crc32(data) ^ 1))
    script.ask(CAL_WRITE, b"\0\0" + data)
    script.ask(CAL_COMMIT, struct.pack("<I", zlib.crc32(data)))
    script.ask(CAL_WRITE, struct.pack("<H", 200) + bytes(9))
    script.ask(CAL_READ, struct.pack("<HH", 200, 9))
    script.ask(CAL_READ, struct.pack("<HH", 16, 2))
    sent, _ = play(script)
    answers = replies(sent)[1:]
    assert error(answers[1]) == (11, CAL_COMMIT, 1)
    assert error(answers[3]) == (12, CAL_COMMIT, 0)
    assert error(answers[4]) == (5, CAL_WRITE, 208) and error(answers[5]) == (5, CAL_READ, 208)
    assert answers[6].body == b"\0\0"  # the default's offset


@pytest.mark.parametrize("seed", range(4))
def test_random_requests_amid_a_stream_are_each_answered_once(play, seed):
    rng = random.Random(seed)
    script, asked = Script(), 1
    for number in range(300):
        kind = rng.choice([*range(2, 20), START, START, rng.randrange(256)])
        length = rng.choice([0, 1, 2, 3, 4, 6, 8, 9, 26, 210, 256])
        body = rng.randbytes(length)
        if kind == START and rng.random() < 0.7:
            body = StartRequest(100_000, rng.randrange(1, 4), rng.randrange(1, 8), 500).encode()
        if kind == HELLO:
            continue
        script.ask(kind, body)
        script.sample(number, counts=[rng.randrange(4096) for _ in range(8)])
        asked += 1
    script.ask(HELLO, b"\x01\x01")
    script.ask(STATUS)
    sent, _ = play(script)
    answers = replies(sent)
    assert len(answers) == asked + 2 and lives(sent)
    assert not LiveStatus.decode(answers[-1].body).running
