# SPDX-License-Identifier: Apache-2.0
"""The page of a profile: bars and the table of its layers, one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgegrf.bench.summary import duration, grouped
from edgegrf.files import write_file
from edgegrf.profile.plot import bars
from edgegrf.profile.table import COLUMNS, headline, rows, total
from edgegrf.report.layout import render

__all__ = ["write_profile_page"]


def write_profile_page(record: Mapping[str, Any], path: Path) -> None:
    """Write the page of a profile's record to `path`; raises MissingToolError (matplotlib), OutputError."""
    page = render(
        Path(__file__).with_name("profile.html.j2"),
        record=record,
        headline=headline(record),
        cards=_cards(record),
        figure=bars(record),
        columns=COLUMNS,
        rows=rows(record),
        total=total(record),
        provenance=_provenance(record),
    )
    write_file(path, page)


def _cards(record: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(label, value, note) of what one looks for first."""
    per_mac, mhz = record["cycles_per_mac"], record["clock_hz"] / 1e6
    return [
        (
            f"cycles per {record['per']}",
            grouped(record["cycles"]),
            f"{duration(record['microseconds'])} at {mhz:g} MHz: estimate",
        ),
        (
            "instructions",
            grouped(record["instructions"]),
            "" if per_mac is None else f"{per_mac:.2f} cycles per MAC",
        ),
        ("flash of the model", f"{grouped(record['flash_bytes'])} B", "code, weights, tables"),
        (
            "RAM of the model",
            f"{grouped(record['ram_bytes'])} B",
            f"and {grouped(record['io_bytes'])} B of input and output",
        ),
    ]


def _provenance(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    made = record["provenance"]
    return [
        ("command", made["command"]),
        ("edgegrf", made["edgegrf"]),
        ("model", f"{record['model']}, SHA-256 {record['model_sha256']}"),
        ("firmware", f"SHA-256 {made['firmware_sha256']}"),
        ("compiler", record["compiler"]),
        ("inputs", made["inputs"]),
    ]
