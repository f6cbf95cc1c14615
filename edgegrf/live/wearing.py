# SPDX-License-Identifier: Apache-2.0
"""Somebody who wears the insole of a virtual or native board: a recorded or synthetic walk, a calibration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgegrf.boards import Board
from edgegrf.errors import DataError, UsageError
from edgegrf.gait.insole import Electronics, Worn
from edgegrf.gait.readers import read_walks
from edgegrf.gait.recording import Recording
from edgegrf.gait.walker import walk
from edgegrf.gait.walker.pressure import roll_over, takes
from edgegrf.live.phases import Schedule
from edgegrf.manifest import Interface

__all__ = ["Wiring", "electronics", "guided_wearer", "walking_wearer", "wiring"]

_MATRIX_HALF_N = 40.0  # a cell of a matrix carries a tenth of what a single sensor does
_STANDING_SWAY_HZ = 0.25


@dataclass(frozen=True)
class Wiring:
    """The sensors that a board scans for a model, by name; `rows` is 0 where each is wired alone."""

    names: tuple[str, ...]
    rows: int
    rate_hz: float


def wiring(board: Board, interface: Interface) -> Wiring:
    """What `board` scans for a model of this interface; raises UsageError where it cannot."""
    rows = board.scan.rows_for(len(interface.sensors)) if board.scan else None
    if board.scan is None or rows is None:
        raise UsageError(
            f"{board.name} scans no insole of {len(interface.sensors)} sensors",
            why="its board.toml has no [scan] with as many rows and columns",
            fix="edgegrf bench feeds a board over the link instead",
        )
    return Wiring(board.scan.names(rows), rows, interface.sample_rate_hz or board.scan.rate_hz)


def electronics(wired: Wiring, seed: int) -> Electronics:
    """The simulated sensors behind these wires."""
    made = Electronics(len(wired.names), seed)
    return replace(made, half_n=_MATRIX_HALF_N) if wired.rows else made


def walking_wearer(
    wired: Wiring, path: Path | None = None, *, foot: str = "left", columns: Path | None = None, seed: int = 1
) -> Worn:
    """Somebody who walks: the first walk of `path`, else the synthetic walker of `seed` for 30 s.

    Raises DataError when the walk lacks a sensor, has another rate, or is in no unit of force.
    """
    if path is None:
        recording = _synthetic(wired, seed, foot, 30.0)
    else:
        found = [each for each in read_walks(path, limit=1, columns=columns) if each.foot == foot]
        if not found:
            raise DataError(f"{path} has no {foot} foot", fix="--foot says which one to play")
        recording = found[0]
    return Worn(electronics(wired, seed).counts(_loads_n(recording, wired)), wired.rate_hz)


def guided_wearer(wired: Wiring, schedule: Schedule, seed: int = 1, foot: str = "left") -> Worn:
    """Somebody who does what the calibration asks, when it asks: unloaded, on this foot alone, walking."""
    walking = _synthetic(wired, seed, foot, schedule.walking_s + 2 * schedule.between_s + 3.0)
    weight = walking.body_weight_n or 0.0
    rate = wired.rate_hz
    loads = np.zeros((round(schedule.total_s * rate), len(wired.names)))
    begin, at = schedule.standing_at(rate), schedule.walking_at(rate)
    loads[begin:at] = _standing_n(wired, weight, at - begin)
    steps = _loads_n(walking, wired)[: len(loads) - at]
    loads[at : at + len(steps)] = steps
    return Worn(electronics(wired, seed).counts(loads), rate)


def _synthetic(wired: Wiring, seed: int, foot: str, seconds: float) -> Recording:
    layout = "matrix16x8" if wired.rows else "gaitpdb8"
    feet = walk(seed, duration_s=seconds, layout=layout, sample_rate_hz=wired.rate_hz)
    recording = next(each for each in feet if each.foot == foot)
    known = {sensor.name for sensor in recording.sensors}
    if not known >= set(wired.names):  # a board that names its sensors otherwise: by place
        named = zip(recording.sensors, wired.names, strict=False)
        sensors = tuple(replace(sensor, name=name) for sensor, name in named)
        recording = replace(recording, sensors=sensors, pressure=recording.pressure[:, : len(sensors)])
    return recording


def _loads_n(recording: Recording, wired: Wiring) -> NDArray[np.float64]:
    place = {sensor.name: number for number, sensor in enumerate(recording.sensors)}
    missing = [name for name in wired.names if name not in place]
    if missing:
        raise DataError(
            f"{recording.name} has no sensor '{missing[0]}' ({len(missing)} of {len(wired.names)} missing)",
            why=f"the board scans {', '.join(wired.names[:8])}; the walk has {', '.join(list(place)[:8])}",
            fix="name the columns of the walk as the board names its sensors",
        )
    if abs(recording.sample_rate_hz - wired.rate_hz) > 0.005 * wired.rate_hz:
        raise DataError(
            f"{recording.name} is sampled at {recording.sample_rate_hz:g} Hz, not at {wired.rate_hz:g} Hz",
            why="the board scans at the rate of its model",
            fix=f"resample it to {wired.rate_hz:g} Hz, with a low-pass, before reading it",
        )
    factor = {"N": 1.0, "BW": recording.body_weight_n}.get(recording.unit)
    if factor is None:
        raise DataError(f"{recording.name} is in {recording.unit}; only N, or BW with a weight, can be worn")
    return recording.pressure[:, [place[name] for name in wired.names]].astype(np.float64) * factor


def _standing_n(wired: Wiring, weight_n: float, samples: int) -> NDArray[np.float64]:
    """One foot that carries all of the weight, rocking slowly between heel and toe: loads in N [T, C]."""
    sensors = _synthetic(wired, 0, "left", 3.0).sensors
    time = np.arange(samples) / wired.rate_hz
    phase = 0.5 - 0.45 * np.cos(2 * np.pi * _STANDING_SWAY_HZ * time)
    loads = weight_n * roll_over(phase, sensors, takes(sensors))
    place = {sensor.name: number for number, sensor in enumerate(sensors)}
    return loads[:, [place[name] for name in wired.names]]
