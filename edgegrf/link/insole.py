# SPDX-License-Identifier: Apache-2.0
"""A board's own sensors over the link: start and stop, frames as they come, calibration, faults."""

from __future__ import annotations

import time
from collections.abc import Iterator

from edgegrf.errors import DataError, DeviceError, UsageError
from edgegrf.link.calibration_record import CalibrationRecord, record_length
from edgegrf.link.device import Device
from edgegrf.link.exchange import RefusedError, TakenOverError
from edgegrf.link.hello import MalformedError, Mode
from edgegrf.link.kept import read_kept, refusal_of_store, write_kept
from edgegrf.link.live_messages import (
    Content,
    FaultRecord,
    LiveEnd,
    LiveFrame,
    LiveStatus,
    ScanFacts,
    StartRequest,
)
from edgegrf.link.messages import ErrorCode, MessageType

__all__ = ["Insole", "fault_of"]

_WAIT_S = 0.25  # for a frame, before the host looks after the board
_FIELDS = {
    1: "the record", 2: "the body weight", 3: "the offset", 4: "the noise band", 5: "the gain",
    6: "the table",
    7: "gain and weight, for this model's input,",
}  # fmt: skip


class Insole:
    """The sensors of the board behind `device`; raises UsageError when it has none."""

    def __init__(self, device: Device) -> None:
        self.device = device
        info = device.info
        if not info.modes & Mode.LIVE:
            raise UsageError(
                f"{info.board or device.name} scans no sensors",
                why="its board.toml has no [scan], or the model takes more inputs than can be wired to it",
                fix="edgegrf bench feeds it over the link instead",
            )
        self._board = info.board
        self.facts = ScanFacts.decode(device.ask(MessageType.SCAN))

    def start(self, content: Content, *, rate_mhz: int = 0, every: int = 1, keep_alive_ms: int = 2000) -> int:
        """Start to scan and send; the rate in mHz that the board's timer really has.  Nothing may run before.

        Raises UsageError for a rate or a content that the board cannot have.
        """
        self._keep_alive_ms = keep_alive_ms
        self.device.drop_unasked()
        request = StartRequest(rate_mhz, every, int(content), keep_alive_ms)
        try:
            body = self.device.ask(MessageType.START, request.encode())
        except RefusedError as refusal:
            raise self._not_started(refusal, rate_mhz) from refusal
        if len(body) != 4:
            raise MalformedError("START reply", len(body))
        return int.from_bytes(body, "little")

    def stop(self) -> LiveStatus:
        """Stop; the counters of the whole stream."""
        return LiveStatus.decode(self.device.ask(MessageType.STOP))

    def status(self) -> LiveStatus:
        """The counters so far; the board hears that the host is there."""
        return LiveStatus.decode(self.device.ask(MessageType.STATUS))

    def frames(self) -> Iterator[LiveFrame | None]:
        """LIVE frames as they come, None after each quarter of a second without one; keeps the stream alive.

        Raises TakenOverError when another host took the board, RestartedError when it was reset, LinkError
        when it is gone.
        """
        third_s = self._keep_alive_ms / 3000
        info, channels = self.device.info, self.facts.channels
        heard, board_us = time.monotonic(), 0
        while True:
            raw = self.device.unasked(_WAIT_S)
            frame = LiveFrame.decode(raw.body, channels, info.output_channels, info.dtype) if raw else None
            now = time.monotonic()
            their_s = ((frame.time_us - board_us) % (1 << 32)) / 1e6 if frame else 0.0
            if frame is None or now - heard > third_s or their_s > third_s:
                heard, board_us = now, frame.time_us if frame else board_us
                self._look_after()
            yield frame

    def _look_after(self) -> None:
        status = self.status()
        if not status.running and status.ended == LiveEnd.TAKEN_OVER:
            raise TakenOverError(self.device.name)
        if not status.running:
            raise DeviceError(
                f"{self.device.name}: the board stopped the stream",
                why="it did not hear this host for longer than the keep-alive time",
                fix="run again; give a longer keep-alive on a slow line",
            )

    def calibration(self) -> CalibrationRecord:
        """The calibration in effect."""
        length = record_length(self.facts.channels)
        return CalibrationRecord.decode(read_kept(self.device, MessageType.CAL_READ, length))

    def calibrate(self, record: CalibrationRecord) -> CalibrationRecord:
        """Store `record` on the board; what it has in effect then.

        Raises DataError when the board finds it implausible, DeviceError when its flash fails.
        """
        try:
            write_kept(self.device, MessageType.CAL_WRITE, MessageType.CAL_COMMIT, record.encode())
        except RefusedError as refusal:
            raise self._not_stored(refusal) from refusal
        return self.calibration()

    def erase_calibration(self) -> None:
        """Forget every calibration that the board keeps; raises DeviceError when its flash fails."""
        try:
            self.device.ask(MessageType.CAL_ERASE)
        except RefusedError as refusal:
            raise self._not_stored(refusal) from refusal

    def _not_started(self, refusal: RefusedError, rate_mhz: int) -> Exception:
        board = self._board
        if refusal.error.code == ErrorCode.NO_MODE:
            return UsageError(
                f"the model on {board} does not run in stream mode",
                why="it only sees whole windows",
                fix="stream the sensors alone: --content pressure",
            )
        if refusal.error.code == ErrorCode.OUT_OF_RANGE:
            return UsageError(
                f"{board} cannot scan {self.facts.channels} sensors at {rate_mhz / 1000:g} Hz",
                why="one scan takes longer than a period, or a frame would be longer than 256 bytes",
                fix=f"--rate {self.facts.rate_mhz / 1000:g}, or send less: --content pressure,estimate",
            )
        return refusal

    def _not_stored(self, refusal: RefusedError) -> Exception:
        board, error = self._board, refusal.error
        if error.code == ErrorCode.IMPLAUSIBLE:
            what = _FIELDS.get(error.detail & 0xFF, "the record")
            where = f" of sensor {error.detail >> 8}" if error.detail & 0xFF > 2 else ""
            return DataError(
                f"{board} refused the calibration: {what}{where} is implausible",
                why="the bounds are in SPEC.md, section 8; the board keeps the calibration that it had",
                fix="check the sensor and its wiring, then calibrate again",
            )
        return refusal_of_store(refusal, board, "a calibration")


def fault_of(device: Device, *, clear: bool = False) -> FaultRecord | None:
    """What stopped the firmware before its last reset; None when nothing did or no record is kept."""
    try:
        record = FaultRecord.decode(device.ask(MessageType.FAULT, bytes((clear,))))
    except RefusedError as refusal:
        if refusal.error.code in (ErrorCode.NO_PART, ErrorCode.UNKNOWN_TYPE):
            return None
        raise
    return record if record.kind else None
