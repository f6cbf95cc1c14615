# SPDX-License-Identifier: Apache-2.0
"""The image format of Espressif's ROM: segments that it loads into RAM, and where it then jumps to.

Bytes as in esptool's documentation, "Firmware image format": a header of 8 bytes, an extended one of 16, the
segments, a checksum at the end of a block of 16, and the SHA-256 of all that.
"""

from __future__ import annotations

import functools
import hashlib
import operator
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from edgegrf.errors import ModelError
from edgegrf.image.elf import Segment

__all__ = ["ESP_CHIPS", "EspImage", "read_esp", "to_esp"]

#: the extended header's chip id
ESP_CHIPS = {"esp32": 0, "esp32s2": 2, "esp32c3": 5, "esp32s3": 9, "esp32c6": 13}
_HEADER = struct.Struct("<BBBBI")
_EXTENDED = struct.Struct("<BBBBHBHH4sB")
_SEGMENT = struct.Struct("<II")
_MAGIC = 0xE9
_SEED = 0xEF  # of the checksum
_BLOCK = 16
_DIO, _SIZE_4_MIB_AT_40_MHZ = 2, 0x20
_NO_PIN = 0xEE
_ANY_REVISION = 0xFFFF
_DIGEST = 32


@dataclass(frozen=True)
class EspImage:
    """What such a file says: the chip's id, where the program begins, what goes where."""

    chip_id: int
    entry: int
    segments: tuple[Segment, ...]


def to_esp(segments: Iterable[Segment], entry: int, chip: str) -> bytes:
    """The file for `chip` (of ESP_CHIPS); segments are filled up to whole words."""
    parts = [Segment(one.address, one.data + bytes(-len(one.data) % 4)) for one in segments]
    out = bytearray(_HEADER.pack(_MAGIC, len(parts), _DIO, _SIZE_4_MIB_AT_40_MHZ, entry))
    out += _EXTENDED.pack(_NO_PIN, 0, 0, 0, ESP_CHIPS[chip], 0, 0, _ANY_REVISION, bytes(4), 1)
    for part in parts:
        out += _SEGMENT.pack(part.address, len(part.data)) + part.data
    out += bytes(_BLOCK - 1 - len(out) % _BLOCK) + bytes([_checksum(parts)])
    return bytes(out + hashlib.sha256(out).digest())


def read_esp(data: bytes) -> EspImage:
    """The parts of such a file; raises ModelError where it is cut or damaged."""
    try:
        magic, count, _, _, entry = _HEADER.unpack_from(data)
        extended = _EXTENDED.unpack_from(data, _HEADER.size)
        place = _HEADER.size + _EXTENDED.size
        parts = []
        for _ in range(count):
            address, size = _SEGMENT.unpack_from(data, place)
            place += _SEGMENT.size
            parts.append(Segment(address, data[place : place + size]))
            place += size
        end = place + _BLOCK - place % _BLOCK
        (checksum,) = data[end - 1 : end]
    except (struct.error, ValueError) as error:
        raise ModelError("an ESP image that was cut", why=str(error)) from error
    digest = data[end : end + _DIGEST]
    sound = magic == _MAGIC and checksum == _checksum(parts)
    if not sound or (extended[-1] and digest != hashlib.sha256(data[:end]).digest()):
        raise ModelError("an ESP image that is damaged", why="its checksum or its SHA-256 is wrong")
    return EspImage(extended[4], entry, tuple(parts))


def _checksum(parts: Iterable[Segment]) -> int:
    return functools.reduce(operator.xor, (byte for part in parts for byte in part.data), _SEED)
