# SPDX-License-Identifier: Apache-2.0
"""Requests out, replies in, each exactly once and in order: go-back-N over an unreliable transport.

Up to `credits` requests are under way.  A board answers in order, so a reply proves that every frame
sent before it was answered or lost; when nothing is left in flight and a request is still open, the
open ones go out again.  The board executes none twice (SPEC.md, section 2).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from edgegrf.errors import LinkError
from edgegrf.link.frames import Decoder, Frame, encode
from edgegrf.link.messages import REPLY, BoardError, ErrorCode, MessageType
from edgegrf.link.transport import Transport

__all__ = [
    "Exchange",
    "LinkCounters",
    "Patience",
    "RefusedError",
    "Request",
    "RestartedError",
    "TakenOverError",
]

_MAX_NOISE = 1 << 16  # bytes without one good frame that count as silence
_LONGEST_WAIT_S = 8.0
_UNASKED_WEIGHS = 1 << 10  # bytes of noise: after 64 such frames a reply is lost, not late
_MAX_UNASKED = 1 << 14  # frames that wait to be drawn; beyond, the oldest are dropped
_OUT_OF_STEP = 3  # rounds that the board refused as out of sequence: another host talks to it


@dataclass(frozen=True)
class Request:
    """One question to the board."""

    type: MessageType
    body: bytes = b""


@dataclass(frozen=True)
class Patience:
    """How long to wait for a reply: `first_s` seconds, doubled (up to 8 s) each of `rounds` times."""

    first_s: float = 1.0
    rounds: int = 6

    def wait_s(self, failures: int) -> float:
        """Seconds to wait after `failures` rounds in a row brought nothing."""
        return min(self.first_s * float(2**failures), max(self.first_s, _LONGEST_WAIT_S))


@dataclass
class LinkCounters:
    """What the host saw of the link since the greeting."""

    frames: int = 0  # good frames that came
    crc_errors: int = 0  # frames dropped: CRC, COBS or length
    retries: int = 0  # requests sent again
    lost: int = 0  # requests that were never answered
    duplicates: int = 0  # replies that no open request was waiting for


class RefusedError(LinkError):
    """The board understood a request and refused it; `error` is its reply."""

    def __init__(self, error: BoardError) -> None:
        self.error = error
        super().__init__(
            f"the board refused {_name(MessageType, error.request)}: "
            f"{_name(ErrorCode, error.code)} (detail {error.detail})",
            why="host and board disagree about the conversation, or another program speaks on the same port",
            fix="close other programs on the port, reset the board and run again",
        )


class RestartedError(LinkError):
    """The board lost its memory of the conversation: it was reset."""

    def __init__(self) -> None:
        super().__init__(
            "the board restarted in the middle of the conversation",
            why="a loose cable, low supply voltage, a watchdog, or someone pressed reset",
            fix="check cable and supply, then run again",
        )


class TakenOverError(LinkError):
    """Another host greeted the board since."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name}: another program talks to this board",
            why="it greeted the board after this one did, and a board has one host at a time",
            fix="close the other program, then run again",
        )


@dataclass
class _Open:
    seq: int
    request: Request
    reply: Frame | None = None


class Exchange:
    """The host's side of a conversation over `transport`."""

    def __init__(self, transport: Transport, patience: Patience | None = None) -> None:
        self.transport = transport
        self.patience = patience or Patience()
        self.counters = LinkCounters()
        self.credits = 1
        self._decoder = Decoder()
        self._inbox: deque[Frame] = deque()
        self._open: deque[_Open] = deque()
        self._flying: deque[int] = deque()  # seqs of the frames sent and not yet accounted for
        self._seq = 0
        self._out_of_step = 0
        self._unasked: deque[Frame] = deque(maxlen=_MAX_UNASKED)

    def restart(self) -> None:
        """Forget what is under way; the next request must be a HELLO."""
        self._open.clear()
        self._flying.clear()
        self._unasked.clear()
        self._out_of_step = 0
        self.credits = 1

    def unasked(self, timeout_s: float) -> Frame | None:
        """The next frame that came without a request; None when there is none after one wait."""
        if not self._unasked:
            self._listen(timeout_s)
            self._inbox.clear()  # replies that nobody waits for
        return self._unasked.popleft() if self._unasked else None

    def drop_unasked(self) -> None:
        """Forget the frames that came unasked until now."""
        self._unasked.clear()

    def start_counting(self) -> None:
        """Zero the counters: what came before the greeting was boot text."""
        self.counters = LinkCounters()
        self._decoder.errors.checks = self._decoder.errors.lengths = 0

    def replies(self, requests: Iterable[Request], patience: Patience | None = None) -> Iterator[Frame]:
        """The reply to each of `requests`, in order; requests are drawn as credits come free.

        Raises LinkError when the board stays silent, RefusedError when it says no.
        """
        patience = patience or self.patience
        source = iter(requests)
        failures = 0
        while True:
            self._send_new(source)
            if not self._open:
                return
            if not self._flying:
                failures += 1
                self._send_again(failures, patience)
            frame = self._next_frame(patience.wait_s(failures))
            if frame is None:
                self._flying.clear()
            else:
                self._take(frame)
            while self._open and (reply := self._open[0].reply) is not None:
                failures = self._out_of_step = 0
                self._open.popleft()
                yield reply

    def _send_new(self, source: Iterator[Request]) -> None:
        if any(item.reply is None and item.seq not in self._flying for item in self._open):
            return  # first repair what was lost
        out = b""
        while len(self._open) < self.credits and (request := next(source, None)) is not None:
            item = _Open(self._seq, request)
            self._seq = (self._seq + 1) % 256
            self._open.append(item)
            out += self._frame(item)
        if out:
            self.transport.write(out)

    def _send_again(self, failures: int, patience: Patience) -> None:
        missing = [item for item in self._open if item.reply is None]
        if self._out_of_step >= _OUT_OF_STEP:
            self.restart()
            raise TakenOverError(self.transport.name)
        if failures >= patience.rounds:
            self.counters.lost += len(missing)
            self.restart()
            raise self._silence(missing[0].request.type, failures)
        self.counters.retries += len(missing)
        self.transport.write(b"".join(self._frame(item) for item in missing))

    def _frame(self, item: _Open) -> bytes:
        self._flying.append(item.seq)
        return encode(Frame(item.request.type, item.seq, item.request.body))

    def _next_frame(self, timeout_s: float) -> Frame | None:
        noise = 0
        while not self._inbox:
            heard = self._listen(timeout_s)
            noise += heard
            if not self._inbox and (not heard or noise > _MAX_NOISE):
                return None
        return self._inbox.popleft()

    def _listen(self, timeout_s: float) -> int:
        """Sort what comes next into replies and frames unasked for; how much of it was no reply, in bytes."""
        data = self.transport.read(timeout_s)
        frames = self._decoder.feed(data)
        self.counters.crc_errors = self._decoder.errors.total
        self.counters.frames += len(frames)
        unasked = [frame for frame in frames if frame.type == MessageType.LIVE]
        self._unasked.extend(unasked)
        self._inbox.extend(frame for frame in frames if frame.type != MessageType.LIVE)
        return len(data) + _UNASKED_WEIGHS * len(unasked)

    def _take(self, frame: Frame) -> None:
        if frame.seq in self._flying:
            while self._flying.popleft() != frame.seq:
                pass
        item = next((item for item in self._open if item.seq == frame.seq and item.reply is None), None)
        if item is None:
            self.counters.duplicates += 1
        elif frame.type == item.request.type | REPLY:
            item.reply = frame
        elif frame.type == MessageType.ERROR:
            self._refused(item, BoardError.decode(frame.body))
        else:
            self.counters.duplicates += 1

    def _refused(self, item: _Open, error: BoardError) -> None:
        if error.code == ErrorCode.SEQUENCE:
            self._out_of_step += not self._flying
            return  # an earlier request was lost; this one stays open and goes out again with it
        if error.code == ErrorCode.NOT_GREETED:
            self.restart()
            raise RestartedError()
        if error.request == item.request.type:
            if len(self._open) == 1 and not self._flying:
                self._open.clear()  # nothing else is under way: the conversation goes on
            else:
                self.restart()
            raise RefusedError(error)
        self.counters.duplicates += 1

    def _silence(self, asked: MessageType, rounds: int) -> LinkError:
        heard = self.counters.crc_errors
        return LinkError(
            f"{self.transport.name}: no answer to {asked.name} in {rounds} attempts",
            why=f"{heard} damaged frames came: baud rate, cable or ground"
            if heard
            else "the board is off, hangs, or runs other firmware",
            fix="check the cable, reset the board; then: edgegrf boards, edgegrf flash",
        )


def _name(table: type[MessageType] | type[ErrorCode], value: int) -> str:
    known = {int(member): member.name for member in table}
    return known.get(value, f"0x{value:02x}")
