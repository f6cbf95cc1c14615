# SPDX-License-Identifier: Apache-2.0
"""The page of an explanation: totals, bars, table and advice, one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgegrf import __version__
from edgegrf.explain.plot import bars
from edgegrf.explain.table import COLUMNS, headline, rows, totals
from edgegrf.files import write_file
from edgegrf.manifest import command_line
from edgegrf.report.layout import render

__all__ = ["write_explain_page"]


def write_explain_page(name: str, data: str, record: Mapping[str, Any], path: Path) -> None:
    """Write the page of `edgegrf export --explain` of student `name`, measured on `data`.

    Raises MissingToolError (matplotlib), OutputError.
    """
    page = render(
        Path(__file__).with_name("explain.html.j2"),
        name=name,
        headline=headline(name, record),
        record=record,
        totals=totals(record),
        figure=bars(record),
        columns=COLUMNS,
        rows=rows(record),
        provenance=[("command", command_line()), ("edgegrf", __version__), ("measured on", data)],
        version=__version__,
    )
    write_file(path, page)
