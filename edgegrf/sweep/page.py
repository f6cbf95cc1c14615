# SPDX-License-Identifier: Apache-2.0
"""The page of a sweep: error against cost, and the table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgegrf.files import write_file
from edgegrf.report.ink import ACCENT, INK, MUTED, REFERENCE, drawn, new_figure
from edgegrf.report.layout import render
from edgegrf.sweep.summary import COLUMNS, table

__all__ = ["write_sweep_page"]

_COSTS = (
    ("cycles", "estimated cycles"),
    ("flash_bytes", "flash of the model / B"),
    ("ram_bytes", "RAM of the model / B"),
)


def write_sweep_page(record: Mapping[str, Any], path: Path) -> None:
    """Write the page to `path`; raises MissingToolError (matplotlib), OutputError."""
    page = render(
        Path(__file__).with_name("sweep.html.j2"), record=record, figure=_pareto(record), columns=COLUMNS,
        rows=table(record["summary"]),
    )  # fmt: skip
    write_file(path, page)


@drawn("pareto", "Error of every student and recipe against cycles, flash and RAM")
def _pareto(record: Mapping[str, Any]) -> Any:
    figure, axes = new_figure(9.6, 3.6, ncols=len(_COSTS), sharey=True)
    rows = record["summary"]
    for one, (key, label) in zip(axes, _COSTS, strict=True):
        front = sorted((row[key], row["int8_bw"]) for row in rows if row["front"])
        one.step(*zip(*front, strict=True), where="post", color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        for row in rows:
            one.errorbar(
                row[key], row["int8_bw"], row["spread_bw"] or 0, color=ACCENT if row["front"] else REFERENCE,
                marker="o", markersize=4, linestyle="none", capsize=2,
            )  # fmt: skip
        one.set_xscale("log")
        one.set_xlabel(label)
    for row in rows:
        if row["front"]:
            axes[0].annotate(
                f"{row['student']} {row['recipe']}", (row["cycles"], row["int8_bw"]), xytext=(5, 3),
                textcoords="offset points", fontsize=8, color=INK,
            )  # fmt: skip
    axes[0].set_ylabel("int8 RMSE / BW")
    return figure
