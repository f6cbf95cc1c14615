# SPDX-License-Identifier: Apache-2.0
"""A walk as a figure: forces, pressures, and every stance laid over the others."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from edgegrf.errors import DataError, MissingToolError, UsageError
from edgegrf.files import write_file
from edgegrf.gait.events import THRESHOLD_N, contacts
from edgegrf.gait.readers.format import Walk
from edgegrf.gait.recording import Recording

__all__ = ["plot_walk"]

_SHOWN_S = 5.0
_SIDES = {"left": "#1f5f8b", "right": "#c8553d"}
_STYLE = {"svg.hashsalt": "edgegrf", "font.size": 8, "axes.grid": True, "grid.alpha": 0.3}
_SUFFIXES = (".png", ".svg", ".pdf")


def plot_walk(path: Path, walk: Walk) -> None:
    """Draw the first seconds of a walk in BW to `path` (.svg, .png, .pdf); says so where it is synthetic.

    Raises MissingToolError without matplotlib, DataError for a walk without force or body weight.
    """
    if path.suffix not in _SUFFIXES:
        raise UsageError(f"cannot draw {path.name}", fix=f"name it {' or '.join(_SUFFIXES)}")
    if any(recording.force is None or recording.body_weight_n is None for recording in walk):
        raise DataError(f"{walk[0].name} has no force or no body weight to draw")
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingToolError("matplotlib is not installed", fix="pip install 'edgegrf[report]'") from error
    buffer = io.BytesIO()
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(8, 7), layout="constrained")
        _draw(figure, walk)
        stamp = {"Date": None} if path.suffix == ".svg" else None
        figure.savefig(buffer, format=path.suffix[1:], dpi=150, metadata=stamp)
    write_file(path, buffer.getvalue())


def _draw(figure: Any, walk: Walk) -> None:
    force, sensors, stances = figure.subplots(3, 1)
    what = "SYNTHETIC walk, not a person" if walk[0].synthetic else "Walk"
    figure.suptitle(f"{what}: {walk[0].name.rpartition('/')[0]} (force: {walk[0].force_source})")
    for recording in walk:
        _forces(force, recording)
        _stances(stances, recording)
    _sensors(sensors, walk[0])
    force.set(xlabel="time (s)", ylabel="force (BW)", title="Force")
    stances.set(
        xlabel="time since heel strike (s)",
        ylabel="vertical force (BW)",
        title=f"Every stance (contact above {THRESHOLD_N:.0f} N)",
    )
    for axes in (force, stances):
        axes.legend(loc="upper right")


def _forces(axes: Any, recording: Recording) -> None:
    shown, time = _shown(recording)
    assert recording.force is not None and recording.body_weight_n is not None
    for column, name in enumerate(recording.force_names):
        axes.plot(
            time,
            recording.force[shown, column] / recording.body_weight_n,
            color=_SIDES[recording.foot],
            linestyle="-" if column == 0 else "--",
            label=f"{recording.foot} {name.replace('_', ' ')}",
        )


def _sensors(axes: Any, recording: Recording) -> None:
    shown, time = _shown(recording)
    if recording.frame is not None:
        rows, columns = recording.frame
        image = recording.pressure[shown].reshape(-1, rows, columns).sum(axis=2).T
        axes.imshow(image, aspect="auto", origin="lower", extent=(0, time[-1], 0, rows), cmap="magma")
        axes.set(ylabel="row, heel to toe", title=f"Load on each row, {recording.foot} foot")
    else:
        for column, sensor in enumerate(recording.sensors):
            axes.plot(time, recording.pressure[shown, column], label=sensor.name, linewidth=0.9)
        axes.set(ylabel=f"load ({recording.unit})", title=f"Sensors, {recording.foot} foot")
        axes.legend(loc="upper right", ncols=4)
    axes.set_xlabel("time (s)")


def _stances(axes: Any, recording: Recording) -> None:
    assert recording.force is not None and recording.body_weight_n is not None
    force = recording.force[:, 0] / recording.body_weight_n
    found = contacts(force, THRESHOLD_N / recording.body_weight_n, recording.sample_rate_hz)
    for index, (strike, off) in enumerate(zip(found.strike, found.off, strict=True)):
        samples = np.arange(int(strike), int(off) + 2)
        axes.plot(
            (samples - strike) / recording.sample_rate_hz,
            force[samples],
            color=_SIDES[recording.foot],
            alpha=0.3,
            linewidth=0.8,
            label=recording.foot if index == 0 else None,
        )


def _shown(recording: Recording) -> tuple[slice, Any]:
    count = min(len(recording.pressure), round(_SHOWN_S * recording.sample_rate_hz))
    return slice(0, count), np.arange(count) / recording.sample_rate_hz
