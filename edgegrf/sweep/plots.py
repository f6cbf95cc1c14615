# SPDX-License-Identifier: Apache-2.0
"""The figures of a sweep: error against cost, and every variant against the student alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgegrf.report.ink import ACCENT, INK, MUTED, REFERENCE, drawn, log_axis, new_figure
from edgegrf.sweep.plan import ALONE

__all__ = ["differences", "pareto"]

_COSTS = (
    ("cycles_per_sample", "estimated cycles a sample"),
    ("flash_bytes", "flash of the model / bytes"),
    ("ram_bytes", "RAM of the model / bytes"),
)
_MARKERS = "osD^vP*Xph<>"

Row = Mapping[str, Any]


@drawn("pareto", "Error of every student and variant against cycles, flash and RAM")
def pareto(record: Row) -> Any:
    """`summary` of the record: int8 RMSE over each cost; what nothing beats in both is joined."""
    figure, axes = new_figure(9.6, 4.3, ncols=len(_COSTS), sharey=True)
    rows = record["summary"]
    students = list(dict.fromkeys(row["student"] for row in rows))
    for one, (key, label) in zip(axes, _COSTS, strict=True):
        front = _front(rows, key)
        one.step([row[key] for row in front], [1000 * row["int8"]["mean_bw"] for row in front],
                 where="post", color=MUTED, linewidth=1, linestyle=(0, (4, 3)))  # fmt: skip
        for row in rows:
            one.errorbar(
                row[key], 1000 * row["int8"]["mean_bw"], 1000 * (row["int8"]["spread_bw"] or 0),
                color=ACCENT if row in front else REFERENCE, marker=_marker(students, row), markersize=5,
                linestyle="none", capsize=2, zorder=3 if row in front else 2,
            )  # fmt: skip
        for row in front:
            one.annotate(
                row["variant"], (row[key], 1000 * row["int8"]["mean_bw"]), xytext=(6, 4),
                textcoords="offset points", fontsize=7.5, color=INK,
            )  # fmt: skip
        log_axis(one)
        one.margins(x=0.15)
        one.set_xlabel(label)
    axes[0].set_ylabel("int8 RMSE / mBW")
    for student in students:
        axes[0].plot(
            [],
            [],
            color=MUTED,
            marker=_marker(students, {"student": student}),
            linestyle="none",
            label=student,
        )
    figure.legend(loc="outside lower center", ncols=4)
    return figure


def _marker(students: Sequence[str], row: Row) -> str:
    return _MARKERS[students.index(row["student"]) % len(_MARKERS)]


def _front(rows: Sequence[Row], key: str) -> list[Row]:
    """Those whose error nothing reaches at no higher cost, from the cheapest on."""
    found: list[Row] = []
    for row in sorted(rows, key=lambda row: (row[key], row["int8"]["mean_bw"])):
        if not found or row["int8"]["mean_bw"] < found[-1]["int8"]["mean_bw"]:
            found.append(row)
    return found


@drawn("differences", "Every variant's error minus that of the student trained alone, with 95 % intervals")
def differences(record: Row) -> Any:
    """`cells` and `summary` of one student: each run's difference as a small dot, the mean with interval."""
    rows = [row for row in record["summary"] if row["int8"]["against_none"]]
    rows.sort(key=lambda row: row["int8"]["against_none"]["mean_bw"], reverse=True)
    figure, axes = new_figure(7.2, 1.1 + 0.34 * len(rows))
    for place, row in enumerate(rows):
        for kind, colour, shift in (("float", REFERENCE, 0.16), ("int8", ACCENT, -0.1)):
            beside = row[kind]["against_none"]
            axes.errorbar(
                1000 * beside["mean_bw"], place + shift, xerr=1000 * (beside["half_interval_bw"] or 0),
                color=colour, marker="o", markersize=5, capsize=3, linestyle="none",
                label=kind if not place else None,
            )  # fmt: skip
        runs = [1000 * one for one in _apart(record["cells"], row)]
        axes.plot(
            runs,
            [place - 0.3] * len(runs),
            ".",
            color=MUTED,
            markersize=4,
            label=None if place else "int8, each run",
        )
    axes.axvline(0, color=INK, linewidth=1)
    axes.set_yticks(range(len(rows)), [row["variant"] for row in rows])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("RMSE minus that of the same student trained alone / mBW  (left: better)")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
    return figure


def _apart(cells: Sequence[Row], row: Row) -> list[float]:
    """int8 error of each run minus that of the student alone with the same seed and fold."""
    alone = {
        (cell["seed"], cell["fold"]): cell["int8_rmse_bw"]
        for cell in cells
        if cell["student"] == row["student"] and cell["variant"] == ALONE
    }
    ours = [c for c in cells if c["student"] == row["student"] and c["variant"] == row["variant"]]
    return [c["int8_rmse_bw"] - alone[c["seed"], c["fold"]] for c in ours if (c["seed"], c["fold"]) in alone]
