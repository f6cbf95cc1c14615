# SPDX-License-Identifier: Apache-2.0
"""A profile as a person reads it: a headline, and rows for the terminal and the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgegrf.bench.summary import grouped

__all__ = ["COLUMNS", "headline", "rows", "total"]

Record = Mapping[str, Any]

#: cycles are estimates wherever they stand
COLUMNS = (
    "layer", "outputs", "cycles (est.)", "share", "instructions", "MACs", "cyc/MAC", "flash B", "RAM B",
)  # fmt: skip


def headline(record: Record) -> str:
    """What was profiled on what: one line."""
    return f"{record['model']} on {record['board']} (virtual), one {record['per']}, {record['compiler']}"


def rows(record: Record) -> list[tuple[str, ...]]:
    """A row for each layer, and one for what lies between them, under COLUMNS."""
    return [_row(layer) for layer in record["layers"]]


def total(record: Record) -> tuple[str, ...]:
    """The last row; its RAM is what the image holds, where buffers share bytes."""
    return _row({**record, "name": "total", "outputs": 0, "share": 1.0})


def _row(costs: Record) -> tuple[str, ...]:
    per_mac = costs["cycles_per_mac"]
    return (
        costs["name"],
        grouped(costs["outputs"]) if costs["outputs"] else "",
        grouped(costs["cycles"]),
        "" if costs["share"] is None else f"{100 * costs['share']:.1f} %",
        grouped(costs["instructions"]),
        grouped(costs["macs"]) if costs["macs"] else "",
        "" if per_mac is None else f"{per_mac:.2f}",
        grouped(costs["flash_bytes"]),
        grouped(costs["ram_bytes"]) if costs["ram_bytes"] else "",
    )
