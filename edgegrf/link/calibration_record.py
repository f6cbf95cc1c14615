# SPDX-License-Identifier: Apache-2.0
"""The wearer's calibration as a board keeps it (SPEC.md, section 8)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from edgegrf.link.hello import MalformedError

__all__ = ["KNOTS", "CalibrationRecord", "SensorRecord", "record_length"]

KNOTS = 8

_MAGIC = 0x31434745  # "EGC1"
_HEADER = struct.Struct("<IHHII")
_SENSOR = struct.Struct(f"<HHI{KNOTS}H")


@dataclass(frozen=True)
class SensorRecord:
    """One sensor: counts without load, the noise above them, its gain and its table.

    `knots` are linear loads at 512, 1024, ... 4096 counts above the offset, never falling; `gain_mn` is what
    a linear load of 65536 stands for, in millinewton.
    """

    offset: int
    band: int
    gain_mn: int
    knots: tuple[int, ...]


@dataclass(frozen=True)
class CalibrationRecord:
    """All sensors of an insole and its wearer's weight; `generation` is the board's count, 0: its default."""

    generation: int
    weight_mn: int
    sensors: tuple[SensorRecord, ...]

    def encode(self) -> bytes:
        """The record without its checksum, 16 bytes and 24 for each sensor."""
        length = record_length(len(self.sensors))
        head = _HEADER.pack(_MAGIC, length, len(self.sensors), self.generation, self.weight_mn)
        return head + b"".join(
            _SENSOR.pack(sensor.offset, sensor.band, sensor.gain_mn, *sensor.knots) for sensor in self.sensors
        )

    @classmethod
    def decode(cls, data: bytes) -> CalibrationRecord:
        """The record in `data`; raises MalformedError."""
        if len(data) < _HEADER.size:
            raise MalformedError("calibration", len(data))
        magic, length, channels, generation, weight = _HEADER.unpack_from(data)
        if magic != _MAGIC or length != len(data) or length != record_length(channels):
            raise MalformedError("calibration", len(data))
        sensors = tuple(
            SensorRecord(offset, band, gain, tuple(knots))
            for offset, band, gain, *knots in _SENSOR.iter_unpack(data[_HEADER.size :])
        )
        return cls(generation, weight, sensors)


def record_length(channels: int) -> int:
    """Bytes of the record of so many sensors, without its checksum."""
    return _HEADER.size + channels * _SENSOR.size
