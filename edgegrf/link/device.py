# SPDX-License-Identifier: Apache-2.0
"""A board as Python sees it: greeted, checked, fed with samples, asked for its counters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import DataError, FirmwareMismatchError, LinkError, UsageError
from edgegrf.graph.affine import Codes
from edgegrf.link.exchange import Exchange, LinkCounters, Patience, RefusedError, Request
from edgegrf.link.frames import MAX_BODY, Frame
from edgegrf.link.hello import PROTOCOL, Hello, HelloRequest, MalformedError, Mode
from edgegrf.link.messages import (
    REPLY,
    ErrorCode,
    MessageType,
    ReadRequest,
    RunReply,
    Stats,
    StepReply,
    StepRequest,
    WriteRequest,
)
from edgegrf.link.mismatch import mismatch
from edgegrf.link.personal_record import PERSONAL_SHA_AT
from edgegrf.link.transport import Transport
from edgegrf.progress import Progress, silent

__all__ = ["Device"]

Cycles = NDArray[np.uint32]

_GREETING = Patience(first_s=0.4, rounds=4)  # a board that was reset by opening the port needs about a second
_CHUNK = MAX_BODY - 4


class Device:
    """The client of one board; usable as a context manager, which closes the transport.

    `hello` is called by itself before the first exchange and after a broken one.
    """

    def __init__(self, transport: Transport, patience: Patience | None = None) -> None:
        self._exchange = Exchange(transport, patience)
        self._hello: Hello | None = None
        self._counting = False

    def __enter__(self) -> Device:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the port back."""
        self._exchange.transport.close()

    @property
    def name(self) -> str:
        """The port's name, as it was typed."""
        return self._exchange.transport.name

    @property
    def counters(self) -> LinkCounters:
        """What the host saw of the link since the first greeting."""
        return self._exchange.counters

    def hello(self) -> Hello:
        """Greet the board and learn what it is; its stream starts anew.

        Raises LinkError when it is silent, FirmwareMismatchError when it speaks another protocol.
        """
        self._hello = None
        self._exchange.restart()
        try:
            [frame] = self._exchange.replies([Request(MessageType.HELLO, HelloRequest().encode())], _GREETING)
        except RefusedError as refusal:
            if refusal.error.code != ErrorCode.PROTOCOL:
                raise
            low, high = refusal.error.detail & 0xFF, refusal.error.detail >> 8
            raise self._other_protocol(f"{low}..{high}") from refusal
        if frame.body[:1] != bytes((PROTOCOL,)):
            raise self._other_protocol(str(frame.body[0]) if frame.body else "unknown")
        hello = Hello.decode(frame.body)
        self._hello = hello
        self._exchange.credits = min(hello.credits, 64)
        if not self._counting:
            self._exchange.start_counting()
            self._counting = True
        return hello

    @property
    def info(self) -> Hello:
        """The last greeting; greets the board if that was never done."""
        return self._hello or self.hello()

    def expect_model(self, sha256: str, *, name: str = "", general: str = "") -> Hello:
        """Raise FirmwareMismatchError unless the board runs the `.tflite` of this hash, a personalised one by
        the personalisation in force; `general` is the hash of what that was made from."""
        info, personal = self.info, ""
        if info.modes & Mode.PERSONAL:
            place = PERSONAL_SHA_AT.to_bytes(2, "little") + (32).to_bytes(2, "little")
            personal = self.ask(MessageType.PERSONAL_READ, place).hex()
        if sha256 != (personal or info.model_sha256.hex()):
            raise mismatch(info, personal, sha256, name=name, general=general, port=self.name)
        return info

    def reset(self) -> None:
        """Make the stream forget all samples."""
        [frame] = self._ask([Request(MessageType.RESET)])
        _expect(frame, 0)

    def stream(self, samples: Codes, progress: Progress = silent) -> tuple[Codes, Cycles]:
        """Run samples [T, C] from a reset stream; returns estimates [N, K] and cycles [T].

        N is `info.estimates(T)`: one every `info.period` samples, from the first that need not wait on.
        """
        estimates: list[Codes] = []
        cycles: list[Cycles] = []
        for part, took in self.parts(samples):
            estimates.append(part)
            cycles.append(took)
            progress("stream", sum(map(len, cycles)), len(samples))
        return np.concatenate(estimates), np.concatenate(cycles)

    def parts(self, samples: Codes) -> Iterator[tuple[Codes, Cycles]]:
        """The same as it comes: (estimates [n, K], cycles [m]) of each next m samples."""
        info = self.info
        size = info.samples_per_step
        if not info.modes & Mode.STREAM or not size:
            raise _no_mode(info, "stream", "window")
        rows = _rows(samples, info)
        starts = range(0, len(rows), size)
        steps = (
            Request(MessageType.STEP, StepRequest(at, rows[at : at + size].tobytes()).encode())
            for at in starts
        )
        replies = self._ask(chain([Request(MessageType.RESET)], steps))
        _expect(next(replies), 0)
        for at, frame in zip(starts, replies, strict=True):
            reply = StepReply.decode(frame.body, info.estimate_bytes)
            end = min(at + size, len(rows))
            due = info.estimates(end) - info.estimates(at)
            if (reply.first, reply.samples, reply.estimates) != (at, end - at, due):
                raise _lost_count(at, reply)
            values = _codes(reply.values, info)
            yield values, np.frombuffer(reply.cycles, "<u4").astype(np.uint32)

    def _other_protocol(self, theirs: str) -> FirmwareMismatchError:
        return FirmwareMismatchError(
            f"{self.name}: the board speaks protocol {theirs}, this edgegrf speaks {PROTOCOL}",
            why="its firmware was built by another version of edgegrf",
            fix="edgegrf flash --board BOARD --model MODEL.tflite",
        )

    def window(self, samples: Codes) -> tuple[Codes, int]:
        """Run one window [window_samples, C]; returns estimates [window_estimates, K] and its cycles."""
        info = self.info
        if not info.modes & Mode.WINDOW:
            raise _no_mode(info, "window", "stream")
        rows = _rows(samples, info)
        if len(rows) != info.window_samples:
            raise DataError(
                f"a window of {len(rows)} samples; the model takes {info.window_samples}",
                fix="cut or fill it to the model's window",
            )
        data, total = rows.tobytes(), info.window_estimates * info.estimate_bytes
        writes = [
            Request(MessageType.WRITE, WriteRequest(at, data[at : at + _CHUNK]).encode())
            for at in range(0, len(data), _CHUNK)
        ]
        reads = [
            Request(MessageType.READ, ReadRequest(at, min(MAX_BODY, total - at)).encode())
            for at in range(0, total, MAX_BODY)
        ]
        frames = list(self._ask([*writes, Request(MessageType.RUN), *reads]))
        ran, parts = frames[len(writes)], frames[len(writes) + 1 :]
        for frame in frames[: len(writes)]:
            _expect(frame, 0)
        for at, frame in zip(range(0, total, MAX_BODY), parts, strict=True):
            _expect(frame, min(MAX_BODY, total - at))
        values = _codes(b"".join(frame.body for frame in parts), info)
        return values, RunReply.decode(ran.body).cycles

    def stats(self) -> Stats:
        """The board's own counters and sizes."""
        [frame] = self._ask([Request(MessageType.STATS)])
        return Stats.decode(frame.body)

    def ask(self, type: MessageType, body: bytes = b"") -> bytes:
        """The body of the reply to one request; a refusal (RefusedError) leaves the conversation as it is."""
        hello = self.info
        try:
            [frame] = self._ask([Request(type, body)])
        except RefusedError:
            self._hello = hello
            raise
        return frame.body

    def unasked(self, timeout_s: float) -> Frame | None:
        """The next frame that the board sent without being asked; None when none came in time."""
        return self._exchange.unasked(timeout_s)

    def drop_unasked(self) -> None:
        """Forget the frames that came unasked until now, of a stream that has ended."""
        self._exchange.drop_unasked()

    def _ask(self, requests: Iterable[Request]) -> Iterator[Frame]:
        if self._hello is None:
            self.hello()
        whole = False
        try:
            yield from self._exchange.replies(requests)
            whole = True
        finally:
            if not whole:
                self._hello = None  # what is under way is unknown: greet again before the next question


def _expect(frame: Frame, length: int) -> None:
    if len(frame.body) != length:
        raise MalformedError(MessageType(frame.type & ~REPLY).name + " reply", len(frame.body))


def _codes(data: bytes, info: Hello) -> Codes:
    """Values from the line as [N, output_channels]."""
    values: Codes = np.frombuffer(data, info.dtype).reshape(-1, info.output_channels)
    return values


def _rows(samples: Codes, info: Hello) -> Codes:
    channels = info.input_channels
    if samples.dtype != info.dtype or not samples.size or samples.size != samples.shape[0] * channels:
        raise DataError(
            f"samples {samples.dtype} {samples.shape}; the model takes {info.dtype} (T, {channels}), T >= 1",
            fix="select the model's sensors, in its order",
        )
    return np.ascontiguousarray(samples).reshape(-1, channels)


def _no_mode(info: Hello, asked: str, other: str) -> UsageError:
    return UsageError(
        f"{info.model or 'the model'} on {info.board or 'this board'} does not run in {asked} mode",
        why="it only sees whole windows" if asked == "stream" else "it is a step model",
        fix=f"use --mode {other}",
    )


def _lost_count(at: int, reply: StepReply) -> LinkError:
    return LinkError(
        f"the board answered samples {reply.first}..{reply.first + reply.samples - 1} "
        f"with {reply.estimates} estimates; asked were those from {at} on",
        why="another program speaks on the same port, or the firmware is not this edgegrf's",
        fix="close other programs on the port, or flash the board again: edgegrf flash",
    )
