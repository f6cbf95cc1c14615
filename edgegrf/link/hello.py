# SPDX-License-Identifier: Apache-2.0
"""The greeting (SPEC.md, HELLO): what host and board must know of each other before any sample."""

from __future__ import annotations

import math
import struct
from dataclasses import astuple, dataclass
from enum import IntFlag
from typing import Any

import numpy as np

from edgegrf.errors import LinkError
from edgegrf.link.frames import MAX_BODY

__all__ = ["PROTOCOL", "Hello", "HelloRequest", "MalformedError", "Mode"]

PROTOCOL = 1

_HELLO = struct.Struct("<BBHIBBHHHHHhHffifi8s32s32s")
_MAX_TEXT = 31
_STEP_REQUEST_HEAD = 4  # bytes of STEP before its samples, and of its reply before the cycles
_STEP_REPLY_HEAD = 6


class MalformedError(LinkError):
    """A message whose body does not have the form that SPEC.md gives it."""

    def __init__(self, message: str, length: int) -> None:
        super().__init__(
            f"a malformed {message} of {length} bytes",
            why="the board's firmware speaks another dialect of the protocol",
            fix="flash firmware of this edgegrf: edgegrf flash",
        )


class Mode(IntFlag):
    """How a board's engine can run its model.

    LIVE: the board scans sensors itself; PERSONAL: the constants of its last layer are its wearer's.
    """

    WINDOW = 1
    STREAM = 2
    LIVE = 4
    PERSONAL = 8


@dataclass(frozen=True)
class HelloRequest:
    """The protocols that the host speaks, lowest and highest."""

    protocol_min: int = PROTOCOL
    protocol_max: int = PROTOCOL

    def encode(self) -> bytes:
        """The body, 2 bytes."""
        return bytes((self.protocol_min, self.protocol_max))

    @classmethod
    def decode(cls, body: bytes) -> HelloRequest:
        """The request in `body`."""
        if len(body) != 2:
            raise MalformedError("HELLO request", len(body))
        return cls(*body)


@dataclass(frozen=True)
class Hello:
    """What a board says of itself: link, engine, model (shapes, scales, hash) and firmware."""

    protocol: int
    credits: int
    max_body: int
    clock_hz: int
    reset_cause: int
    modes: int
    period: int
    input_channels: int
    output_channels: int
    window_samples: int
    window_estimates: int
    lookahead: int  # beyond the last sample of an estimate's period; the first estimate waits for both
    value_bytes: int  # of a value that goes in or out: 0 or 1 int8, 2 int16
    sample_rate_hz: float
    input_scale: float
    input_zero_point: int
    output_scale: float
    output_zero_point: int
    device_id: bytes  # 8
    model_sha256: bytes  # 32
    firmware_sha256: bytes  # 32
    board: str
    engine: str
    model: str
    version: str

    def encode(self) -> bytes:
        """The body: 116 bytes and four strings."""
        *fixed, board, engine, model, version = astuple(self)
        return _HELLO.pack(*fixed) + b"".join(_text(item) for item in (board, engine, model, version))

    @classmethod
    def decode(cls, body: bytes) -> Hello:
        """The reply in `body`; nothing may be missing, left over or senseless (no credits, no channels)."""
        if len(body) < _HELLO.size:
            raise MalformedError("HELLO reply", len(body))
        texts, at = [], _HELLO.size
        for _ in range(4):
            length = body[at] if at < len(body) else _MAX_TEXT + 1
            raw = body[at + 1 : at + 1 + length]
            if length > _MAX_TEXT or len(raw) != length:
                raise MalformedError("HELLO reply", len(body))
            texts.append(raw.decode("utf-8", errors="replace"))
            at += 1 + length
        if at != len(body):
            raise MalformedError("HELLO reply", len(body))
        hello = cls(*_HELLO.unpack_from(body), *texts)
        if not hello._is_sound():
            raise MalformedError("HELLO reply", len(body))
        return hello

    @property
    def virtual(self) -> bool:
        """True on an emulated board, whose cycles are an estimate."""
        return self.device_id.startswith(b"VIRTUAL")

    @property
    def native(self) -> bool:
        """True when the firmware runs as a process of this computer."""
        return self.device_id.startswith(b"NATIVE")

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the values that go in and come out."""
        return np.dtype("<i2" if self.value_bytes == 2 else np.int8)

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample in."""
        return self.input_channels * self.dtype.itemsize

    @property
    def estimate_bytes(self) -> int:
        """Bytes of one estimate out."""
        return self.output_channels * self.dtype.itemsize

    @property
    def samples_per_step(self) -> int:
        """How many samples fit one STEP, request and reply; 0 if not even one does."""
        body = min(MAX_BODY, self.max_body)
        for samples in range(min((body - _STEP_REQUEST_HEAD) // self.sample_bytes, 255), 0, -1):
            estimates = -(-samples // self.period)  # at most: the stream may stand anywhere in its period
            if _STEP_REPLY_HEAD + 4 * samples + estimates * self.estimate_bytes <= body:
                return samples
        return 0

    def estimates(self, samples: int) -> int:
        """How many estimates the first `samples` samples of a stream bring."""
        first = self.period - 1 + self.lookahead
        return max(0, -(-(samples - first) // self.period))

    def _is_sound(self) -> bool:
        streams = not self.modes & Mode.STREAM or self.period > 0
        windows = not self.modes & Mode.WINDOW or (self.window_samples > 0 and self.window_estimates > 0)
        return bool(
            self.credits
            and self.input_channels
            and self.output_channels
            and self.value_bytes <= 2
            and streams
            and windows
            and 0 < self.input_scale < math.inf
            and 0 < self.output_scale < math.inf
        )


def _text(text: str) -> bytes:
    raw = text.encode()
    if len(raw) > _MAX_TEXT:
        raise ValueError(f"'{text}' takes {len(raw)} bytes; a string of HELLO holds {_MAX_TEXT}")
    return bytes((len(raw),)) + raw
