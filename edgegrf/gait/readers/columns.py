# SPDX-License-Identifier: Apache-2.0
"""The column map: a small TOML file that says what the columns of a CSV are (docs/data.md)."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgegrf.errors import DataError
from edgegrf.gait.calibration import check_body_weight

__all__ = ["BESIDE_FOLDER", "FEET", "UNITS", "ColumnMap", "FootColumns", "find_map", "read_map"]

FEET = ("left", "right")
UNITS = ("N", "BW", "kPa", "raw")

#: the map of all CSV files of a folder; a file's own map is FILE.csv.toml
BESIDE_FOLDER = "columns.toml"

_KEYS = {
    *("unit", "sample_rate_hz", "time", "subject", "body_weight_n", "force_unit", "force_source"),
    *("frame", "delimiter", "synthetic"),
    *FEET,
}


@dataclass(frozen=True)
class FootColumns:
    """Sensor name -> column, and force name -> column, of one foot."""

    sensors: Mapping[str, str]
    force: Mapping[str, str]


@dataclass(frozen=True)
class ColumnMap:
    """What a CSV's columns are; units and rate are never guessed."""

    path: Path
    unit: str
    sample_rate_hz: float
    feet: Mapping[str, FootColumns]
    subject: str | None = None
    delimiter: str = ","
    time: str = ""
    force_unit: str = ""
    force_source: str = ""
    body_weight_n: float | None = None
    frame: tuple[int, int] | None = None
    synthetic: bool = False


def find_map(csv: Path, given: Path | None) -> ColumnMap:
    """The map for a CSV: the given one, else FILE.csv.toml, else columns.toml beside it."""
    places = [given] if given else [csv.with_name(csv.name + ".toml"), csv.with_name(BESIDE_FOLDER)]
    for place in places:
        if place.is_file():
            return read_map(place)
    raise DataError(
        f"{csv} has no column map" if given is None else f"column map {given} does not exist",
        why=f"looked for {', '.join(str(place) for place in places)}",
        fix="write one and pass it with --columns FILE.toml (docs/data.md shows it)",
    )


def read_map(path: Path) -> ColumnMap:
    """The column map in a TOML file; raises DataError naming the key that is missing or wrong."""
    try:
        record = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}: not a column map",
            why=str(error),
            fix="correct its TOML: text in quotes, docs/data.md shows one",
        ) from error
    unknown = sorted(set(record) - _KEYS)
    if unknown:
        raise _wrong(path, unknown[0], f"an unknown key; known: {', '.join(sorted(_KEYS))}")
    feet = {foot: _foot(path, foot, record[foot]) for foot in FEET if foot in record}
    if not feet:
        raise _wrong(path, "left", "missing: name the columns of [left], [right] or both")
    unit, force_unit = _choice(path, record, "unit"), ""
    if any(columns.force for columns in feet.values()):
        force_unit = _choice(path, record, "force_unit")
    return ColumnMap(
        path=path,
        unit=unit,
        sample_rate_hz=_positive(path, record, "sample_rate_hz"),
        feet=feet,
        subject=_text(path, record, "subject") or None,
        delimiter=_text(path, record, "delimiter") or ",",
        time=_text(path, record, "time"),
        force_unit=force_unit,
        force_source=_text(path, record, "force_source") or "a reference of unstated make",
        body_weight_n=_weight(path, record),
        frame=_frame(path, record, feet),
        synthetic=record.get("synthetic") is True,
    )


def _foot(path: Path, foot: str, record: object) -> FootColumns:
    if not isinstance(record, dict) or set(record) - {"sensors", "force"}:
        raise _wrong(path, foot, "has the keys sensors and force, nothing else")
    sensors = _names(path, f"{foot}.sensors", record.get("sensors"))
    if not sensors:
        raise _wrong(path, f"{foot}.sensors", "names no column")
    return FootColumns(sensors, _names(path, f"{foot}.force", record.get("force", {})))


def _names(path: Path, key: str, value: object) -> dict[str, str]:
    """A table name -> column, or a list of columns that keep their names."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return {item: item for item in value}
    if isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
        return dict(value)
    raise _wrong(path, key, 'is a list of columns, or a table like {s1 = "column"}')


def _choice(path: Path, record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    if value not in UNITS:
        raise _wrong(path, key, f"is one of {', '.join(UNITS)}, not {value!r}")
    return str(value)


def _positive(path: Path, record: Mapping[str, Any], key: str) -> float:
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise _wrong(path, key, f"is a number above 0, not {value!r}")
    return float(value)


def _text(path: Path, record: Mapping[str, Any], key: str) -> str:
    value = record.get(key, "")
    if not isinstance(value, str) or (key == "delimiter" and len(value) > 1):
        raise _wrong(path, key, f"is {'one character' if key == 'delimiter' else 'text'}, not {value!r}")
    return value


def _weight(path: Path, record: Mapping[str, Any]) -> float | None:
    if "body_weight_n" not in record:
        return None
    return check_body_weight(_positive(path, record, "body_weight_n"), str(path))


def _frame(path: Path, record: Mapping[str, Any], feet: Mapping[str, FootColumns]) -> tuple[int, int] | None:
    frame = record.get("frame")
    if frame is None:
        return None
    if not isinstance(frame, list) or len(frame) != 2 or not all(isinstance(n, int) and n > 0 for n in frame):
        raise _wrong(path, "frame", "is [rows, columns]")
    for foot, columns in feet.items():
        if len(columns.sensors) != frame[0] * frame[1]:
            raise _wrong(path, "frame", f"{frame} does not hold the {len(columns.sensors)} sensors of {foot}")
    return frame[0], frame[1]


def _wrong(path: Path, key: str, text: str) -> DataError:
    return DataError(f"{path}: {key} {text}", fix="docs/data.md shows a column map")
