# SPDX-License-Identifier: Apache-2.0
"""Bytes to frames and back (SPEC.md, section 1); knows no port and no clock."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from cobs import cobs

__all__ = ["MAX_BODY", "MAX_CONTENT", "MIN_CONTENT", "Decoder", "Frame", "FrameErrors", "encode"]

MAX_BODY = 256
MIN_CONTENT = 6  # type, seq, crc
MAX_CONTENT = MIN_CONTENT + MAX_BODY

_DELIMITER = b"\x00"
_MAX_ENCODED = MAX_CONTENT + -(-MAX_CONTENT // 254)  # COBS adds one byte to each 254


@dataclass(frozen=True, slots=True)
class Frame:
    """One message as it travels: its type, its sequence number (both 0..255) and 0..256 bytes of body."""

    type: int
    seq: int
    body: bytes = b""


@dataclass(slots=True)
class FrameErrors:
    """What a decoder dropped: frames of broken COBS or another CRC, and frames too short or too long."""

    checks: int = 0
    lengths: int = 0

    @property
    def total(self) -> int:
        """All dropped frames."""
        return self.checks + self.lengths


def encode(frame: Frame) -> bytes:
    """The bytes of a frame, a delimiter before and after; raises ValueError beyond the field sizes."""
    if len(frame.body) > MAX_BODY:
        raise ValueError(f"a body of {len(frame.body)} bytes; a frame holds {MAX_BODY}")
    content = bytes((frame.type, frame.seq)) + frame.body
    encoded: bytes = cobs.encode(content + struct.pack("<I", zlib.crc32(content)))
    return _DELIMITER + encoded + _DELIMITER


class Decoder:
    """Takes bytes as they come, in pieces of any size, and gives the sound frames among them.

    What lies between two delimiters and is no frame is dropped and counted in `errors`; memory stays
    bounded however long a run without a delimiter is.
    """

    def __init__(self) -> None:
        self.errors = FrameErrors()
        self._pending = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes, in order."""
        frames = []
        *ended, rest = data.split(_DELIMITER)
        for piece in ended:
            self._keep(piece)
            frame = self._end()
            if frame is not None:
                frames.append(frame)
        self._keep(rest)
        return frames

    def _keep(self, piece: bytes) -> None:
        # one byte too many is kept, so that the end of the run knows that it was too long
        self._pending += piece[: _MAX_ENCODED + 1 - len(self._pending)]

    def _end(self) -> Frame | None:
        encoded = bytes(self._pending)
        self._pending.clear()
        if not encoded:
            return None
        if len(encoded) > _MAX_ENCODED:
            self.errors.lengths += 1
            return None
        try:
            content: bytes = cobs.decode(encoded)
        except cobs.DecodeError:
            self.errors.checks += 1
            return None
        if not MIN_CONTENT <= len(content) <= MAX_CONTENT:
            self.errors.lengths += 1
            return None
        if zlib.crc32(content[:-4]) != int.from_bytes(content[-4:], "little"):
            self.errors.checks += 1
            return None
        return Frame(content[0], content[1], content[2:-4])
