# SPDX-License-Identifier: Apache-2.0
"""A sweep in figures: mean and spread over seeds and folds, and who is on the Pareto front."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["COLUMNS", "summary", "table"]

COLUMNS = (
    "student", "recipe", "runs", "float / BW", "int8 / BW", "spread / BW", "95 % interval / BW",
    "against none / BW", "cycles", "flash / B", "RAM / B", "on the front",
)  # fmt: skip

#: two-sided 95 % points of Student's t for 1 to 30 degrees of freedom (any table of it)
_T95 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


def summary(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row for each student and recipe: errors in BW (mean; of int8 the standard deviation over the runs and
    the interval of its mean), the cost of an estimate, and whether none is better in both error and cycles.
    """
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for cell in record["cells"]:
        groups.setdefault((cell["student"], cell["recipe"]), []).append(cell)
    rows = [_row(*key, cells, record["costs"][key[0]]) for key, cells in groups.items()]
    for row in rows:
        alone = next((o for o in rows if o["student"] == row["student"] and o["recipe"] == "none"), None)
        row["gain_bw"] = alone["int8_bw"] - row["int8_bw"] if alone and alone is not row else None
        row["front"] = not any(_better(other, row) for other in rows)
    return rows


def _row(
    student: str, recipe: str, cells: Sequence[Mapping[str, Any]], cost: Mapping[str, Any]
) -> dict[str, Any]:
    int8 = [cell["int8_rmse_bw"] for cell in cells]
    spread = statistics.stdev(int8) if len(int8) > 1 else None
    degrees = min(len(int8) - 1, len(_T95))
    return {
        "student": student, "recipe": recipe, "runs": len(int8),
        "float_bw": statistics.fmean(cell["float_rmse_bw"] for cell in cells),
        "int8_bw": statistics.fmean(int8), "spread_bw": spread,
        "half_interval_bw": None if spread is None else _T95[degrees - 1] * spread / math.sqrt(len(int8)),
        **cost,
    }  # fmt: skip


def _better(other: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    same_unit = other["per"] == row["per"]
    no_worse = other["int8_bw"] <= row["int8_bw"] and other["cycles"] <= row["cycles"]
    return same_unit and no_worse and (other["int8_bw"], other["cycles"]) != (row["int8_bw"], row["cycles"])


def table(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """The rows as a person reads them, in COLUMNS."""
    return [
        (
            row["student"], row["recipe"], str(row["runs"]),
            f"{row['float_bw']:.4f}", f"{row['int8_bw']:.4f}",
            "" if row["spread_bw"] is None else f"{row['spread_bw']:.4f}",
            "" if row["half_interval_bw"] is None else f"+-{row['half_interval_bw']:.4f}",
            "" if row["gain_bw"] is None else f"{-row['gain_bw']:+.4f}",
            f"{row['cycles']} / {row['per']}", str(row["flash_bytes"]), str(row["ram_bytes"]),
            "yes" if row["front"] else "",
        )
        for row in rows
    ]  # fmt: skip
