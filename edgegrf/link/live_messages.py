# SPDX-License-Identifier: Apache-2.0
"""The messages of SPEC.md, section 8: starting the insole, what it sends unasked, its counters, faults."""

from __future__ import annotations

import struct
from dataclasses import astuple, dataclass
from enum import IntEnum, IntFlag
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.link.hello import MalformedError

__all__ = ["Content", "FaultKind", "FaultRecord", "LiveEnd", "LiveFlag", "LiveFrame", "LiveStatus",
           "ScanFacts", "StartRequest", "unpack_counts"]  # fmt: skip

_START = struct.Struct("<IBBH")
_STATUS = struct.Struct("<4B10I")
_SCAN = struct.Struct("<BBHIIIHHHBB")
_LIVE = struct.Struct("<IIIHHBB")
_FAULT = struct.Struct("<7I")


class Content(IntFlag):
    """What a LIVE frame carries."""

    RAW = 1
    PRESSURE = 2
    ESTIMATE = 4


class LiveFlag(IntFlag):
    """What a LIVE frame, or STATUS, says of itself."""

    ESTIMATE = 1
    FAULTS = 2
    STUCK = 4
    SILENT = 8
    MISSED = 16
    UNCALIBRATED = 32
    OFF_RATE = 64
    RUNNING = 128


class LiveEnd(IntEnum):
    """Why a stream ended."""

    NEVER_RAN = 0
    STOPPED = 1
    HOST_GONE = 2
    TAKEN_OVER = 3


class FaultKind(IntEnum):
    """What stopped the firmware."""

    NONE = 0
    HARD = 1
    MEMORY = 2
    BUS = 3
    USAGE = 4
    WATCHDOG = 5


@dataclass(frozen=True)
class StartRequest:
    """Scan at `rate_mhz` (0: the model's rate), send every `every`-th frame with `content` until the host has
    been silent for `keep_alive_ms`."""

    rate_mhz: int
    every: int
    content: int
    keep_alive_ms: int

    def encode(self) -> bytes:
        """The body, 8 bytes."""
        return _START.pack(*astuple(self))

    @classmethod
    def decode(cls, body: bytes) -> StartRequest:
        """The request in `body`."""
        if len(body) != _START.size:
            raise MalformedError("START request", len(body))
        return cls(*_START.unpack(body))


@dataclass(frozen=True)
class LiveStatus:
    """The board's counters since START; `ended` says why the last stream ended."""

    flags: int
    content: int
    every: int
    ended: int
    rate_mhz: int
    samples: int  # scanned
    sent: int  # LIVE frames
    lost: int  # samples that the board lost
    missed: int  # deadlines: estimates ready after the next sample
    jitter_max_ns: int
    jitter_mean_ns: int
    latency_max_us: int  # first conversion to estimate
    cycles_max: int
    generation: int  # of the calibration in effect; 0: the default

    def encode(self) -> bytes:
        """The body, 44 bytes."""
        return _STATUS.pack(*astuple(self))

    @classmethod
    def decode(cls, body: bytes) -> LiveStatus:
        """The reply in `body`."""
        if len(body) != _STATUS.size:
            raise MalformedError("STATUS reply", len(body))
        return cls(*_STATUS.unpack(body))

    @property
    def running(self) -> bool:
        """True while LIVE frames come."""
        return bool(self.flags & LiveFlag.RUNNING)


@dataclass(frozen=True)
class ScanFacts:
    """The sensors of a board and which of them feed the model: `sensor_of_input` [inputs]."""

    rows: int  # of a matrix; 0: each column is a sensor
    columns: int
    channels: int
    rate_mhz: int  # of the model, or the board's own
    settle_us: int
    tick_hz: int
    open_below: int  # counts
    saturated_from: int
    full_count: int
    parts: int  # 1 scan, 2 fault record, 4 store
    sensor_of_input: tuple[int, ...]

    def encode(self) -> bytes:
        """The body, 24 bytes and the map."""
        *fixed, numbers = astuple(self)
        return _SCAN.pack(*fixed, len(numbers)) + bytes(numbers)

    @classmethod
    def decode(cls, body: bytes) -> ScanFacts:
        """The reply in `body`, whose map must name sensors that there are."""
        if len(body) < _SCAN.size:
            raise MalformedError("SCAN reply", len(body))
        fixed = _SCAN.unpack_from(body)
        inputs, channels = fixed[-1], fixed[2]
        numbers = tuple(body[_SCAN.size :])
        if len(numbers) != inputs or not channels or any(number >= channels for number in numbers):
            raise MalformedError("SCAN reply", len(body))
        return cls(*(*fixed[:-1], numbers))


@dataclass(frozen=True)
class LiveFrame:
    """One sample as it was scanned; arrays are None, or empty, where the frame does not carry them."""

    sample: int  # since START
    time_us: int  # since the first sample, modulo 2^32
    cycles: int  # of the engine
    latency_us: int  # from the first conversion to the estimate, at most 65535
    lost: int  # samples that the board lost so far, at most 65535
    flags: int
    counts: NDArray[np.uint16] | None  # [channels]
    pressure: NDArray[Any] | None  # [channels], the model's code
    open: tuple[int, ...]  # sensors that are not connected
    saturated: tuple[int, ...]
    estimate: NDArray[Any] | None  # [output_channels]

    @classmethod
    def decode(cls, body: bytes, channels: int, outputs: int, dtype: np.dtype[Any]) -> LiveFrame:
        """The frame in `body`, of values of `dtype`; its flags must account for every byte."""
        if len(body) < _LIVE.size:
            raise MalformedError("LIVE", len(body))
        sample, time_us, cycles, latency_us, lost, flags, content = _LIVE.unpack_from(body)
        map_bytes = -(-channels // 8)
        sizes = (
            (channels * 3 + 1) // 2 if content & Content.RAW else 0,
            channels * dtype.itemsize if content & Content.PRESSURE else 0,
            2 * map_bytes if flags & LiveFlag.FAULTS else 0,
            outputs * dtype.itemsize if flags & LiveFlag.ESTIMATE else 0,
        )
        if len(body) != _LIVE.size + sum(sizes):
            raise MalformedError("LIVE", len(body))
        at, parts = _LIVE.size, []
        for size in sizes:
            parts.append(body[at : at + size])
            at += size
        raw, pressure, faults, estimate = parts
        return cls(
            *(sample, time_us, cycles, latency_us, lost, flags),
            unpack_counts(raw, channels) if raw else None,
            np.frombuffer(pressure, dtype) if pressure else None,
            _numbers(faults[:map_bytes]),
            _numbers(faults[map_bytes:]),
            np.frombuffer(estimate, dtype) if estimate else None,
        )


@dataclass(frozen=True)
class FaultRecord:
    """What stopped the firmware before its last reset; addresses and the chip's own status words."""

    kind: int
    pc: int
    lr: int
    status: int
    address: int
    uptime_ms: int
    count: int  # faults since power-on

    def encode(self) -> bytes:
        """The body, 28 bytes."""
        return _FAULT.pack(*astuple(self))

    @classmethod
    def decode(cls, body: bytes) -> FaultRecord:
        """The reply in `body`."""
        if len(body) != _FAULT.size:
            raise MalformedError("FAULT reply", len(body))
        return cls(*_FAULT.unpack(body))


def unpack_counts(packed: bytes, channels: int) -> NDArray[np.uint16]:
    """Counts [channels] of 12 bits each, two in three bytes, the lower first."""
    data = np.frombuffer(packed + bytes(-len(packed) % 3), np.uint8).reshape(-1, 3).astype(np.uint16)
    low = data[:, 0] | (data[:, 1] & 0xF) << 8
    high = data[:, 1] >> 4 | data[:, 2] << 4
    return np.ascontiguousarray(np.stack([low, high], axis=1).reshape(-1)[:channels])


def _numbers(bits: bytes) -> tuple[int, ...]:
    return tuple(8 * at + bit for at, byte in enumerate(bits) for bit in range(8) if byte >> bit & 1)
