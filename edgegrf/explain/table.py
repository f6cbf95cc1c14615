# SPDX-License-Identifier: Apache-2.0
"""The rows of an explanation, for the terminal and the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["COLUMNS", "headline", "rows", "totals"]

Record = Mapping[str, Any]

COLUMNS = ("what is rounded", "of", "kind", "RMSE", "increase", "of the loss", "SQNR")


def headline(name: str, record: Record) -> str:
    """What was explained: one line."""
    return f"{name} in {record['scheme']}: one part rounded, the rest in float"


def rows(record: Record, most: int | None = None) -> list[tuple[str, ...]]:
    """A row for each tensor and each layer's weights under COLUMNS, the costliest first; `most` of them."""
    return [
        (
            cost["place"],
            cost["what"],
            cost["kind"],
            f"{cost['rmse_bw']:.5f} BW",
            f"{100 * cost['increase']:+z.2f} %",
            f"{100 * cost['share']:.1f} %",
            "" if cost["sqnr_db"] is None else f"{cost['sqnr_db']:.1f} dB",
        )
        for cost in record["costs"][:most]
    ]


def totals(record: Record) -> list[tuple[str, str, str]]:
    """(what is rounded, RMSE, increase) of nothing, all weights, all activations, everything."""
    base = record["float_rmse_bw"]
    parts = (
        ("nothing (float)", "float_rmse_bw"),
        ("all weights", "weights_rmse_bw"),
        ("all activations", "activations_rmse_bw"),
        ("everything", "rmse_bw"),
    )
    return [
        (label, f"{record[key]:.5f} BW", f"{100 * (record[key] / base - 1):+z.2f} %") for label, key in parts
    ]
