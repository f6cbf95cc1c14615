# SPDX-License-Identifier: Apache-2.0
"""`make bench-taught`: shipped students at their own budget, alone and taught; JSON and a table.

benchmarks/taught.toml says what is trained.  What has been trained lies in the cache, so that a run which was
cut short goes on; `make results` writes the table from the JSON alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.marks import fill, table
from benchmarks.sweeps import cells_of, measured, outcome, spread, teachers
from edgegrf.bench.summary import grouped
from edgegrf.sweep.summary import difference, verdict

__all__ = ["main", "write_pages"]

_PAGE = Path(__file__).parents[1] / "docs" / "distillation_results.md"

Row = Mapping[str, Any]


def main() -> None:
    """Train, write taught.json, and its part of the page."""
    measured("taught")
    write_pages()


def write_pages() -> None:
    """The tables of taught and untaught students, from taught.json."""
    record = outcome("taught")
    fill(_PAGE, "table:taught", _students(record))
    fill(_PAGE, "table:taught-teachers", table(("", ""), teachers(record)))


def _students(record: Row) -> str:
    columns = (
        "student", "parameters", "epochs", "variant", "float, BW", "int8, BW", "int8 of each seed, BW",
        "int8 against none, mBW", "seen in int8",
    )  # fmt: skip
    return table(columns, [_line(record, row) for row in record["summary"]])


def _line(record: Row, row: Row) -> tuple[str, ...]:
    cells = cells_of(record, row)
    beside = row["int8"]["against_none"]
    return (
        row["student"], grouped(row["parameters"]), str(cells[0]["epochs"]), row["variant"],
        spread(row["float"]), spread(row["int8"]), ", ".join(f"{one['int8_rmse_bw']:.4f}" for one in cells),
        difference(beside) or "-", verdict(beside) or "-",
    )  # fmt: skip


if __name__ == "__main__":
    main()
