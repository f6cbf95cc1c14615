# SPDX-License-Identifier: Apache-2.0
"""Plain CSV with one line of headings; a column map says which columns are what (columns.py)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import DataError
from edgegrf.gait.calibration import insole_body_weight
from edgegrf.gait.readers.columns import ColumnMap, FootColumns, find_map
from edgegrf.gait.readers.format import Format, Subjects, Walk
from edgegrf.gait.readers.gaitpdb import subject_of
from edgegrf.gait.readers.table import numbers, rate_of, text_of
from edgegrf.gait.recording import Recording, Sensor
from edgegrf.gait.validation import checked

__all__ = ["PLAIN_CSV"]


def _read(path: Path, columns: Path | None, subjects: Subjects) -> Iterator[Walk]:
    columns_of = find_map(path, columns)
    subject = columns_of.subject or subject_of(path.stem)
    if not subjects(subject):
        return
    heading, _, body = text_of(path).partition("\n")
    names = [name.strip() for name in next(csv.reader([heading], delimiter=columns_of.delimiter))]
    _check_columns(path, names, columns_of)
    table = numbers(body, path=path, delimiter=columns_of.delimiter, columns=len(names), first_line=2)
    place = {name: index for index, name in enumerate(names)}
    if columns_of.time:
        _check_rate(path, table[:, place[columns_of.time]], columns_of)
    weight = _body_weight(path, table, place, columns_of)
    yield [
        checked(_recording(path, subject, foot, table, place, columns_of, weight)) for foot in columns_of.feet
    ]


def _recording(
    path: Path,
    subject: str,
    foot: str,
    table: NDArray[np.float64],
    place: dict[str, int],
    columns_of: ColumnMap,
    body_weight_n: float | None,
) -> Recording:
    columns = columns_of.feet[foot]
    return Recording(
        name=f"{path.stem}/{foot}",
        subject=subject,
        foot=foot,
        pressure=_pick(table, place, columns.sensors.values()),
        sensors=tuple(Sensor(name) for name in columns.sensors),
        unit=columns_of.unit,
        sample_rate_hz=columns_of.sample_rate_hz,
        force=_pick(table, place, columns.force.values()) if columns.force else None,
        force_names=tuple(columns.force),
        force_unit=columns_of.force_unit,
        force_source=columns_of.force_source if columns.force else "",
        body_weight_n=body_weight_n,
        frame=columns_of.frame,
        synthetic=columns_of.synthetic,
    )


def _body_weight(
    path: Path, table: NDArray[np.float64], place: dict[str, int], columns_of: ColumnMap
) -> float | None:
    """The given weight, else mean(left + right) of what is in newton: the force, or the sensors' sum."""
    if columns_of.body_weight_n is not None or len(columns_of.feet) < 2:
        return columns_of.body_weight_n
    totals = [_total_n(table, place, columns, columns_of) for columns in columns_of.feet.values()]
    if any(total is None or not np.isfinite(total).all() for total in totals):
        return None
    left, right = (np.asarray(total, np.float32) for total in totals)
    return insole_body_weight(left, right, str(path))


def _total_n(
    table: NDArray[np.float64], place: dict[str, int], columns: FootColumns, columns_of: ColumnMap
) -> NDArray[np.float32] | None:
    if columns_of.force_unit == "N" and "vertical_force" in columns.force:
        return _pick(table, place, [columns.force["vertical_force"]])[:, 0]
    if columns_of.unit == "N":
        sensors = np.maximum(_pick(table, place, columns.sensors.values()), 0)
        return np.asarray(sensors.sum(axis=1), np.float32)
    return None


def _pick(table: NDArray[np.float64], place: dict[str, int], names: Iterable[str]) -> NDArray[np.float32]:
    return np.ascontiguousarray(table[:, [place[name] for name in names]], np.float32)


def _check_rate(path: Path, time_s: NDArray[np.float64], columns_of: ColumnMap) -> None:
    rate = rate_of(time_s, path=path, first_line=2)
    if abs(rate - columns_of.sample_rate_hz) > 0.01 * columns_of.sample_rate_hz:
        raise DataError(
            f"{path} is sampled at {rate:.4g} Hz, its map says {columns_of.sample_rate_hz:g} Hz",
            why=f"column '{columns_of.time}' is read as seconds",
            fix=f"correct sample_rate_hz or time in {columns_of.path}",
        )


def _check_columns(path: Path, names: list[str], columns_of: ColumnMap) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    wanted = [
        name for foot in columns_of.feet.values() for name in (*foot.sensors.values(), *foot.force.values())
    ]
    for name in [*wanted, *([columns_of.time] if columns_of.time else [])]:
        if name not in names:
            raise DataError(
                f"{path} has no column '{name}'",
                why=f"it has: {', '.join(names[:20])}{', ...' if len(names) > 20 else ''}",
                fix=f"correct the column map {columns_of.path} (or its delimiter)",
            )
        if name in twice:
            raise DataError(f"{path} has two columns '{name}'", fix="rename one of them")


PLAIN_CSV = Format("CSV with a column map", lambda path: path.suffix == ".csv", _read)
