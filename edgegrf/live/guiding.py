# SPDX-License-Identifier: Apache-2.0
"""A calibration's raw counts: from a wearer who is guided, or from a recording of one who was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import DataError
from edgegrf.gait.readers import read_walks
from edgegrf.link.device import Device
from edgegrf.link.live_messages import Content
from edgegrf.live.phases import Phases, Schedule
from edgegrf.live.stream import Stream, Terms, follow
from edgegrf.progress import Progress, silent

__all__ = ["asked_phases", "recorded_phases", "timed_phases"]

_RAW = Terms(Content.RAW)
_MAX_MISSING = 0.05


def timed_phases(
    device: Device, schedule: Schedule, on_phase: Callable[[str], None], progress: Progress = silent
) -> Phases:
    """The phases of one stream, by the clock; `on_phase` is told of each when the wearer should begin it."""
    begins = [(begin - schedule.between_s * (begin > 0), name) for name, begin, _ in schedule.spans()]
    end_s = schedule.spans()[-1][2]

    def look(stream: Stream) -> None:
        while begins and stream.seconds >= begins[0][0]:
            on_phase(begins.pop(0)[1])
        progress("calibrate [s]", min(int(stream.seconds), int(end_s)), int(end_s))

    stream = follow(device, _RAW, end_s + 0.1, on_frame=look)
    return schedule.cut(_counts(stream), stream.rate_hz)


def asked_phases(
    device: Device, schedule: Schedule, ask: Callable[[str], None], progress: Progress = silent
) -> Phases:
    """The phases one by one, each after `ask` has come back from asking the wearer for it."""
    parts, rate = {}, 0.0
    for name, begin, end in schedule.spans():
        ask(name)
        length = end - begin

        def look(stream: Stream, name: str = name, length: float = length) -> None:
            progress(f"{name} [s]", min(int(stream.seconds), int(length)), int(length))

        stream = follow(device, _RAW, length, on_frame=look)
        parts[name], rate = _counts(stream), stream.rate_hz
    return Phases(**parts, sample_rate_hz=rate)


def recorded_phases(path: Path, schedule: Schedule, names: Sequence[str]) -> Phases:
    """The phases in a recording of raw counts that followed the schedule (edgegrf live --content raw)."""
    [recording, *_] = read_walks(path, limit=1)
    place = {sensor.name: number for number, sensor in enumerate(recording.sensors)}
    missing = [name for name in names if name not in place]
    if recording.unit != "raw" or missing:
        raise DataError(
            f"{path} is no recording of this board's raw counts",
            why=f"it is in {recording.unit}"
            if recording.unit != "raw"
            else f"it has no sensor '{missing[0]}'",
            fix="edgegrf live --content raw --record FILE.npz",
        )
    counts = np.rint(recording.pressure[:, [place[name] for name in names]]).astype(np.uint16)
    return schedule.cut(counts, recording.sample_rate_hz)


def _counts(stream: Stream) -> NDArray[np.uint16]:
    """The counts of a stream that went to its end; else what ended it is raised."""
    if stream.broken:
        raise stream.broken
    if stream.interrupted:
        raise KeyboardInterrupt
    if stream.restarts:
        raise DataError("the board restarted meanwhile", why=stream.restarts[-1], fix="calibrate again")
    if stream.missing > _MAX_MISSING * (len(stream.frames) + stream.missing):
        raise DataError(
            f"{stream.missing} of {len(stream.frames) + stream.missing} samples are missing",
            why="the line or this computer is too slow",
            fix="close other programs, use a shorter cable; then calibrate again",
        )
    return stream.counts()
