# SPDX-License-Identifier: Apache-2.0
"""The page of a stress test: the error of each model against the strength of each disturbance."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgegrf.files import write_file
from edgegrf.report.ink import ACCENT, MUTED, SERIES, drawn, new_figure
from edgegrf.report.layout import render

__all__ = ["stress_rows", "write_stress_page"]

_COLOURS = (ACCENT, *SERIES[1:])
_COLUMNS = 3


def write_stress_page(record: Mapping[str, Any], path: Path) -> None:
    """Write the page of a stress record to `path`; raises MissingToolError (matplotlib), OutputError."""
    columns, rows = stress_rows(record)
    page = render(
        Path(__file__).with_name("stress.html.j2"), record=record, figure=_curves(record), columns=columns,
        rows=rows,
    )  # fmt: skip
    write_file(path, page)


def stress_rows(record: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of the table: RMSE in BW undisturbed and at the middle of each disturbance."""
    columns = ["at the middle strength", *(f"{row['model']} / BW" for row in record["models"])]
    rows = [["undisturbed", *(f"{row['rmse_bw']:.4f}" for row in record["models"])]]
    for name, kind in record["disturbances"].items():
        middle = kind["strengths"].index(kind["middle"])
        cells = []
        for row in record["models"]:
            value = row["disturbed_rmse_bw"][name][middle]
            cells.append(f"{value:.4f} ({value - row['rmse_bw']:+.4f})")
        rows.append([f"{name} {kind['middle']:g} {kind['unit']}".strip(), *cells])
    return columns, rows


@drawn("stress", "Root mean square error of each model against the strength of each disturbance")
def _curves(record: Mapping[str, Any]) -> Any:
    kinds = record["disturbances"]
    figure, axes = new_figure(9.6, 5.6, nrows=-(-len(kinds) // _COLUMNS), ncols=_COLUMNS, sharey=True)
    for place, (name, kind) in enumerate(kinds.items()):
        one = axes.flat[place]
        for row, colour in zip(record["models"], _COLOURS, strict=False):
            values = [row["rmse_bw"], *row["disturbed_rmse_bw"][name]]
            one.plot(
                [0, *kind["strengths"]], values, color=colour, marker="o", markersize=3.5, label=row["model"]
            )
        one.axvline(kind["middle"], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        one.set_title(name)
        one.set_xlabel(f"strength{' / ' + kind['unit'] if kind['unit'] else ''}")
    axes.flat[0].set_ylim(bottom=0)  # all share it
    for one in axes[:, 0]:
        one.set_ylabel("RMSE / BW")
    figure.legend(handles=axes.flat[0].lines[:-1], loc="outside lower center", ncols=4)
    return figure
