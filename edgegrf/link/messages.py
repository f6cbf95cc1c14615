# SPDX-License-Identifier: Apache-2.0
"""The messages of SPEC.md, section 3, as typed records; decoding is strict on every length.

The hello, which is longer than all of them, is in link/hello.py.
"""

from __future__ import annotations

import struct
from dataclasses import astuple, dataclass
from enum import IntEnum

from edgegrf.link.hello import MalformedError

__all__ = [
    "REPLY",
    "BoardError",
    "ErrorCode",
    "MessageType",
    "ReadRequest",
    "RunReply",
    "Stats",
    "StepReply",
    "StepRequest",
    "WriteRequest",
]

REPLY = 0x80

_STEP = struct.Struct("<IBB")
_READ = struct.Struct("<IH")
_ERROR = struct.Struct("<BBI")
_STATS = struct.Struct("<12I")
_U32 = struct.Struct("<I")


class MessageType(IntEnum):
    """The type of a request; its reply's type has bit 7 set, or is ERROR.  LIVE comes unasked."""

    HELLO = 0x01
    RESET = 0x02
    STEP = 0x03
    WRITE = 0x04
    RUN = 0x05
    READ = 0x06
    STATS = 0x07
    START = 0x08
    STOP = 0x09
    STATUS = 0x0A
    SCAN = 0x0B
    CAL_READ = 0x0C
    CAL_WRITE = 0x0D
    CAL_COMMIT = 0x0E
    CAL_ERASE = 0x0F
    FAULT = 0x10
    PERSONAL_READ = 0x11
    PERSONAL_WRITE = 0x12
    PERSONAL_COMMIT = 0x13
    PERSONAL_ERASE = 0x14
    LIVE = 0xC0
    ERROR = 0xFF


class ErrorCode(IntEnum):
    """Why a board refused a request."""

    UNKNOWN_TYPE = 1
    BAD_LENGTH = 2
    BAD_INDEX = 3
    NO_MODE = 4
    OUT_OF_RANGE = 5
    SEQUENCE = 6
    NOT_GREETED = 7
    PROTOCOL = 8
    BUSY = 9
    NO_PART = 10
    IMPLAUSIBLE = 11
    STORE = 12


@dataclass(frozen=True)
class StepRequest:
    """Samples from number `first` since RESET on: n x input_channels values, one after another."""

    first: int
    samples: bytes

    def encode(self) -> bytes:
        """The body, 4 bytes and the samples."""
        return _U32.pack(self.first) + self.samples

    @classmethod
    def decode(cls, body: bytes) -> StepRequest:
        """The request in `body`."""
        if len(body) < 5:
            raise MalformedError("STEP request", len(body))
        return cls(_U32.unpack_from(body)[0], body[4:])


@dataclass(frozen=True)
class StepReply:
    """The engine's cycles for each sample from number `first` on, and the estimates that came of them."""

    first: int
    samples: int
    estimates: int
    cycles: bytes  # [samples] u32
    values: bytes  # [estimates][output_channels]

    def encode(self) -> bytes:
        """The body: 6 bytes, the cycles, the values."""
        return _STEP.pack(self.first, self.samples, self.estimates) + self.cycles + self.values

    @classmethod
    def decode(cls, body: bytes, estimate_bytes: int) -> StepReply:
        """The reply in `body`, whose counts must account for every byte."""
        if len(body) < _STEP.size:
            raise MalformedError("STEP reply", len(body))
        first, samples, estimates = _STEP.unpack_from(body)
        split = _STEP.size + 4 * samples
        if len(body) != split + estimates * estimate_bytes:
            raise MalformedError("STEP reply", len(body))
        return cls(first, samples, estimates, body[_STEP.size : split], body[split:])


@dataclass(frozen=True)
class WriteRequest:
    """Bytes for the window's input, from `offset` on."""

    offset: int
    data: bytes

    def encode(self) -> bytes:
        """The body, 4 bytes and the data."""
        return _U32.pack(self.offset) + self.data

    @classmethod
    def decode(cls, body: bytes) -> WriteRequest:
        """The request in `body`."""
        if len(body) < 5:
            raise MalformedError("WRITE request", len(body))
        return cls(_U32.unpack_from(body)[0], body[4:])


@dataclass(frozen=True)
class RunReply:
    """The cycles that the window took."""

    cycles: int

    def encode(self) -> bytes:
        """The body, 4 bytes."""
        return _U32.pack(self.cycles)

    @classmethod
    def decode(cls, body: bytes) -> RunReply:
        """The reply in `body`."""
        if len(body) != _U32.size:
            raise MalformedError("RUN reply", len(body))
        return cls(*_U32.unpack(body))


@dataclass(frozen=True)
class ReadRequest:
    """Asks for `count` (1..256) bytes of the window's output, from `offset` on."""

    offset: int
    count: int

    def encode(self) -> bytes:
        """The body, 6 bytes."""
        return _READ.pack(self.offset, self.count)

    @classmethod
    def decode(cls, body: bytes) -> ReadRequest:
        """The request in `body`."""
        if len(body) != _READ.size:
            raise MalformedError("READ request", len(body))
        return cls(*_READ.unpack(body))


@dataclass(frozen=True)
class Stats:
    """A board's counters; 0 where it cannot know.  Sizes in bytes; ram_bytes is without the stack."""

    stack_used: int
    stack_size: int
    flash_bytes: int
    ram_bytes: int
    received_bytes: int
    good_frames: int
    check_errors: int
    length_errors: int
    duplicates: int
    overruns: int
    uptime_ms: int
    longest_cycles: int

    def encode(self) -> bytes:
        """The body, 48 bytes."""
        return _STATS.pack(*astuple(self))

    @classmethod
    def decode(cls, body: bytes) -> Stats:
        """The reply in `body`."""
        if len(body) != _STATS.size:
            raise MalformedError("STATS reply", len(body))
        return cls(*_STATS.unpack(body))


@dataclass(frozen=True)
class BoardError:
    """A refusal: an ErrorCode, the type of the refused request, and what the code's row in SPEC.md says."""

    code: int
    request: int
    detail: int

    def encode(self) -> bytes:
        """The body, 6 bytes."""
        return _ERROR.pack(self.code, self.request, self.detail)

    @classmethod
    def decode(cls, body: bytes) -> BoardError:
        """The reply in `body`."""
        if len(body) != _ERROR.size:
            raise MalformedError("ERROR", len(body))
        return cls(*_ERROR.unpack(body))
