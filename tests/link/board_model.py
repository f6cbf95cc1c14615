# SPDX-License-Identifier: Apache-2.0
"""A test double for link faults: SPEC.md, section 2, written a second time in Python.

Its "network" is a running checksum of every sample since RESET, so that one sample executed twice, lost
or out of order changes each estimate after it.  What real firmware does is tested with the real firmware.
"""

from __future__ import annotations

import struct

import numpy as np

from edgegrf.link.frames import Decoder, Frame, encode
from edgegrf.link.hello import Hello

__all__ = ["BoardModel", "expected_stream", "expected_window", "greeting"]

WINDOW = 90


def greeting(**changes):
    fields = {
        "protocol": 1, "credits": 4, "max_body": 256, "clock_hz": 64_000_000, "reset_cause": 1, "modes": 3,
        "period": 1, "input_channels": 4, "output_channels": 1, "window_samples": WINDOW,
        "window_estimates": WINDOW, "lookahead": 0, "value_bytes": 0, "sample_rate_hz": 100.0,
        "input_scale": 0.0078125, "input_zero_point": -128, "output_scale": 0.015625,
        "output_zero_point": -128, "device_id": b"TESTTEST", "model_sha256": bytes(range(32)),
        "firmware_sha256": bytes(range(32, 64)), "board": "model", "engine": "checksum",
        "model": "checksum4", "version": "0.1.0",
    }  # fmt: skip
    return Hello(**{**fields, **changes})


def expected_stream(samples, period=1):
    state, out = 0, []
    for index, sample in enumerate(samples):
        state = (state * 31 + int(sample.astype(np.int64).sum()) + 7) & 0xFF
        if index % period == period - 1:
            out.append([state])
    return np.array(out, np.uint8).view(np.int8)


def expected_window(samples):
    return expected_stream(samples)


class BoardModel:
    """Bytes in, bytes out; `executed` lists every request that was executed, in order."""

    def __init__(self, hello=None):
        self.hello = hello or greeting()
        self.decoder = Decoder()
        self.executed = []
        self.greeted = False
        self.expected = 0
        self.kept = {}
        self.window_in = np.zeros((WINDOW, self.hello.input_channels), np.int8)
        self.window_out = bytes(WINDOW)
        self.forget()

    def forget(self):
        self.state, self.count = 0, 0

    def feed(self, data):
        return b"".join(encode(reply) for frame in self.decoder.feed(data) for reply in self.answer(frame))

    def answer(self, frame):
        if frame.type == 1:
            self.kept, self.greeted = {}, True
            self.forget()
            self.expected = (frame.seq + 1) % 256
            reply = self.keep(frame, self.greet(frame))
        elif not self.greeted:
            reply = error(frame, 7, 0)
        elif frame.seq == self.expected:
            self.executed.append(frame)
            self.expected = (self.expected + 1) % 256
            reply = self.keep(frame, self.execute(frame))
        elif (self.expected - frame.seq) % 256 <= self.hello.credits and frame.seq in self.kept:
            reply = self.kept[frame.seq]
        else:
            reply = error(frame, 6, self.expected)
        return [reply]

    def keep(self, frame, reply):
        self.kept[frame.seq] = reply
        self.kept.pop((frame.seq - self.hello.credits) % 256, None)
        return reply

    def greet(self, frame):
        if len(frame.body) != 2:
            return error(frame, 2, len(frame.body))
        if not frame.body[0] <= self.hello.protocol <= frame.body[1]:
            return error(frame, 8, self.hello.protocol * 257)
        return Frame(0x81, frame.seq, self.hello.encode())

    def execute(self, frame):
        body = frame.body
        if frame.type == 2:
            self.forget()
            return Frame(0x82, frame.seq)
        if frame.type == 3:
            return self.step(frame, struct.unpack_from("<I", body)[0], np.frombuffer(body[4:], np.int8))
        if frame.type == 4:
            at = struct.unpack_from("<I", body)[0]
            self.window_in.reshape(-1)[at : at + len(body) - 4] = np.frombuffer(body[4:], np.int8)
            return Frame(0x84, frame.seq)
        if frame.type == 5:
            self.window_out = expected_window(self.window_in).tobytes()
            return Frame(0x85, frame.seq, struct.pack("<I", 90_000))
        if frame.type == 6:
            at, count = struct.unpack("<IH", body)
            return Frame(0x86, frame.seq, self.window_out[at : at + count])
        if frame.type == 7:
            return Frame(0x87, frame.seq, struct.pack("<12I", 700, 4096, 30_000, 9_000, *range(8)))
        return error(frame, 1, frame.type)

    def step(self, frame, first, values):
        if first != self.count:
            return error(frame, 3, self.count)
        samples = values.reshape(-1, self.hello.input_channels)
        out = b""
        for sample in samples:
            self.state = (self.state * 31 + int(sample.astype(np.int64).sum()) + 7) & 0xFF
            self.count += 1
            if self.count % self.hello.period == 0:
                out += bytes((self.state,))
        cycles = struct.pack(f"<{len(samples)}I", *range(1000 + first, 1000 + first + len(samples)))
        head = struct.pack("<IBB", first, len(samples), len(out))
        return Frame(0x83, frame.seq, head + cycles + out)


def error(frame, code, detail):
    return Frame(0xFF, frame.seq, struct.pack("<BBI", code, frame.type, detail))
