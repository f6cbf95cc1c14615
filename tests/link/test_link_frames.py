# SPDX-License-Identifier: Apache-2.0
"""Frames and messages against the published vectors, and against bytes that hold no frame."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
import vectors
from board_model import greeting

from edgegrf.link.frames import MAX_BODY, Decoder, Frame, encode
from edgegrf.link.hello import Hello, HelloRequest, MalformedError
from edgegrf.link.messages import (
    BoardError,
    ReadRequest,
    RunReply,
    Stats,
    StepReply,
    StepRequest,
    WriteRequest,
)

VECTORS = json.loads(vectors.JSON.read_text())

frames = st.builds(Frame, st.integers(0, 255), st.integers(0, 255), st.binary(max_size=MAX_BODY))


def test_published_vectors_are_those_of_the_code():
    assert vectors.JSON.read_text() == vectors.json_text()
    assert vectors.SPEC.read_text() == vectors.spec_text()


@pytest.mark.parametrize("vector", VECTORS["good"], ids=lambda vector: vector["name"])
def test_good_vector_decodes_whole_and_byte_by_byte(vector):
    frame = Frame(vector["type"], vector["seq"], bytes.fromhex(vector["body"]))
    raw = bytes.fromhex(vector["frame"])
    assert encode(frame) == raw
    assert Decoder().feed(raw) == [frame]
    decoder = Decoder()
    assert [got for value in raw for got in decoder.feed(bytes((value,)))] == [frame]
    assert decoder.errors.total == 0


@pytest.mark.parametrize("vector", VECTORS["bad"], ids=lambda vector: vector["name"])
def test_bad_vector_is_dropped_and_counted(vector):
    decoder = Decoder()
    after = Frame(2, 1)
    assert decoder.feed(bytes.fromhex(vector["bytes"]) + encode(after)) == [after]
    assert getattr(decoder.errors, vector["counter"]) == 1
    assert decoder.errors.total == 1


@given(st.lists(frames, max_size=4), st.lists(st.integers(1, 64), min_size=1))
def test_frames_survive_any_chunking(sent, sizes):
    raw, decoder, got, at = b"".join(map(encode, sent)), Decoder(), [], 0
    while at < len(raw):
        size = sizes[at % len(sizes)]
        got += decoder.feed(raw[at : at + size])
        at += size
    assert got == sent


@given(st.binary(max_size=600))
def test_any_bytes_before_a_frame_leave_it_whole(noise):
    frame = Frame(3, 7, b"\x00\x01\x02")
    assert Decoder().feed(noise + encode(frame))[-1] == frame


@given(frames, st.data())
def test_up_to_three_flipped_bits_never_pass(frame, data):
    raw = bytearray(encode(frame))
    places = data.draw(st.sets(st.integers(0, len(raw) * 8 - 1), min_size=1, max_size=3))
    for place in places:
        raw[place // 8] ^= 1 << place % 8
    assert all(got == frame for got in Decoder().feed(bytes(raw)))


def test_decoder_stays_bounded_on_a_run_without_delimiters():
    decoder = Decoder()
    for _ in range(200):
        assert decoder.feed(b"\x01" * 1000) == []
    assert len(decoder._pending) < 300
    assert decoder.feed(b"\x00") == []
    assert decoder.errors.lengths == 1


def test_body_that_no_frame_holds_is_refused():
    with pytest.raises(ValueError, match="257"):
        encode(Frame(1, 0, bytes(257)))


MESSAGES = {
    "HELLO request": (HelloRequest(1, 3), HelloRequest.decode),
    "HELLO reply": (greeting(board="nrf52840dk", model="x" * 31), Hello.decode),
    "STEP request": (StepRequest(7, b"abcd"), StepRequest.decode),
    "STEP reply": (StepReply(7, 2, 1, bytes(8), b"\x01\x02"), lambda body: StepReply.decode(body, 2)),
    "WRITE request": (WriteRequest(9, b"x"), WriteRequest.decode),
    "RUN reply": (RunReply(2**32 - 1), RunReply.decode),
    "READ request": (ReadRequest(70_000, 256), ReadRequest.decode),
    "STATS reply": (Stats(*range(12)), Stats.decode),
    "ERROR": (BoardError(6, 3, 200), BoardError.decode),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_message_survives_the_way_there_and_back(name):
    message, decode = MESSAGES[name]
    assert decode(message.encode()) == message


@pytest.mark.parametrize("name", [name for name in MESSAGES if name not in ("STEP request", "WRITE request")])
def test_every_other_length_is_malformed(name):
    message, decode = MESSAGES[name]
    body = message.encode()
    for length in range(len(body)):
        with pytest.raises(MalformedError):
            decode(body[:length])
    with pytest.raises(MalformedError):
        decode(body + b"\x00")


@pytest.mark.parametrize("name", ["STEP request", "WRITE request"])
def test_head_without_data_is_malformed(name):
    message, decode = MESSAGES[name]
    for length in range(5):
        with pytest.raises(MalformedError):
            decode(message.encode()[:length])


@pytest.mark.parametrize(
    "change",
    [{"credits": 0}, {"input_channels": 0}, {"output_channels": 0}, {"period": 0}, {"window_samples": 0},
     {"input_scale": 0.0}, {"output_scale": float("nan")}, {"input_scale": float("inf")}],
    ids=str,
)  # fmt: skip
def test_senseless_hello_is_malformed(change):
    with pytest.raises(MalformedError):
        Hello.decode(greeting(**change).encode())


@pytest.mark.parametrize(
    ("change", "samples"),
    [({}, 50), ({"output_channels": 2}, 41), ({"input_channels": 128}, 1), ({"input_channels": 253}, 0),
     ({"input_channels": 1, "period": 50}, 62)],
    ids=str,
)  # fmt: skip
def test_a_step_takes_as_many_samples_as_both_bodies_hold(change, samples):
    hello = greeting(**change)
    assert hello.samples_per_step == samples
    if samples:
        estimates = -(-samples // hello.period)
        assert 4 + samples * hello.input_channels <= MAX_BODY
        assert 6 + 4 * samples + estimates * hello.output_channels <= MAX_BODY
