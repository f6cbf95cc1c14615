# SPDX-License-Identifier: Apache-2.0
"""The records that a board keeps of its wearer: reading and storing them over the link."""

from __future__ import annotations

import zlib

from edgegrf.errors import DeviceError, UsageError
from edgegrf.link.device import Device
from edgegrf.link.exchange import RefusedError
from edgegrf.link.frames import MAX_BODY
from edgegrf.link.hello import MalformedError
from edgegrf.link.messages import ErrorCode, MessageType

__all__ = ["read_kept", "refusal_of_store", "write_kept"]

_WRITE_CHUNK = MAX_BODY - 2


def read_kept(device: Device, type: MessageType, length: int) -> bytes:
    """The first `length` bytes of a record, by CAL_READ or PERSONAL_READ."""
    data = b""
    while len(data) < length:
        count = min(MAX_BODY, length - len(data))
        part = device.ask(type, len(data).to_bytes(2, "little") + count.to_bytes(2, "little"))
        if len(part) != count:
            raise MalformedError(f"{type.name} reply", len(part))
        data += part
    return data


def write_kept(device: Device, write: MessageType, commit: MessageType, data: bytes) -> None:
    """Store `data` by CAL_WRITE and CAL_COMMIT, or their like; raises RefusedError."""
    for at in range(0, len(data), _WRITE_CHUNK):
        device.ask(write, at.to_bytes(2, "little") + data[at : at + _WRITE_CHUNK])
    device.ask(commit, zlib.crc32(data).to_bytes(4, "little"))


def refusal_of_store(refusal: RefusedError, board: str, what: str) -> Exception:
    """What a refused commit or erasure of `what` ("a calibration") means, but for an implausible one."""
    error = refusal.error
    if error.code == ErrorCode.STORE:
        return DeviceError(
            f"{board} could not write its flash (slot {error.detail})",
            why="the page is worn out or protected; the board keeps what it had",
            fix="try once more; else another board",
        )
    if error.code == ErrorCode.NO_PART:
        return UsageError(
            f"{board} has nowhere to keep {what}",
            why="its port has no store",
            fix="edgegrf boards says which boards have one",
        )
    return refusal
