# SPDX-License-Identifier: Apache-2.0
"""The figures of a bench, each an SVG from the bench's record; every axis has its unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from edgegrf.bench.summary import duration
from edgegrf.report.ink import ACCENT, CARD, INK, MUTED, REFERENCE, SERIES, drawn, new_figure, ramp

__all__ = ["agreement", "error_by_walk", "latency", "trace"]

_BINS = 44
_NARROWEST = 40  # cycles that the axis of latencies spans at least, so that two equal ones look equal
_MOST_INPUTS = 4


@drawn("trace", "Estimated and reference force over a few strides, and the model's inputs")
def trace(record: Mapping[str, Any]) -> Any:
    """Estimate against reference over a few strides, the model's inputs below."""
    seen = record["figures"]["trace"]
    figure, (top, bottom) = new_figure(9.6, 4.9, nrows=2, sharex=True, height_ratios=(3, 2))
    time = np.array(seen["time_s"])
    top.plot(time, seen["reference"], color=REFERENCE, linewidth=2.6, label="reference")
    top.plot(time, seen["estimate"], color=ACCENT, linewidth=1.4, label="estimate on the board")
    top.set_ylabel(f"{seen['output'].replace('_', ' ')} / {seen['output_unit']}")
    top.set_title(f"{seen['name']}{_synthetic(record)}")
    top.legend(loc="lower right", ncols=2, bbox_to_anchor=(1, 0.98))
    inputs = np.array(seen["inputs"])
    at = seen["start_s"] + np.arange(inputs.shape[1]) / seen["sample_rate_hz"]
    if len(inputs) > _MOST_INPUTS:
        bottom.plot(
            at, inputs.sum(axis=0), color=SERIES[0], linewidth=1.2, label=f"sum of {len(inputs)} sensors"
        )
    else:
        for name, values, colour in zip(seen["sensors"], inputs, SERIES, strict=False):
            bottom.plot(at, values, color=colour, linewidth=1.2, label=name)
    bottom.set_ylabel(f"inputs / {seen['input_unit']}")
    bottom.set_xlabel("time / s")
    bottom.set_xlim(time[0], time[-1])
    bottom.legend(loc="lower right", ncols=_MOST_INPUTS, bbox_to_anchor=(1, 0.96))
    return figure


@drawn("agreement", "Estimate against reference, and a Bland-Altman plot")
def agreement(record: Mapping[str, Any]) -> Any:
    """Estimate against reference, and their difference against their mean (Bland and Altman 1986)."""
    pairs = record["figures"]["pairs"]
    unit = record["figures"]["trace"]["output_unit"]
    estimate, reference = np.array(pairs["estimate"]), np.array(pairs["reference"])
    figure, (left, right) = new_figure(9.6, 4.0, ncols=2)
    low, high = float(min(estimate.min(), reference.min())), float(max(estimate.max(), reference.max()))
    left.plot([low, high], [low, high], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    _density(left, reference, estimate)
    left.set_xlabel(f"reference / {unit}")
    left.set_ylabel(f"estimate / {unit}")
    left.set_title(f"Estimate against reference{_synthetic(record)}")
    error = estimate - reference
    _density(right, (estimate + reference) / 2, error)
    accuracy = record["accuracy"]
    lines = {"bias": "bias_bw", "−1.96 SD": "loa_low_bw", "+1.96 SD": "loa_high_bw"}
    for label, key in lines.items():
        right.axhline(
            accuracy[key], color=INK, linewidth=1, linestyle="-" if label == "bias" else (0, (4, 3))
        )
        text = f"{label}: {accuracy[key]:+.3f}".replace("-", "−")
        right.annotate(
            text, (1, accuracy[key]), xycoords=("axes fraction", "data"),
            xytext=(-2, 3), textcoords="offset points", ha="right", fontsize=8.5, color=INK,
            bbox={"facecolor": CARD, "edgecolor": "none", "alpha": 0.7, "pad": 0.6},
        )  # fmt: skip
    right.set_xlabel(f"mean of estimate and reference / {unit}")
    right.set_ylabel(f"estimate − reference / {unit}")
    right.set_title(f"Bland–Altman{_synthetic(record)}")
    return figure


@drawn("latency", "Histogram of the time of one inference")
def latency(record: Mapping[str, Any]) -> Any:
    """How often an inference took how long."""
    spread = record["figures"]["cycles"]
    figure, axes = new_figure(9.6, 2.9)
    scale = 1e6 / record["clock_hz"]
    edges = np.array(spread["edges"]) * scale
    axes.bar(edges[:-1], spread["counts"], np.diff(edges), align="edge", color=ACCENT)
    middle, half = (edges[0] + edges[-1]) / 2, max(edges[-1] - edges[0], _NARROWEST * scale) / 2
    axes.set_xlim(middle - 1.05 * half, middle + 1.05 * half)
    if max(spread["counts"]) > 200:
        axes.set_yscale("log")
        axes.set_ylim(bottom=0.7)  # from one inference on
        axes.yaxis.set_major_formatter("{x:,g}")
    for name, dashes in (("p50", (0, ())), ("p99", (0, (6, 2))), ("max", (0, (1.5, 2)))):
        value = record["latency_us"][name]
        axes.axvline(value, color=INK, linewidth=1.1, linestyle=dashes, label=f"{name} {duration(value)}")
    axes.legend(loc="lower right", ncols=3, bbox_to_anchor=(1, 0.98))
    of = "sample" if record["mode"] == "stream" else "window"
    axes.set_xlabel(f"{'estimated' if record['virtual'] else 'measured'} time per {of} / µs")
    axes.set_ylabel("inferences")
    axes.set_title(f"Latency on {record['board']}{' (virtual): an estimate' if record['virtual'] else ''}")
    return figure


@drawn("walks", "Root mean square error of each walk, grouped by subject")
def error_by_walk(record: Mapping[str, Any]) -> Any:
    """RMSE of every trial, those of one subject side by side."""
    walks = [walk for walk in record["walks"] if "rmse_bw" in walk["accuracy"]]
    figure, axes = new_figure(9.6, 3.2)
    errors = [walk["accuracy"]["rmse_bw"] for walk in walks]
    subjects = list(dict.fromkeys(walk["subject"] for walk in walks))
    place = np.arange(len(walks)) + np.array([subjects.index(walk["subject"]) for walk in walks]) * 0.8
    axes.bar(place, errors, 0.8, color=ACCENT)
    axes.axhline(
        record["accuracy"]["rmse_bw"], color=INK, linewidth=1, linestyle=(0, (4, 3)), label="all walks"
    )
    middles = [float(place[[walk["subject"] == subject for walk in walks]].mean()) for subject in subjects]
    many = len(subjects) > 8
    axes.set_xticks(middles, subjects, rotation=45 if many else 0, ha="right" if many else "center")
    axes.grid(visible=False, axis="x")
    axes.set_ylabel("RMSE / BW")
    axes.set_title(f"Error of each foot's walk, by subject{_synthetic(record)}")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 0.98))
    return figure


def _density(axes: Any, x: Any, y: Any) -> None:
    axes.hexbin(x, y, gridsize=_BINS, bins="log", mincnt=1, cmap=ramp(), linewidths=0)


def _synthetic(record: Mapping[str, Any]) -> str:
    return " (synthetic walker)" if record["data"]["synthetic"] else ""
