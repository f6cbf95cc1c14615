# SPDX-License-Identifier: Apache-2.0
"""One synthetic walk: a person drawn from the seed, their steps, the forces and what the insoles read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import UnknownNameError, UsageError
from edgegrf.gait.calibration import check_body_weight
from edgegrf.gait.readers.gaitpdb import SENSORS, subject_of
from edgegrf.gait.recording import Recording, Sensor
from edgegrf.gait.validation import checked
from edgegrf.gait.walker.faults import MILD, Faults, applied
from edgegrf.gait.walker.force import fore_aft, vertical
from edgegrf.gait.walker.pressure import FRAME, matrix_sensors, roll_over, takes
from edgegrf.gait.walker.timing import phase, two_feet

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
    name = f"{subject_name(seed)}_{round(100 * speed_mps)}cmps"
    weight = check_body_weight(mass * _GRAVITY, name)
    left, right = two_feet(rng, speed_mps, duration_s, asymmetry=0.01 * float(rng.standard_normal()))
    sensors = SENSORS if layout == "gaitpdb8" else matrix_sensors()
    gain = takes(sensors) * _person(rng, sensors)
    time = np.arange(round(duration_s * sample_rate_hz)) / sample_rate_hz
    feet = []
    for foot, steps in (("left", left), ("right", right)):
        u, step = phase(steps, time)
        up = weight * vertical(u, speed_mps) * steps.vigour[step]
        force = np.stack([up, fore_aft(u, up, speed_mps)], axis=1)
        loads = force[:, :1] * roll_over(u, sensors, gain)
        read = applied(loads, sensors, sample_rate_hz, faults, rng)
        feet.append(_recording(f"{name}/{foot}", read, sensors, sample_rate_hz, force, weight))
    return feet


def _recording(
    name: str,
    pressure: NDArray[np.float64],
    sensors: tuple[Sensor, ...],
    sample_rate_hz: float,
    force: NDArray[np.float64],
    body_weight_n: float,
) -> Recording:
    return checked(
        Recording(
            name=name,
            subject=subject_of(name),
            foot=name.rpartition("/")[2],
            pressure=pressure.astype(np.float32),
            sensors=sensors,
            unit="N",
            sample_rate_hz=float(sample_rate_hz),
            force=force.astype(np.float32),
            force_names=("vertical_force", "anterior_posterior_force"),
            force_unit="N",
            force_source=FORCE_SOURCE,
            body_weight_n=body_weight_n,
            frame=None if sensors is SENSORS else FRAME,
            synthetic=True,
        )
    )


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
