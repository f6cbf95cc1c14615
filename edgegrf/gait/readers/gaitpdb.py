# SPDX-License-Identifier: Apache-2.0
"""PhysioNet's gaitpdb text: 19 tab-separated columns, CRLF, no header; forces in N at 100 Hz.

Time in s, left s1..s8, right s1..s8, total left, total right (format.txt of the data set,
https://physionet.org/content/gaitpdb/1.0.0/).  The totals are the sums of the insole's own sensors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import DataError
from edgegrf.gait.calibration import insole_body_weight
from edgegrf.gait.readers.format import Format, Subjects, Walk
from edgegrf.gait.readers.table import numbers, rate_of, text_of
from edgegrf.gait.recording import Recording, Sensor
from edgegrf.gait.validation import checked

__all__ = ["FORCE_SOURCE", "GAITPDB_TEXT", "SENSORS", "both_feet", "subject_of"]

#: where the eight sensors sit, x towards the outer side of the foot, y towards the toe (format.txt)
SENSORS = (
    Sensor("s1", 500, -800),
    Sensor("s2", 700, -400),
    Sensor("s3", 300, -400),
    Sensor("s4", 700, 0),
    Sensor("s5", 300, 0),
    Sensor("s6", 700, 400),
    Sensor("s7", 300, 400),
    Sensor("s8", 500, 800),
)

FORCE_SOURCE = "the insole's own total of 8 sensors, not a force plate"

_COLUMNS = 19
_FILE_NAME = re.compile(r"[A-Za-z]+\d+_\d+\.txt")


def subject_of(record: str) -> str:
    """The subject of a record: "GaCo01" of "GaCo01_02"."""
    return record.split("_")[0]


def both_feet(
    record: str,
    sensors: NDArray[np.float32],
    totals: NDArray[np.float32],
    sample_rate_hz: float,
) -> Walk:
    """The two recordings of a walk from sensors [T, 16] (left, then right) and totals [T, 2], in N.

    Each walk is calibrated by itself: body weight is mean(left + right) of the totals.
    """
    body_weight = insole_body_weight(totals[:, 0], totals[:, 1], record)
    return [
        checked(
            Recording(
                name=f"{record}/{foot}",
                subject=subject_of(record),
                foot=foot,
                pressure=np.ascontiguousarray(sensors[:, 8 * side : 8 * side + 8]),
                sensors=SENSORS,
                unit="N",
                sample_rate_hz=sample_rate_hz,
                force=np.ascontiguousarray(totals[:, side : side + 1]),
                force_names=("vertical_force",),
                force_unit="N",
                force_source=FORCE_SOURCE,
                body_weight_n=body_weight,
            )
        )
        for side, foot in enumerate(("left", "right"))
    ]


def _read(path: Path, columns: Path | None, subjects: Subjects) -> Iterator[Walk]:
    if not subjects(subject_of(path.stem)):
        return
    text = text_of(path)
    table = numbers(text, path=path, delimiter="\t", columns=_COLUMNS)
    if not text.endswith("\n"):
        _refuse_cut_total(path, table)
    rate = round(rate_of(table[:, 0], path=path), 1)
    force = table[:, 1:].astype(np.float32)
    if not np.isfinite(force[:, 16:]).all():
        line = int(np.argmin(np.isfinite(force[:, 16:]).all(axis=1))) + 1
        raise DataError(f"{path}, line {line}: a foot's total is not finite", why="policy for NaN: refused")
    yield both_feet(path.stem, force[:, :16], force[:, 16:], rate)


def _refuse_cut_total(path: Path, table: NDArray[np.float64]) -> None:
    """A last line without its end may have lost digits: then its last total is not its sensors' sum."""
    total, summed = table[-1, 18], table[-1, 9:17].sum()
    if abs(total - summed) > 1:
        raise DataError(
            f"{path}, line {len(table)}: the right foot's total is {total:g} N, its sensors' {summed:g} N",
            why="the file is cut off in its last number",
            fix="fetch or record it again; or remove that line",
        )


GAITPDB_TEXT = Format("gaitpdb text", lambda path: bool(_FILE_NAME.fullmatch(path.name)), _read)
