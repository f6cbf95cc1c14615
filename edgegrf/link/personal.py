# SPDX-License-Identifier: Apache-2.0
"""A board's personalisation over the link: what is in force, another one, none."""

from __future__ import annotations

from pathlib import Path

from edgegrf.errors import DataError, ModelError, UsageError
from edgegrf.files import sha256_file
from edgegrf.link.device import Device
from edgegrf.link.exchange import RefusedError
from edgegrf.link.hello import Hello, Mode
from edgegrf.link.kept import read_kept, refusal_of_store, write_kept
from edgegrf.link.live_messages import ScanFacts
from edgegrf.link.messages import ErrorCode, MessageType
from edgegrf.link.personal_record import GAIN_ONE, PersonalRecord
from edgegrf.manifest import Manifest

__all__ = ["erase_personal", "expect_file", "general_of", "personal_of", "personalise", "sensor_gains"]

_FIELDS = {
    1: "the record", 3: "the gain of an input, with this calibration,", 4: "the last layer",
}  # fmt: skip
_HEADER = 12  # of the record, up to its sizes


def personal_of(device: Device) -> PersonalRecord | None:
    """The personalisation that is in force on the board; None where the model runs as it was made."""
    if not device.info.modes & Mode.PERSONAL:
        return None
    length = int.from_bytes(read_kept(device, MessageType.PERSONAL_READ, _HEADER)[4:6], "little")
    return PersonalRecord.decode(read_kept(device, MessageType.PERSONAL_READ, length))


def personalise(device: Device, record: PersonalRecord) -> PersonalRecord:
    """Store `record` on the board and put it in force; what the board has then.

    Raises DataError when it belongs to another model or is implausible, DeviceError when the flash fails,
    UsageError for a board that cannot.
    """
    _check_model(device.info, record)
    try:
        data = record.encode()
        write_kept(device, MessageType.PERSONAL_WRITE, MessageType.PERSONAL_COMMIT, data)
    except RefusedError as refusal:
        raise _not_stored(refusal, device.info) from refusal
    device.hello()
    kept = personal_of(device)
    if kept != record:
        raise DataError(f"{device.info.board} keeps another personalisation than it was sent")
    return record


def erase_personal(device: Device) -> None:
    """Forget the board's personalisation: its model runs as it was made; raises DeviceError, UsageError."""
    try:
        device.ask(MessageType.PERSONAL_ERASE)
    except RefusedError as refusal:
        raise _not_stored(refusal, device.info) from refusal
    device.hello()


def general_of(tflite: Path) -> str:
    """The SHA-256 of the model that a personalised `.tflite` was made from; empty for any other."""
    try:
        return str(Manifest.read(tflite).model.get("personal", {}).get("model_sha256", ""))
    except ModelError:
        return ""


def expect_file(device: Device, tflite: Path) -> Hello:
    """Raise FirmwareMismatchError unless the board computes `tflite`, by its personalisation if need be."""
    return device.expect_model(sha256_file(tflite), name=str(tflite), general=general_of(tflite))


def sensor_gains(record: PersonalRecord | None, facts: ScanFacts) -> tuple[int, ...]:
    """What the force on each sensor [C] is multiplied with on its way to the model, times 4096."""
    gains = [GAIN_ONE] * facts.channels
    for gain, sensor in zip(record.gains if record else (), facts.sensor_of_input, strict=False):
        gains[sensor] = gain
    return tuple(gains)


def _check_model(info: Hello, record: PersonalRecord) -> None:
    if record.model_sha256 != info.model_sha256:
        raise DataError(
            f"the personalisation belongs to model {record.model_sha256.hex()[:12]}; "
            f"{info.board} runs {info.model} {info.model_sha256.hex()[:12]}",
            why="the last layer of one model means nothing in another",
            fix="edgegrf flash the model that it was made from, or edgegrf personalise this one",
        )


def _not_stored(refusal: RefusedError, info: Hello) -> Exception:
    error = refusal.error
    if error.code == ErrorCode.IMPLAUSIBLE:
        what = _FIELDS.get(error.detail & 0xFF, "the record")
        return DataError(
            f"{info.board} refused the personalisation: {what} is implausible",
            why="the bounds are in SPEC.md, section 8; the board keeps what it had",
            fix="edgegrf personalise again, from the model that the board runs",
        )
    if error.code in (ErrorCode.NO_MODE, ErrorCode.UNKNOWN_TYPE):
        return UsageError(
            f"{info.model} on {info.board} cannot be personalised",
            why="its last layer cannot be replaced: not int8, too large, or run by TFLite Micro"
            if error.code == ErrorCode.NO_MODE
            else "its firmware is older than personalisations",
            fix="edgegrf build --model the personalised .tflite",
        )
    return refusal_of_store(refusal, info.board, "a personalisation")
