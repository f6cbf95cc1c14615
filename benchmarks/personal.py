# SPDX-License-Identifier: Apache-2.0
"""What personalisation gains on unseen subjects: `python -m benchmarks.personal` fills docs/personal.md."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.marks import fill, table
from edgegrf.errors import DataError
from edgegrf.gait.readers import default_data, read_walks
from edgegrf.gait.split import is_validation
from edgegrf.personal.run import personalised
from edgegrf.personal.student import Student
from edgegrf.personal.wearer import wearer
from edgegrf.resources import DEFAULT_STUDENT, MODEL_FILE, shipped_file

__all__ = ["main"]

_PAGE = Path(__file__).parent.parent / "docs" / "personal.md"
_STUDENTS = (DEFAULT_STUDENT, "insole4-gru32")
_SECONDS = 60.0


def main(students: Sequence[str]) -> None:
    """Fit every foot of every unseen subject, once for each student, and write the tables."""
    data = default_data()
    if data is None:
        raise DataError("no real walks", fix="edgegrf data fetch gaitpdb, or set EDGEGRF_DATA")
    recordings = read_walks(data, subjects=is_validation)
    found = {name: _feet(name, recordings) for name in students or _STUDENTS}
    fill(_PAGE, "table:personal", table(
        ("student", "feet", "RMSE as made → personalised, BW", "rest of the walk", "other walks",
         "better", "with gains"),
        [_row(name, feet) for name, feet in found.items()],
    ))  # fmt: skip
    columns = ("subject, foot", "judged, s", "as made, BW", "personalised, BW", "change", "gains")
    first, feet = next(iter(found.items()))
    fill(_PAGE, "table:personal-subjects", f"{first}:\n\n{table(columns, [_foot(each) for each in feet])}")


def _feet(name: str, recordings: list[Any]) -> list[dict[str, Any]]:
    """The record of each subject's foot that has enough walking."""
    student, records = Student(shipped_file(name, MODEL_FILE)), []
    for subject, foot in sorted({(one.subject, one.foot) for one in recordings}):
        try:
            whose = wearer(recordings, student.interface, seconds=_SECONDS, subject=subject, foot=foot)
        except DataError as error:
            print(f"{subject} {foot}: {error.what}", file=sys.stderr)
            continue
        with tempfile.TemporaryDirectory(prefix="edgegrf-") as folder:
            records.append(personalised(student, whose, Path(folder)).record())
        print(name, subject, foot, file=sys.stderr)
    return records


def _row(name: str, feet: list[dict[str, Any]]) -> tuple[object, ...]:
    """A student's means over the feet that the fit helped; the others keep the general model."""
    helped = [foot for foot in feet if foot["helps"]]
    rest = [foot["walks"][0] for foot in helped if foot["walks"][0]["from_s"] >= _SECONDS]
    other = [walk for foot in helped for walk in foot["walks"] if walk["from_s"] < _SECONDS]
    better = sum(foot["all"]["rmse_change"] < 0 for foot in helped)
    gains = sum(foot["gains_fitted"] for foot in helped)
    sides = [_sides(walks) for walks in ([foot["all"] for foot in helped], rest, other)]
    return name, len(helped), *sides, f"{better} of {len(feet)}", gains


def _sides(walks: list[dict[str, Any]]) -> str:
    before, after = (
        float(np.mean([walk[side]["rmse_bw"] for walk in walks])) for side in ("before", "after")
    )
    return f"{before:.4f} → {after:.4f} ({100 * (after / before - 1):+.0f} %)"


def _foot(record: dict[str, Any]) -> tuple[object, ...]:
    whose = f"{record['subject']}, {record['foot']}"
    if not record["helps"]:
        return whose, "-", "-", "-", "kept as made", "-"
    sides = record["all"]
    return (
        whose,
        f"{sides['seconds']:.0f}",
        f"{sides['before']['rmse_bw']:.4f}",
        f"{sides['after']['rmse_bw']:.4f}",
        f"{100 * sides['rmse_change']:+.0f} %",
        "yes" if record["gains_fitted"] else "no",
    )


if __name__ == "__main__":
    main(sys.argv[1:])
