# SPDX-License-Identifier: Apache-2.0
"""What a recording must satisfy before anything is computed from it, and what is done about the rest.

| seen | policy |
|---|---|
| NaN or infinite pressure or force | the recording is refused |
| negative pressure | set to 0, reported: a foot cannot pull on an insole |
| clipped: a sensor stuck at its own maximum, several times | kept as read, reported |
| constant: a sensor that never changes (cells of a matrix may stay 0) | kept as read, reported |
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import DataError
from edgegrf.gait.recording import Oddity, Recording

__all__ = ["checked", "oddity_lines"]

# A real peak is flat for a few samples only, and never twice at the very same highest value.
_CLIPPED_RUN_S = 0.05
_CLIPPED_RUNS = 3


def checked(recording: Recording) -> Recording:
    """The recording with the module's policies applied and its `oddities` filled in.

    Raises DataError when it is empty, of inconsistent shape, or holds NaN or infinite values.
    """
    _check_shapes(recording)
    _refuse_not_finite(recording, recording.pressure, [sensor.name for sensor in recording.sensors])
    if recording.force is not None:
        _refuse_not_finite(recording, recording.force, list(recording.force_names))
    pressure = recording.pressure
    oddities = list(_negatives(recording))
    if oddities:
        pressure = np.maximum(pressure, 0, dtype=np.float32)
    run = max(2, round(_CLIPPED_RUN_S * recording.sample_rate_hz))
    for index, sensor in enumerate(recording.sensors):
        trace = pressure[:, index]
        if recording.frame is None or trace.any():  # a matrix has cells that the foot never reaches
            oddities += _stuck(trace, sensor.name, run)
    return dataclasses.replace(recording, pressure=pressure, oddities=tuple(oddities))


def oddity_lines(recordings: Iterable[Recording]) -> list[str]:
    """The oddities of many recordings, gathered by kind: one line each, with the first place."""
    found: dict[tuple[str, str], list[tuple[str, Oddity]]] = defaultdict(list)
    for recording in recordings:
        for oddity in recording.oddities:
            found[oddity.kind, oddity.policy].append((recording.name, oddity))
    lines = []
    for (kind, policy), seen in found.items():
        name, first = seen[0]
        samples = sum(oddity.count for _, oddity in seen)
        lines.append(
            f"{kind}: {samples} samples of {len(seen)} sensor traces, {policy} "
            f"(first: {name} {first.sensor} from sample {first.first_sample}, {first.count} samples)"
        )
    return lines


def _check_shapes(recording: Recording) -> None:
    samples, channels = recording.pressure.shape
    if not samples:
        raise DataError(f"{recording.name}: no samples", why="the recording is empty")
    if channels != len(recording.sensors):
        raise DataError(f"{recording.name}: {channels} columns for {len(recording.sensors)} sensors")
    if recording.sample_rate_hz <= 0 or not np.isfinite(recording.sample_rate_hz):
        raise DataError(f"{recording.name}: sample rate {recording.sample_rate_hz} Hz")
    force = recording.force
    if force is not None and force.shape != (samples, len(recording.force_names)):
        raise DataError(f"{recording.name}: force {list(force.shape)} beside {samples} samples of pressure")


def _refuse_not_finite(recording: Recording, values: NDArray[np.float32], names: list[str]) -> None:
    bad = ~np.isfinite(values)
    if not bad.any():
        return
    column = int(np.argmax(bad.any(axis=0)))
    first, count = int(np.argmax(bad[:, column])), int(bad[:, column].sum())
    raise DataError(
        f"{recording.name}: {names[column]} holds NaN or infinity from sample {first} ({count} samples)",
        why="there is no honest way to guess a lost sample; policy: refused",
        fix="cut the recording there, or leave that sensor out of the column map",
    )


def _negatives(recording: Recording) -> Iterable[Oddity]:
    negative = recording.pressure < 0
    for index in np.flatnonzero(negative.any(axis=0)):
        trace = negative[:, index]
        name = recording.sensors[index].name
        yield Oddity("negative", name, int(np.argmax(trace)), int(trace.sum()), "set to 0")


def _stuck(trace: NDArray[np.float32], sensor: str, run: int) -> list[Oddity]:
    top = trace.max()
    high = np.flatnonzero(trace == top)
    if len(high) == len(trace):
        return [Oddity("constant", sensor, 0, len(trace), "kept as read")]
    if top <= 0 or len(high) < run * _CLIPPED_RUNS:
        return []
    breaks = np.flatnonzero(np.diff(high) > 1)
    lengths = np.diff(np.concatenate([[-1], breaks, [len(high) - 1]]))
    if np.count_nonzero(lengths >= run) < _CLIPPED_RUNS:
        return []
    return [Oddity("clipped", sensor, int(high[0]), len(high), "kept as read")]
