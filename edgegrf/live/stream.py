# SPDX-License-Identifier: Apache-2.0
"""A live stream as it is followed: what came, what is missing, which sensors fail, and how it ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.boards import boards
from edgegrf.errors import LinkError, UsageError
from edgegrf.link.device import Device
from edgegrf.link.exchange import RestartedError
from edgegrf.link.hello import Hello, Mode
from edgegrf.link.insole import Insole, fault_of
from edgegrf.link.live_messages import Content, FaultKind, FaultRecord, LiveFlag, LiveFrame, LiveStatus

__all__ = ["Stream", "Terms", "describe", "follow", "line_bytes", "sensor_names"]

_FRAME_BYTES = 18 + 6 + 2 + 2  # body's head, type to CRC, COBS codes, delimiters
_MAX_RESTARTS = 5


@dataclass(frozen=True)
class Terms:
    """What is asked of the board: `rate_hz` 0 is the model's own."""

    content: Content = Content.PRESSURE | Content.ESTIMATE
    rate_hz: float = 0.0
    every: int = 1
    keep_alive_ms: int = 2000


@dataclass
class Stream:
    """What came of one START, in order; what is not in `frames` is missing.  Counters span restarts."""

    hello: Hello
    names: tuple[str, ...]  # of the sensors [C]
    rows: int  # of a matrix, else 0
    terms: Terms
    rate_hz: float
    frames: list[LiveFrame] = field(default_factory=list)
    missing: int = 0  # samples that never came, for whatever reason
    faults: dict[str, Counter[str]] = field(
        default_factory=lambda: {"open": Counter(), "saturated": Counter()}
    )
    jitter_us: float = 0.0  # the largest distance of an interval from the period, by the stamps
    stuck: int = 0  # samples
    silent: int = 0  # times
    restarts: list[str] = field(default_factory=list)  # why, in words
    status: LiveStatus | None = None  # of the end; None if the board was gone
    earlier: list[Stream] = field(default_factory=list)  # what came before each restart
    broken: LinkError | None = None  # why the board was gone
    interrupted: bool = False  # by Ctrl-C

    @property
    def seconds(self) -> float:
        """Time since the first sample, by the board's clock."""
        return (self.frames[-1].sample + 1) / self.rate_hz if self.frames else 0.0

    def lasts(self, seconds: float | None) -> bool:
        """True when it has lasted `seconds`, to the nearest sample; never for None."""
        return seconds is not None and self.total_seconds > seconds - 0.5 / self.rate_hz

    @property
    def total_seconds(self) -> float:
        """Seconds of this stream and of what came before a restart."""
        return sum(part.seconds for part in self.parts())

    def parts(self) -> list[Stream]:
        """What came before each restart, and this."""
        return [*self.earlier, self]

    @property
    def last(self) -> LiveFrame | None:
        """The newest sample."""
        return self.frames[-1] if self.frames else None

    def take(self, frame: LiveFrame) -> None:
        """Add what came."""
        if frame.flags & LiveFlag.SILENT:
            self.silent += 1
            return
        due = self.frames[-1].sample + self.terms.every if self.frames else 0
        self.missing += max(0, (frame.sample - due) // self.terms.every)
        if self.frames:
            last = self.frames[-1]
            interval_us = (frame.time_us - last.time_us) % (1 << 32)
            away = abs(interval_us - 1e6 * (frame.sample - last.sample) / self.rate_hz)
            self.jitter_us = max(self.jitter_us, away)
        self.stuck += bool(frame.flags & LiveFlag.STUCK)
        for kind, numbers in (("open", frame.open), ("saturated", frame.saturated)):
            self.faults[kind].update(self.names[number] for number in numbers)
        self.frames.append(frame)

    def pressure(self) -> NDArray[Any]:
        """Pressure [T, C] of the samples that came, in the model's code."""
        rows = [frame.pressure for frame in self.frames if frame.pressure is not None]
        return np.stack(rows) if rows else np.empty((0, len(self.names)), self.hello.dtype)

    def counts(self) -> NDArray[np.uint16]:
        """Raw counts [T, C] of the samples that came."""
        rows = [frame.counts for frame in self.frames if frame.counts is not None]
        return np.stack(rows) if rows else np.empty((0, len(self.names)), np.uint16)

    def estimates(self) -> NDArray[Any]:
        """The estimates [N, K] that came."""
        rows = [frame.estimate for frame in self.frames if frame.estimate is not None]
        return np.stack(rows) if rows else np.empty((0, self.hello.output_channels), self.hello.dtype)


def sensor_names(insole: Insole) -> tuple[str, ...]:
    """The board's sensors by name [C], as its board.toml has them; numbered where it is not known."""
    known = boards().get(insole.device.info.board)
    facts = insole.facts
    names = known.scan.names(facts.rows) if known and known.scan else ()
    return (names + tuple(f"sensor{n}" for n in range(len(names), facts.channels)))[: facts.channels]


def line_bytes(channels: int, hello: Hello, terms: Terms, rate_hz: float) -> float:
    """Bytes a second on the line without faults (SPEC.md, section 8)."""
    size = _FRAME_BYTES
    size += (channels * 3 + 1) // 2 if terms.content & Content.RAW else 0
    size += channels * hello.dtype.itemsize if terms.content & Content.PRESSURE else 0
    size += hello.estimate_bytes if terms.content & Content.ESTIMATE else 0
    return size * rate_hz / terms.every


def follow(
    device: Device,
    terms: Terms,
    seconds: float | None = None,
    *,
    on_frame: Callable[[Stream], None] = lambda stream: None,
) -> Stream:
    """Stream for `seconds` of the board's time (None: until Ctrl-C) and stop; `on_frame` sees each step.

    A board that restarts is greeted and started again, and the restart is told.  When it is gone, or another
    host took it, what came until then is returned, with `broken`; raises LinkError when nothing came.
    """
    stream, insole = _start(device, terms)
    try:
        while not stream.lasts(seconds):
            try:
                for frame in insole.frames():
                    if frame is not None:
                        stream.take(frame)
                    on_frame(stream)
                    if stream.lasts(seconds):
                        break
            except RestartedError as error:
                if len(stream.restarts) == _MAX_RESTARTS:
                    raise
                stream, insole = _restarted(device, terms, stream, error)
    except KeyboardInterrupt:
        stream.interrupted = True
    except LinkError as error:
        if not any(part.frames for part in stream.parts()):
            raise
        stream.broken = error
        return stream
    stream.status = insole.stop()
    return stream


def _start(device: Device, terms: Terms) -> tuple[Stream, Insole]:
    hello, insole = device.info, Insole(device)
    names = sensor_names(insole)
    if not hello.modes & Mode.STREAM:
        terms = Terms(terms.content & ~Content.ESTIMATE, terms.rate_hz, terms.every, terms.keep_alive_ms)
    rate_hz = terms.rate_hz or insole.facts.rate_mhz / 1000
    _check_line(hello, insole.facts.channels, terms, rate_hz)
    rate_mhz = insole.start(
        terms.content,
        rate_mhz=round(1000 * terms.rate_hz),
        every=terms.every,
        keep_alive_ms=terms.keep_alive_ms,
    )
    return Stream(hello, names, insole.facts.rows, terms, rate_mhz / 1000), insole


def _restarted(device: Device, terms: Terms, before: Stream, error: RestartedError) -> tuple[Stream, Insole]:
    """The stream begins anew, and its counters go on."""
    why = describe(fault_of(device), device.hello())
    stream, insole = _start(device, terms)
    stream.earlier = before.parts()
    stream.missing, stream.faults = before.missing, before.faults
    stream.stuck, stream.silent = before.stuck, before.silent
    stream.restarts = [*before.restarts, f"after {before.seconds:.1f} s: {why or error.why}"]
    return stream, insole


def _check_line(hello: Hello, channels: int, terms: Terms, rate_hz: float) -> None:
    known = boards().get(hello.board)
    needed = line_bytes(channels, hello, terms, rate_hz)
    if known and known.baud and needed > known.baud / 10:
        raise UsageError(
            f"{channels} sensors at {rate_hz:g} Hz need {needed:.0f} bytes/s; "
            f"{known.baud} baud carry {known.baud / 10:.0f}",
            why="a start and a stop bit go with each byte",
            fix="send less: --every 2, or --content pressure,estimate",
        )


_CAUSES = {
    1: "power-on",
    2: "the reset pin",
    3: "the watchdog",
    4: "software",
    5: "a lock-up",
    6: "a brown-out",
}
_KINDS: dict[int, str] = {
    FaultKind.HARD: "a hard fault",
    FaultKind.MEMORY: "a memory fault",
    FaultKind.BUS: "a bus fault",
    FaultKind.USAGE: "a usage fault",
    FaultKind.WATCHDOG: "the watchdog",
}


def describe(fault: FaultRecord | None, hello: Hello) -> str:
    """What a fault record and a reset cause say, in words; empty for an ordinary power-on."""
    if fault is not None:
        place = f" at pc 0x{fault.pc:08x}, lr 0x{fault.lr:08x}" if fault.pc or fault.lr else ""
        access = f", accessing 0x{fault.address:08x}" if fault.address else ""
        when = f", {fault.uptime_ms / 1000:.1f} s after its start" if fault.uptime_ms else ""
        kind = _KINDS.get(fault.kind, f"fault {fault.kind}")
        return f"the board restarted after {kind}{place}{access} (status 0x{fault.status:08x}){when}"
    if hello.reset_cause in (3, 5, 6):
        return f"the board was restarted by {_CAUSES[hello.reset_cause]}"
    return ""
