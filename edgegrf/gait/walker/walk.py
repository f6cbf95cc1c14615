# SPDX-License-Identifier: Apache-2.0
"""One synthetic walk: a person drawn from the seed, their steps, the forces and what the insoles read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import UnknownNameError, UsageError
from edgegrf.gait.readers.gaitpdb import SENSORS
from edgegrf.gait.recording import Recording, Sensor
from edgegrf.gait.validation import checked
from edgegrf.gait.walker.faults import MILD, Faults, applied
from edgegrf.gait.walker.force import fore_aft, vertical
from edgegrf.gait.walker.pressure import FRAME, matrix_sensors, roll_over, takes
from edgegrf.gait.walker.timing import Steps, phase, two_feet

__all__ = ["FORCE_SOURCE", "LAYOUTS", "subject_name", "walk"]

FORCE_SOURCE = "synthetic walker"

#: the insoles it can wear
LAYOUTS = ("gaitpdb8", "matrix16x8")

_SPEEDS_MPS = (0.8, 2.0)
_GRAVITY = 9.81
_PERSON_SD = 0.25  # how people differ in what each part of their sole carries


def subject_name(seed: int) -> str:
    """The subject whom `walk(seed)` invents."""
    return f"Synthetic{seed:02d}"


def walk(
    seed: int,
    *,
    speed_mps: float = 1.3,
    duration_s: float = 30.0,
    layout: str = "gaitpdb8",
    sample_rate_hz: float = 100.0,
    body_mass_kg: float | None = None,
    faults: Faults = MILD,
) -> list[Recording]:
    """The left and the right foot of one synthetic walk: the same for the same arguments, pressures in N.

    The force beside them is the walker's true one, vertical and fore-aft, in N.  Raises UsageError
    outside 0.8-2.0 m/s, below two strides, and for sampling too slow to see a step.
    """
    _check(speed_mps, duration_s, layout, sample_rate_hz)
    rng = np.random.default_rng([seed, 2026])
    mass = body_mass_kg if body_mass_kg is not None else float(np.clip(rng.normal(75, 11), 45, 120))
    steps = two_feet(rng, speed_mps, duration_s, asymmetry=0.01 * float(rng.standard_normal()))
    sensors = SENSORS if layout == "gaitpdb8" else matrix_sensors()
    gain = takes(sensors) * _person(rng, sensors)
    time = np.arange(round(duration_s * sample_rate_hz)) / sample_rate_hz
    walk_name = f"{subject_name(seed)}_{round(100 * speed_mps)}cmps"
    recordings = []
    for foot, steps_of_foot in zip(("left", "right"), steps, strict=True):
        force = _force(time, steps_of_foot, speed_mps) * mass * _GRAVITY
        u, _ = phase(steps_of_foot, time)
        loads = force[:, :1] * roll_over(u, sensors, gain)
        pressure = applied(loads, sensors, sample_rate_hz, faults, rng)
        recordings.append(
            checked(
                Recording(
                    name=f"{walk_name}/{foot}",
                    subject=subject_name(seed),
                    foot=foot,
                    pressure=pressure.astype(np.float32),
                    sensors=sensors,
                    unit="N",
                    sample_rate_hz=float(sample_rate_hz),
                    force=force.astype(np.float32),
                    force_names=("vertical_force", "anterior_posterior_force"),
                    force_unit="N",
                    force_source=FORCE_SOURCE,
                    body_weight_n=mass * _GRAVITY,
                    frame=FRAME if layout == "matrix16x8" else None,
                    synthetic=True,
                )
            )
        )
    return recordings


def _force(time: NDArray[np.float64], steps: Steps, speed_mps: float) -> NDArray[np.float64]:
    """Vertical and fore-aft force [T, 2] in BW."""
    u, step = phase(steps, time)
    up = vertical(u, speed_mps) * steps.vigour[step]
    return np.stack([up, fore_aft(u, up, speed_mps)], axis=1)


def _person(rng: np.random.Generator, sensors: tuple[Sensor, ...]) -> NDArray[np.float64]:
    """How one person's sole differs from the average one: smooth over the sole, so alike for both insoles."""
    x = np.array([sensor.x for sensor in sensors]) / 1e3 - 0.5
    y = np.array([sensor.y for sensor in sensors]) / 1e3
    waves = np.stack([x / 0.2, y, np.cos(np.pi * y), np.sin(np.pi * y) * x / 0.2])
    return np.asarray(np.exp(_PERSON_SD * rng.standard_normal(len(waves)) @ waves), np.float64)


def _check(speed_mps: float, duration_s: float, layout: str, sample_rate_hz: float) -> None:
    if layout not in LAYOUTS:
        raise UnknownNameError("layout", layout, LAYOUTS)
    low, high = _SPEEDS_MPS
    if not low <= speed_mps <= high:
        raise UsageError(
            f"the synthetic walker does not walk at {speed_mps:g} m/s",
            why="its force model holds for walking, not for standing or running",
            fix=f"choose {low} to {high} m/s",
        )
    if not 3 <= duration_s <= 3600 or not 20 <= sample_rate_hz <= 2000:
        raise UsageError(
            f"cannot walk {duration_s:g} s at {sample_rate_hz:g} Hz", fix="3 to 3600 s, 20 to 2000 Hz"
        )
