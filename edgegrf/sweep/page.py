# SPDX-License-Identifier: Apache-2.0
"""The page of a sweep: error against cost, every variant against the student alone, and the tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgegrf.files import write_file
from edgegrf.report.layout import render
from edgegrf.sweep.plots import differences, pareto
from edgegrf.sweep.summary import COLUMNS, heading, table, verdict

__all__ = ["write_sweep_page"]


def write_sweep_page(record: Mapping[str, Any], path: Path) -> None:
    """Write the page to `path`; raises MissingToolError (matplotlib), OutputError."""
    rows = record["summary"]
    beside = {
        student: differences({**record, "summary": [row for row in rows if row["student"] == student]})
        for student in dict.fromkeys(row["student"] for row in rows if row["int8"]["against_none"])
    }
    page = render(
        Path(__file__).with_name("sweep.html.j2"), record=record, pareto=pareto(record), beside=beside,
        columns=COLUMNS, rows=table(rows), heading=heading(rows), verdict=verdict,
    )  # fmt: skip
    write_file(path, page)
