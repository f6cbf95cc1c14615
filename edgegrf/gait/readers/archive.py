# SPDX-License-Identifier: Apache-2.0
"""edgegrf's own `.npz` of recordings, which keeps every field: `index` (JSON) and one array per signal."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import DataError
from edgegrf.files import write_file
from edgegrf.gait.readers.format import Format, Subjects, Walk
from edgegrf.gait.readers.packed import DAMAGED, members
from edgegrf.gait.recording import Recording, Sensor
from edgegrf.gait.validation import checked

__all__ = ["ARCHIVE", "write_archive"]

_ARRAYS = ("pressure", "force")
_NOT_KEPT = ("oddities",)


def write_archive(
    path: Path, walks: Sequence[Walk], *, extra: Mapping[str, NDArray[np.float64]] = MappingProxyType({})
) -> None:
    """Write walks, and `extra` arrays, to an `.npz` that reads back as the same recordings, bit for bit."""
    index: list[list[dict[str, Any]]] = []
    arrays: dict[str, Any] = dict(extra)
    for number, walk in enumerate(walks):
        index.append([])
        for recording in walk:
            record = {
                item.name: getattr(recording, item.name)
                for item in dataclasses.fields(recording)
                if item.name not in (*_ARRAYS, *_NOT_KEPT)
            }
            index[-1].append({**record, "sensors": [dataclasses.astuple(s) for s in recording.sensors]})
            arrays[f"pressure_{number}_{recording.foot}"] = recording.pressure
            if recording.force is not None:
                arrays[f"force_{number}_{recording.foot}"] = recording.force
    buffer = io.BytesIO()
    np.savez_compressed(buffer, index=np.array(json.dumps(index)), **arrays)
    write_file(path, buffer.getvalue())


def _read(path: Path, columns: Path | None, subjects: Subjects) -> Iterator[Walk]:
    if "index" not in members(path):
        raise DataError(
            f"{path} holds no walks that edgegrf knows",
            why="it has neither the arrays of walks.npz nor an index of recordings",
            fix="write recordings with: edgegrf data make, or use CSV with a column map",
        )
    try:
        with np.load(path, allow_pickle=False) as arrays:
            for number, walk in enumerate(json.loads(str(arrays["index"]))):
                if subjects(walk[0]["subject"]):
                    yield [_recording(record, number, arrays) for record in walk]
    except DAMAGED as error:
        raise DataError(f"{path} is damaged", why=str(error), fix="copy or make the file again") from error


def _recording(record: dict[str, Any], number: int, arrays: Any) -> Recording:
    key = f"{number}_{record['foot']}"
    fields = {
        **record,
        "sensors": tuple(Sensor(*sensor) for sensor in record["sensors"]),
        "force_names": tuple(record["force_names"]),
        "frame": tuple(record["frame"]) if record["frame"] else None,
    }
    force = arrays.get(f"force_{key}")
    return checked(Recording(pressure=arrays[f"pressure_{key}"], force=force, **fields))


ARCHIVE = Format("recordings.npz", lambda path: path.suffix == ".npz", _read)
