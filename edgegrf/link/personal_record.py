# SPDX-License-Identifier: Apache-2.0
"""What adapts a model to its wearer, as a board keeps it (SPEC.md, section 8)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgegrf.link.hello import MalformedError

__all__ = ["GAIN_ONE", "PERSONAL_SHA_AT", "ROOM", "PersonalRecord", "record_bytes"]

#: a gain of 1
GAIN_ONE = 4096
#: where the hash of the personalised `.tflite` lies
PERSONAL_SHA_AT = 44
#: bytes of a record that a slot has room for, its checksum left out
ROOM = 4096 - 3104 - 4

_MAGIC = 0x31504745  # "EGP1"
_HEADER = struct.Struct("<IHHHH32s32s")


@dataclass(frozen=True)
class PersonalRecord:
    """Gains of the model's inputs, times 4096, and the constants of its last layer as the `.tflite` has them:
    scales [outputs, 3] (bias, multiplier, shift) and weights [outputs, depth]."""

    model_sha256: bytes  # 32, of the general `.tflite`
    personal_sha256: bytes  # 32, of the personalised one
    gains: tuple[int, ...]
    scales: NDArray[np.int32]
    weights: NDArray[np.int8]

    def encode(self) -> bytes:
        """The record without its checksum."""
        outputs, depth = self.weights.shape
        size = record_bytes(len(self.gains), outputs, depth)
        head = _HEADER.pack(
            _MAGIC, size, len(self.gains), outputs, depth, self.model_sha256, self.personal_sha256
        )
        gains = struct.pack(f"<{len(self.gains)}H", *self.gains)
        return (
            head
            + _whole_words(gains)
            + self.scales.astype("<i4").tobytes()
            + _whole_words(self.weights.astype(np.int8).tobytes())
        )

    @classmethod
    def decode(cls, data: bytes) -> PersonalRecord:
        """The record in `data`; raises MalformedError."""
        if len(data) < _HEADER.size:
            raise MalformedError("personalisation", len(data))
        magic, length, inputs, outputs, depth, model, personal = _HEADER.unpack_from(data)
        whole = length == len(data) == record_bytes(inputs, outputs, depth)
        if magic != _MAGIC or not whole:
            raise MalformedError("personalisation", len(data))
        gains = struct.unpack_from(f"<{inputs}H", data, _HEADER.size)
        at = _HEADER.size + -(-2 * inputs // 4) * 4
        scales = np.frombuffer(data, "<i4", 3 * outputs, at).reshape(outputs, 3)
        weights = np.frombuffer(data, np.int8, outputs * depth, at + 12 * outputs)
        return cls(model, personal, gains, scales.astype(np.int32), weights.reshape(outputs, depth))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PersonalRecord) and self.encode() == other.encode()

    def __hash__(self) -> int:
        return hash(self.encode())


def record_bytes(inputs: int, outputs: int, depth: int) -> int:
    """Bytes of the record of a model of such sizes, without its checksum."""
    return _HEADER.size + -(-2 * inputs // 4) * 4 + 12 * outputs + -(-outputs * depth // 4) * 4


def _whole_words(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
