# SPDX-License-Identifier: Apache-2.0
"""What real insoles do to a pressure: crosstalk, hysteresis, drift, unequal gains, noise, dead sensors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgegrf.gait.recording import Sensor

__all__ = ["CLEAN", "MILD", "Faults", "applied"]

Loads = NDArray[np.float64]


@dataclass(frozen=True)
class Faults:
    """How bad an insole is; every field is 0 for none.

    Fractions are of a sensor's own highest load in the walk: they mean the same for 8 sensors and 128.
    """

    crosstalk: float = 0.0  # part of a sensor's load that its nearest neighbours see as theirs
    hysteresis: float = 0.0  # part of the load that follows late, by `creep_s`: unloading reads higher
    creep_s: float = 0.08
    gain_spread: float = 0.0  # standard deviation of the sensors' gains
    drift_per_minute: float = 0.0  # standard deviation of the gains' drift in a minute
    noise: float = 0.0  # standard deviation, of the highest load
    resolution: float = 0.0  # step of the converter, of the highest load
    dead_band: float = 0.0  # what reads 0, of the highest load
    dead: tuple[str, ...] = ()  # names of sensors that read 0 for ever


CLEAN = Faults()

#: a good insole: what `walk` uses unless told otherwise
MILD = Faults(
    crosstalk=0.02, hysteresis=0.05, gain_spread=0.05, drift_per_minute=0.01,
    noise=0.004, resolution=0.004, dead_band=0.01,
)  # fmt: skip


def applied(
    loads: Loads, sensors: tuple[Sensor, ...], sample_rate_hz: float, faults: Faults, rng: np.random.Generator
) -> Loads:
    """What the insole reads for true loads [T, C], both in the same unit; never below 0."""
    samples, channels = loads.shape
    top = loads.max(axis=0)
    read = loads if not faults.crosstalk else _crosstalk(loads, sensors, faults.crosstalk)
    if faults.hysteresis:
        late = _late(read, faults.creep_s * sample_rate_hz)
        read = (1 - faults.hysteresis) * read + faults.hysteresis * late
    gain = 1 + faults.gain_spread * rng.standard_normal(channels)
    drift = faults.drift_per_minute * rng.standard_normal(channels) / (60 * sample_rate_hz)
    read = read * (gain + drift * np.arange(samples)[:, None])
    read = read + faults.noise * top * rng.standard_normal(read.shape)
    read = np.where(read <= faults.dead_band * top, 0.0, read)
    step = faults.resolution * top
    if faults.resolution:
        read = np.rint(read / np.where(step > 0, step, 1)) * step
    alive = np.array([sensor.name not in faults.dead for sensor in sensors])
    return np.asarray(np.maximum(read, 0) * alive, np.float64)


def _crosstalk(loads: Loads, sensors: tuple[Sensor, ...], part: float) -> Loads:
    """Each sensor gives `part` of its load away, equally to the sensors nearest to it."""
    place = np.array([(sensor.x, sensor.y) for sensor in sensors])
    distance = np.hypot(*(place[:, None] - place).transpose(2, 0, 1))
    np.fill_diagonal(distance, np.inf)
    near = distance <= 1.3 * distance.min(axis=1, keepdims=True)
    mixing = part * near / near.sum(axis=1, keepdims=True) + (1 - part) * np.eye(len(sensors))
    return np.asarray(loads @ mixing, np.float64)


def _late(loads: Loads, time_constant: float) -> Loads:
    """The loads through a first-order lag of `time_constant` samples."""
    part = 1 - np.exp(-1 / time_constant)
    out = np.empty_like(loads)
    state = np.zeros(loads.shape[1])
    for index, row in enumerate(loads):
        state = state + part * (row - state)
        out[index] = state
    return out
