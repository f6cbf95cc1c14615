# SPDX-License-Identifier: Apache-2.0
"""The page of a live stream: figures and counters, one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgegrf.errors import DataError
from edgegrf.files import write_file
from edgegrf.graph.affine import dequantize
from edgegrf.live.plots import force, pressure, timing
from edgegrf.live.stream import Stream
from edgegrf.live.table import facts, warnings
from edgegrf.report.layout import render

__all__ = ["write_live_page"]

_SHOWN = 3000  # samples drawn: the last ones


def write_live_page(
    record: Mapping[str, Any], stream: Stream, path: Path, *, outputs: Sequence[str] = ()
) -> None:
    """Write the page of a stream to `path`; raises MissingToolError, OutputError, DataError."""
    if len(stream.frames) < 2:
        raise DataError("fewer than two samples came: nothing to draw", fix="run for longer")
    traces = _traces(stream, outputs)
    figures = [timing(traces)]
    figures = [pressure(traces), *figures] if traces["lines"] else figures
    figures = [force(traces), *figures] if traces["force"] else figures
    made = record["provenance"]
    page = render(
        Path(__file__).with_name("live.html.j2"),
        record=record,
        facts=facts(record),
        warnings=warnings(record),
        figures=figures,
        shown=min(_SHOWN, len(stream.frames)),
        provenance=[
            ("command", made["command"]),
            ("edgegrf", made["edgegrf"]),
            ("model", f"{record['model']}, SHA-256 {record['model_sha256']}"),
            ("firmware", f"{made['firmware_version']}, SHA-256 {record['firmware_sha256']}"),
        ],
    )
    write_file(path, page)


def _traces(stream: Stream, outputs: Sequence[str]) -> dict[str, Any]:
    frames = stream.frames[-_SHOWN:]
    samples = np.array([frame.sample for frame in frames])
    steps = np.diff(samples)
    names = [*outputs, *(f"force {n}" for n in range(len(outputs), stream.hello.output_channels))]
    lines, unit = _lines(stream)
    return {
        "time_s": samples / stream.rate_hz,
        "latency_us": [float(frame.latency_us) for frame in frames],
        "holes_s": (samples[1:][steps > stream.terms.every] / stream.rate_hz).tolist(),
        "force": _force(stream, names),
        "lines": lines,
        "unit": unit,
    }


def _force(stream: Stream, names: Sequence[str]) -> dict[str, Any]:
    info = stream.hello
    nothing = np.full(info.output_channels, np.nan)
    rows = [
        nothing
        if each.estimate is None
        else dequantize(each.estimate, info.output_scale, info.output_zero_point)
        for each in stream.frames[-_SHOWN:]
    ]
    values = np.stack(rows)
    if np.isnan(values).all():
        return {}
    return {name: values[:, index] for index, name in enumerate(names[: info.output_channels])}


def _lines(stream: Stream) -> tuple[list[tuple[str, Any]], str]:
    """(name, load [T]) of each sensor, or of each row of a matrix; and their unit."""
    info = stream.hello
    values, unit = stream.pressure()[-_SHOWN:], "BW"
    loads = dequantize(values, info.input_scale, info.input_zero_point)
    if not len(values):
        loads, unit = stream.counts()[-_SHOWN:].astype(np.float64), "counts"
    if not len(loads):
        return [], unit
    if stream.rows:
        rows = loads.reshape(len(loads), stream.rows, -1).sum(axis=2)
        return [(f"row {row}", rows[:, row]) for row in range(stream.rows)], unit
    return [(name, loads[:, column]) for column, name in enumerate(stream.names)], unit
