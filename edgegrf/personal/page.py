# SPDX-License-Identifier: Apache-2.0
"""The page of a personalisation: before and after on what was not fitted to; one HTML file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgegrf.files import write_file
from edgegrf.personal.run import Personalised
from edgegrf.personal.table import rows
from edgegrf.report.ink import ACCENT, REFERENCE, SERIES, drawn, new_figure
from edgegrf.report.layout import render

__all__ = ["write_personal_page"]

_SHOWN_S = 6.0


def write_personal_page(result: Personalised, path: Path) -> None:
    """Write the page to `path`; raises MissingToolError (matplotlib), OutputError."""
    record = result.record()
    page = render(
        Path(__file__).with_name("personal.html.j2"),
        record=record,
        rows=rows(record),
        trace=_trace(_stretch(result)),
        walks=_walks(record),
        strengths=_strengths(record),
        shown_s=_SHOWN_S,
    )
    write_file(path, page)


def _stretch(result: Personalised) -> dict[str, Any]:
    """Some seconds from the middle of the first walk that judges."""
    one, rate = result.judged[0], result.student.interface.sample_rate_hz
    length = min(round(_SHOWN_S * rate), len(one.before))
    at = (len(one.before) - length) // 2
    part = slice(at, at + length)
    return {
        "time_s": (one.begin + np.arange(at, at + length)) / rate,
        "reference": one.reference[part, 0],
        "as made": one.before[part, 0],
        "personalised": one.after[part, 0],
    }


@drawn("trace", "Reference force and the estimates before and after, over some seconds")
def _trace(record: Mapping[str, Any]) -> Any:
    figure, (forces, errors) = new_figure(9.6, 4.4, nrows=2, sharex=True, height_ratios=(2, 1))
    inks = {"reference": REFERENCE, "as made": SERIES[1], "personalised": ACCENT}
    for name, ink in inks.items():
        forces.plot(record["time_s"], record[name], color=ink, linewidth=1.3, label=name)
        if name != "reference":
            errors.plot(record["time_s"], record[name] - record["reference"], color=ink, linewidth=1.1)
    forces.set_ylabel("force / BW")
    forces.set_ylim(top=1.25 * max(float(max(record[name])) for name in inks))
    forces.legend(loc="upper right", ncols=3)
    errors.set(xlabel="time in the walk / s", ylabel="error / BW")
    return figure


@drawn("walks", "Root mean square error of each held-out walk before and after")
def _walks(record: Mapping[str, Any]) -> Any:
    figure, axes = new_figure(9.6, 1.2 + 0.45 * len(record["walks"]))
    names = [f"{walk['walk']} from {walk['from_s']:.0f} s" for walk in record["walks"]]
    for shift, side, name, ink in (
        (-0.18, "before", "as made", SERIES[1]),
        (0.18, "after", "personalised", ACCENT),
    ):
        places = [number + shift for number in range(len(names))]
        values = [walk[side]["rmse_bw"] for walk in record["walks"]]
        axes.barh(places, values, height=0.34, color=ink, label=name)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel("RMSE / BW")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    return figure


@drawn("strengths", "Error on held-out parts of the minute against the pull towards the general model")
def _strengths(record: Mapping[str, Any]) -> Any:
    figure, axes = new_figure(9.6, 2.6)
    minute = record["held_out_of_the_minute"]
    for gains, name, ink in ((False, "last layer", SERIES[2]), (True, "gains and last layer", ACCENT)):
        options = [option for option in minute["options"] if option["gains"] == gains]
        values = [option["rmse_bw"] for option in options]
        axes.plot([o["strength"] for o in options], values, color=ink, marker="o", markersize=3.5, label=name)
    axes.axhline(minute["general_rmse_bw"], color=SERIES[1], linewidth=1.2, label="as made")
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set(xlabel="strength of the pull towards the general model", ylabel="RMSE / BW")
    axes.legend(loc="lower right")
    return figure
