# SPDX-License-Identifier: Apache-2.0
"""A personalisation's record as lines that a person reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["rows"]

_SHOWN = {
    "rmse_bw": ("RMSE / BW", ".4f"),
    "r2": ("R²", ".4f"),
    "peak1_error_bw": ("first peak, error / BW", ".4f"),
    "peak2_error_bw": ("second peak, error / BW", ".4f"),
    "contact_time_error_ms": ("contact time, error / ms", ".1f"),
}


def rows(record: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """(what, as made, personalised, change) of each held-out walk, then of all; of the minute where the fit
    did not help."""
    found = [
        (f"RMSE / BW, {walk['walk']} from {walk['from_s']:.0f} s", *_pair(walk, "rmse_bw", ".4f"))
        for walk in record["walks"]
    ]
    if record["all"] is None:
        minute = record["held_out_of_the_minute"]
        best = min(option["rmse_bw"] for option in minute["options"])
        pair = {"before": {"": minute["general_rmse_bw"]}, "after": {"": best}}
        return [("RMSE / BW, held-out parts of the minute", *_pair(pair, "", ".4f"))]
    for key, (label, form) in _SHOWN.items():
        if key in record["all"]["before"] and key in record["all"]["after"]:
            found.append((f"all: {label}", *_pair(record["all"], key, form)))
    return found


def _pair(sides: Mapping[str, Any], key: str, form: str) -> tuple[str, str, str]:
    before, after = sides["before"][key], sides["after"][key]
    change = f"{100 * (after / before - 1):+.1f} %" if before else ""
    return f"{before:{form}}", f"{after:{form}}", change
