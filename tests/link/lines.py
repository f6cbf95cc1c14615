# SPDX-License-Identifier: Apache-2.0
"""Lines to the test double that go wrong in every way a line can: cut, flipped, dropped, doubled, swapped."""

from __future__ import annotations

from edgegrf.errors import LinkError

__all__ = ["CutLine", "Line", "NoisyLine"]


class Line:
    """A sound line; `timeouts` counts the reads that found nothing."""

    name = "test:"

    def __init__(self, board):
        self.board = board
        self.arrived = bytearray()
        self.timeouts = 0
        self.closed = False

    def write(self, data):
        self.arrived += self.to_host(self.board.feed(self.to_board(data)))

    def read(self, timeout_s):
        assert timeout_s > 0
        data = bytes(self.arrived[:48])
        del self.arrived[:48]
        self.timeouts += not data
        return data

    def close(self):
        self.closed = True

    def to_board(self, data):
        return data

    def to_host(self, data):
        return data


class CutLine(Line):
    """Loses `length` bytes (None: all that follow) after byte `start` of one direction."""

    def __init__(self, board, direction, start, length):
        super().__init__(board)
        self.direction, self.start, self.length = direction, start, length
        self.passed = 0

    def cut(self, data):
        kept = bytearray()
        for value in data:
            gone = self.passed >= self.start and (
                self.length is None or self.passed < self.start + self.length
            )
            self.passed += 1
            if not gone:
                kept.append(value)
        return bytes(kept)

    def to_board(self, data):
        return self.cut(data) if self.direction == "to_board" else data

    def to_host(self, data):
        return self.cut(data) if self.direction == "to_host" else data


class NoisyLine(Line):
    """Does to each frame, with the probability `rate` each: flip bits, cut bytes, drop, double, delay."""

    def __init__(self, board, random, rate, *, reorder=True, unplug_after=None):
        super().__init__(board)
        self.random, self.rate, self.reorder = random, rate, reorder
        self.late = {"to_board": [], "to_host": []}
        self.left = unplug_after

    def write(self, data):
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise LinkError("unplugged")
        super().write(data)

    def read(self, timeout_s):
        data = super().read(timeout_s)
        if not data and self.late["to_host"]:
            return self.late["to_host"].pop()
        return data

    def to_board(self, data):
        return self.mangle(data, "to_board")

    def to_host(self, data):
        return self.mangle(data, "to_host")

    def mangle(self, data, direction):
        out, late = b"", self.late[direction]
        for piece in data.split(b"\x00"):
            if not piece:
                continue
            frame = b"\x00" + piece + b"\x00"
            fault = self.random.choice(("flip", "chop", "drop", "double", "swap", "boot"))
            if self.random.random() >= self.rate:
                out += frame
            elif fault == "flip":
                out += self.flip(frame)
            elif fault == "chop":
                out += frame[: self.random.randrange(len(frame))]
            elif fault == "double":
                out += frame * 2
            elif fault == "swap" and self.reorder:
                late.append(frame)
            elif fault == "boot":
                out += b"rst:0x1 (POWERON)\r\n" + frame
            if late and self.random.random() < 0.5:
                out += late.pop(0)
        return out

    def flip(self, frame):
        raw = bytearray(frame)
        for _ in range(self.random.randint(1, 3)):
            raw[self.random.randrange(len(raw))] ^= 1 << self.random.randrange(8)
        return bytes(raw)
