# SPDX-License-Identifier: Apache-2.0
"""The figures of a live stream: force, sensors, and when each sample came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgegrf.report.ink import ACCENT, SERIES, drawn, new_figure, ramp

__all__ = ["force", "pressure", "timing"]

_COLUMNS = 200  # of the image of the sensors: each shows the largest load of its samples


@drawn("force", "The estimated force over time, in body weights")
def force(record: Mapping[str, Any]) -> Any:
    """The estimates [T, K] over time."""
    figure, axes = new_figure(9.6, 2.6)
    for index, (name, values) in enumerate(record["force"].items()):
        axes.plot(record["time_s"], values, color=SERIES[index % len(SERIES)], linewidth=1.2, label=name)
    axes.set(xlabel="time / s", ylabel="estimated force / BW")
    axes.set_xlim(*_span(record))
    if len(record["force"]) > 1:
        axes.legend(loc="upper right")
    return figure


@drawn("pressure", "The load on each sensor over time, in body weights")
def pressure(record: Mapping[str, Any]) -> Any:
    """The sensors [T, C] as an image, one line a sensor; of a matrix one line a row."""
    figure, axes = new_figure(9.6, 2.8)
    time, lines = record["time_s"], record["lines"]
    step = -(-len(time) // _COLUMNS)
    edges = [*time[::step], time[-1]]
    peaks = [[max(values[at : at + step]) for at in range(0, len(values), step)] for _, values in lines]
    image = axes.pcolormesh(edges, [n - 0.5 for n in range(len(lines) + 1)], peaks, cmap=ramp())
    axes.set_yticks(range(len(lines)), [name for name, _ in lines])
    axes.grid(visible=False)
    axes.set_xlabel("time / s")
    bar = figure.colorbar(image, ax=axes, label=f"load / {record['unit']}", shrink=0.9)
    bar.solids.set(rasterized=False, edgecolor="face")
    return figure


@drawn("timing", "The latency of each estimate, and where samples are missing")
def timing(record: Mapping[str, Any]) -> Any:
    """Latency of each sample, and where samples are missing."""
    figure, axes = new_figure(9.6, 2.2)
    axes.plot(record["time_s"], record["latency_us"], color=ACCENT, linewidth=0.9)
    for at in record["holes_s"]:
        axes.axvline(at, color=SERIES[1], linewidth=1.2)
    axes.set_xlim(*_span(record))
    axes.set_ylim(0, 1.15 * max([1.0, *record["latency_us"]]))
    axes.set(xlabel="time / s", ylabel="first conversion\nto estimate / µs")
    return figure


def _span(record: Mapping[str, Any]) -> tuple[float, float]:
    """From the first sample to the last, so that the figures lie above each other."""
    return record["time_s"][0], record["time_s"][-1]
