# SPDX-License-Identifier: Apache-2.0
"""A sweep in figures: mean and spread over runs, differences to the student alone, who is on the front."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from edgegrf.sweep.plan import ALONE
from edgegrf.sweep.statistics import half_interval, mean_over_subjects, paired

__all__ = ["COLUMNS", "difference", "heading", "summary", "table", "verdict"]

COLUMNS = ("student", "variant", "float", "int8", f"against {ALONE}", "cycles", "flash", "RAM", "*")

_KINDS = ("float", "int8")

Row = Mapping[str, Any]


def summary(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row for each student and variant, errors in BW.

    `float` and `int8` each hold the mean of the runs' pooled RMSE, its standard deviation and half its 95 %
    interval; `over_subjects`, the mean of the subjects' own RMSE with its interval; `against_none`, the mean
    difference to the same seeds and folds of the student alone with half its interval.  The cost of an
    estimate stands beside them, and whether none is better in both int8 error and cycles.
    """
    groups: dict[tuple[str, str], list[Row]] = {}
    for cell in record["cells"]:
        groups.setdefault((cell["student"], cell["variant"]), []).append(cell)
    rows = [
        _row(cells, groups.get((student, ALONE), ()), record["costs"][student])
        for (student, _), cells in groups.items()
    ]
    for row in rows:
        row["front"] = not any(_better(other, row) for other in rows)
    return rows


def _row(cells: Sequence[Row], alone: Sequence[Row], cost: Row) -> dict[str, Any]:
    first = cells[0]
    row = {
        "student": first["student"], "variant": first["variant"], "recipe": first["recipe"],
        "parameters": first["parameters"], "runs": len(cells), **cost,
    }  # fmt: skip
    for kind in _KINDS:
        errors = _by_run(cells, kind)
        values = list(errors.values())
        beside = None if first["variant"] == ALONE else paired(errors, _by_run(alone, kind))
        row[kind] = {
            "mean_bw": statistics.fmean(values),
            "spread_bw": statistics.stdev(values) if len(values) > 1 else None,
            "half_interval_bw": half_interval(values),
            "over_subjects": mean_over_subjects(_by_subject(cells, kind)),
            "against_none": {"mean_bw": beside[0], "half_interval_bw": beside[1]} if beside else None,
        }
    return row


def _by_run(cells: Sequence[Row], kind: str) -> dict[tuple[int, int], float]:
    return {(cell["seed"], cell["fold"]): cell[f"{kind}_rmse_bw"] for cell in cells}


def _by_subject(cells: Sequence[Row], kind: str) -> dict[str, float]:
    """Each subject's RMSE, a mean over the runs that held it out."""
    found: dict[str, list[float]] = {}
    for cell in cells:
        for subject, row in cell["subjects"].items():
            found.setdefault(subject, []).append(row[f"{kind}_rmse_bw"])
    return {subject: statistics.fmean(values) for subject, values in found.items()}


def _better(other: Row, row: Row) -> bool:
    ours, theirs = ((one["int8"]["mean_bw"], one["cycles_per_sample"]) for one in (other, row))
    return ours != theirs and all(a <= b for a, b in zip(ours, theirs, strict=True))


def verdict(beside: Row | None) -> str:
    """Whether a difference to the student alone is one: "better", "worse", or none seen."""
    if beside is None:
        return ""
    mean, half = beside["mean_bw"], beside["half_interval_bw"]
    if half is None:
        return "one run says nothing"
    if abs(mean) <= half:
        return "no difference seen"
    return "better" if mean < 0 else "worse"


def difference(beside: Row | None) -> str:
    """A mean difference with its 95 % interval, in mBW."""
    return (
        "" if beside is None else f"{1000 * beside['mean_bw']:+.2f}{_plus_minus(beside['half_interval_bw'])}"
    )


def heading(rows: Sequence[Row]) -> str:
    """What stands over `table`."""
    runs = sorted({row["runs"] for row in rows})
    each = str(runs[0]) if len(runs) == 1 else f"{runs[0]} to {runs[-1]}"
    return (
        f"RMSE of held-out subjects in mBW, {each} run{'' if each == '1' else 's'} each; "
        "cycles a sample (estimated); kB; * on the front"
    )


def table(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """The rows as a person reads them, in COLUMNS: mBW, cycles a sample, kB; the front is marked."""
    return [
        (
            row["student"], row["variant"], f"{1000 * row['float']['mean_bw']:.2f}",
            f"{1000 * row['int8']['mean_bw']:.2f}{_plus_minus(row['int8']['spread_bw'])}",
            difference(row["int8"]["against_none"]), f"{row['cycles_per_sample']:.0f}",
            f"{row['flash_bytes'] / 1000:.1f}", f"{row['ram_bytes'] / 1000:.1f}", "*" if row["front"] else "",
        )
        for row in rows
    ]  # fmt: skip


def _plus_minus(value: float | None) -> str:
    return "" if value is None else f" ± {1000 * value:.2f}"
