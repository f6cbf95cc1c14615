# SPDX-License-Identifier: Apache-2.0
"""Trials: recordings as one model wants them, its sensors in its order and its unit, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import DataError
from edgegrf.gait.calibration import check_body_weight
from edgegrf.gait.recording import Recording
from edgegrf.manifest import Interface

__all__ = ["Trial", "trials"]

_RATE_TOLERANCE = 0.005


@dataclass(frozen=True)
class Trial:
    """One foot's walk in a model's terms: x [T, C] in its sensor unit, y [T, K] in its output unit.

    x is what the model sees: of a personalised one, times its wearer's gains.
    """

    name: str
    subject: str
    x: NDArray[np.float32]
    y: NDArray[np.float32] | None
    body_weight_n: float
    sample_rate_hz: float
    force_source: str
    synthetic: bool


def trials(recordings: Sequence[Recording], interface: Interface) -> list[Trial]:
    """The recordings as `interface` wants them, float32 and C-contiguous.

    Raises DataError naming the recording when its sensors, rate, unit or calibration do not fit.
    """
    return [_trial(recording, interface) for recording in recordings]


def _trial(recording: Recording, interface: Interface) -> Trial:
    _check_rate(recording, interface)
    weight = _body_weight(recording, interface)
    x = recording.pressure[:, _sensor_columns(recording, interface)]
    if interface.gains:
        x = x * np.array(interface.gains, np.float32)
    return Trial(
        name=recording.name,
        subject=recording.subject,
        x=_converted(x, recording.unit, interface.sensor_unit, weight, recording.name),
        y=_reference(recording, interface, weight),
        body_weight_n=weight,
        sample_rate_hz=recording.sample_rate_hz,
        force_source=recording.force_source,
        synthetic=recording.synthetic,
    )


def _check_rate(recording: Recording, interface: Interface) -> None:
    wanted = interface.sample_rate_hz
    if abs(recording.sample_rate_hz - wanted) > _RATE_TOLERANCE * wanted:
        raise DataError(
            f"{recording.name} is sampled at {recording.sample_rate_hz:g} Hz, the model at {wanted:g} Hz",
            why="the model's taps are counted in samples; nothing is resampled silently",
            fix=f"resample the recording to {wanted:g} Hz, with a low-pass, before reading it",
        )


def _sensor_columns(recording: Recording, interface: Interface) -> list[int]:
    place = {sensor.name: index for index, sensor in enumerate(recording.sensors)}
    missing = [name for name in interface.sensors if name not in place]
    if missing:
        raise DataError(
            f"{recording.name} has {len(place)} sensors, without '{missing[0]}' "
            f"({len(missing)} of the model's {len(interface.sensors)} are missing)",
            why=f"the model wants {_some(interface.sensors)}; the recording has {_some(list(place))}",
            fix="name the sensors in the column map of a CSV as the model's manifest does, or train "
            f"a student of these: --sensors {','.join(list(place)[:8])}",
        )
    if interface.frame is not None and recording.frame is not None and interface.frame != recording.frame:
        raise DataError(f"{recording.name} is a {recording.frame} matrix, the model's is {interface.frame}")
    return [place[name] for name in interface.sensors]


def _body_weight(recording: Recording, interface: Interface) -> float:
    if recording.body_weight_n is not None:
        return check_body_weight(recording.body_weight_n, recording.name)
    raise DataError(
        f"{recording.name} has no body weight",
        why=f"the model works in {interface.sensor_unit}, and one foot cannot calibrate itself",
        fix="give body_weight_n in the column map, or the columns of both feet in N",
    )


def _reference(recording: Recording, interface: Interface, weight: float) -> NDArray[np.float32] | None:
    if recording.force is None:
        return None
    missing = [name for name in interface.outputs if name not in recording.force_names]
    if missing:
        raise DataError(
            f"{recording.name} has no '{missing[0]}'",
            why=f"it has {_some(recording.force_names)}; the model estimates {_some(interface.outputs)}",
            fix="map the reference force under the model's output names, or leave it out",
        )
    columns = [recording.force_names.index(name) for name in interface.outputs]
    force = recording.force[:, columns]
    return _converted(force, recording.force_unit, interface.output_unit, weight, recording.name)


def _converted(
    values: NDArray[np.float32], unit: str, wanted: str, weight: float, name: str
) -> NDArray[np.float32]:
    factors = {(unit, unit): 1.0, ("N", "BW"): 1 / weight, ("BW", "N"): weight}
    factor = factors.get((unit, wanted))
    if factor is None:
        raise DataError(
            f"{name} is in {unit or 'no stated unit'}, the model wants {wanted}",
            why=f"nothing converts {unit or 'that'} to {wanted} without the sensor's calibration",
            fix="convert the recording to N or BW, or correct the unit in its column map",
        )
    return np.ascontiguousarray(values * np.float32(factor), np.float32)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f", ... ({len(names)})" if len(names) > 8 else "")
