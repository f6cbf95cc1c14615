# SPDX-License-Identifier: Apache-2.0
"""A calibration as a JSON file: a backup of what a board keeps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgegrf.errors import DataError
from edgegrf.files import write_file
from edgegrf.link.calibration_record import KNOTS, CalibrationRecord, SensorRecord

__all__ = ["calibration_table", "read_calibration", "write_calibration"]

_SCHEMA = 1


def calibration_table(record: CalibrationRecord, names: Sequence[str]) -> dict[str, Any]:
    """The record as plain values, sensors by name."""
    return {
        "schema": _SCHEMA,
        "generation": record.generation,
        "body_weight_n": record.weight_mn / 1000,
        "sensors": {
            name: {
                "offset_counts": sensor.offset,
                "noise_band_counts": sensor.band,
                "gain_mn": sensor.gain_mn,
                "knots": list(sensor.knots),
            }
            for name, sensor in zip(names, record.sensors, strict=True)
        },
    }


def write_calibration(path: Path, record: CalibrationRecord, names: Sequence[str]) -> None:
    """Write the record to a JSON file."""
    write_file(path, json.dumps(calibration_table(record, names), indent=1) + "\n")


def read_calibration(path: Path, names: Sequence[str]) -> CalibrationRecord:
    """The record in a JSON file, for a board whose sensors are `names`; raises DataError."""
    try:
        table = json.loads(path.read_text())
        if table["schema"] != _SCHEMA:
            raise DataError(f"{path}: calibration schema {table['schema']}, this edgegrf reads {_SCHEMA}")
        sensors = table["sensors"]
        if set(sensors) != set(names):
            raise DataError(
                f"{path} is the calibration of {len(sensors)} other sensors",
                why=f"it has {', '.join(list(sensors)[:8])}; the board has {', '.join(names[:8])}",
                fix="edgegrf calibrate",
            )
        return CalibrationRecord(
            0, round(1000 * table["body_weight_n"]), tuple(_sensor(path, sensors[name]) for name in names)
        )
    except FileNotFoundError as error:
        raise DataError(f"no such file: {path}", fix="edgegrf calibrate --save FILE writes one") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} is no calibration", why=str(error) or type(error).__name__) from error


def _sensor(path: Path, row: dict[str, Any]) -> SensorRecord:
    knots = tuple(int(knot) for knot in row["knots"])
    values = (int(row["offset_counts"]), int(row["noise_band_counts"]), *knots)
    gain = int(row["gain_mn"])
    if len(knots) != KNOTS or not all(0 <= each < 1 << 16 for each in values) or not 0 <= gain < 1 << 32:
        raise DataError(f"{path}: a number is outside its field", fix="edgegrf calibrate")
    return SensorRecord(values[0], values[1], gain, knots)
