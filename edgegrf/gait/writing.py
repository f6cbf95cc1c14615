# SPDX-License-Identifier: Apache-2.0
"""Writing walks so that the readers read them back: CSV with its column map."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import DataError
from edgegrf.files import write_file
from edgegrf.gait.readers.format import Walk

__all__ = ["write_csv"]


def write_csv(
    path: Path, walk: Walk, *, extra: Mapping[str, NDArray[np.float64]] = MappingProxyType({})
) -> None:
    """Write a walk's feet as columns of one CSV, and its column map as PATH.toml beside it.

    `extra` are columns [T] that the map does not name.  Float32 values come back bit for bit.  Raises
    DataError for feet of unequal length or terms.
    """
    first = walk[0]
    for recording in walk[1:]:
        same = (recording.unit, recording.sample_rate_hz, recording.subject, len(recording.pressure))
        if same != (first.unit, first.sample_rate_hz, first.subject, len(first.pressure)):
            raise DataError(f"{recording.name} and {first.name} do not belong to one walk")
    names = ["time_s"]
    columns = [np.arange(len(first.pressure)) / first.sample_rate_hz]
    for recording in walk:
        names += [f"{recording.foot}_{sensor.name}" for sensor in recording.sensors]
        columns += list(recording.pressure.T)
        if recording.force is not None:
            names += [f"{recording.foot}_{name}" for name in recording.force_names]
            columns += list(recording.force.T)
    names += extra
    columns += list(extra.values())
    text = io.StringIO()
    text.write(",".join(names) + "\n")
    np.savetxt(text, np.stack(columns, axis=1), fmt="%.9g", delimiter=",")
    write_file(path, text.getvalue())
    write_file(path.with_name(path.name + ".toml"), _column_map(walk))


def _text(value: str) -> str:
    """A TOML string; JSON's escapes are among TOML's."""
    return json.dumps(value, ensure_ascii=False)


def _column_map(walk: Walk) -> str:
    first = walk[0]
    lines = [
        "# What the columns of the CSV beside are (edgegrf's column map).",
        f"subject = {_text(first.subject)}",
        f"unit = {_text(first.unit)}",
        f"sample_rate_hz = {first.sample_rate_hz!r}",
        'time = "time_s"',
    ]
    if first.body_weight_n is not None:
        lines.append(f"body_weight_n = {first.body_weight_n!r}")
    if first.force is not None:
        lines.append(f"force_unit = {_text(first.force_unit)}")
        lines.append(f"force_source = {_text(first.force_source)}")
    if first.frame is not None:
        lines.append(f"frame = {list(first.frame)}")
    if first.synthetic:
        lines.append("synthetic = true")
    for recording in walk:
        tables = {"sensors": [sensor.name for sensor in recording.sensors], "force": recording.force_names}
        for table, names in tables.items():
            if names:
                lines.append(f"\n[{recording.foot}.{table}]")
            lines += [f"{_text(name)} = {_text(f'{recording.foot}_{name}')}" for name in names]
    return "\n".join(lines) + "\n"
