# SPDX-License-Identifier: Apache-2.0
"""The wearer's calibration from raw counts: offset, noise, table and gain of each sensor, and body weight.

Unloaded: each sensor's offset is its median, its noise band four standard deviations.
Table: the divider's law (gait/insole.py), load ~ share / (1 - share), by knots of least relative error.
Standing on this foot alone: the sensors together carry the whole weight while it wanders from heel to toe,
so the gains are those by which their sum stays constant, in least squares with a pull towards equal gains.
Walking: over whole strides both feet carry one body weight on average (gait/calibration.py) and the other
foot is taken to do what this one does: the weight is twice the mean force.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import DataError
from edgegrf.gait.calibration import check_body_weight
from edgegrf.gait.events import contacts
from edgegrf.link.calibration_record import KNOTS, CalibrationRecord, SensorRecord
from edgegrf.link.live_messages import ScanFacts
from edgegrf.live.conditioning import FULL_COUNT, UNIT_LOAD, linear_loads, loads_n
from edgegrf.live.phases import Phases

__all__ = ["NOMINAL_WEIGHT_N", "Calibrated", "calibrated"]

Vector = NDArray[np.float64]

#: stands for the wearer's weight where nobody gives it: the model works in body weights, so it cancels
NOMINAL_WEIGHT_N = 700.0

_MIN_STRIDES = 3
_NOISE_BAND = 4.0  # standard deviations
_MAX_NOISE = 30.0  # counts
_TOP_SHARE = 0.93  # of the supply, where the table ends
_PULL = 0.006  # weight of equal gains against a constant sum, for each sensor
_GAIN_SPREAD = 4.0  # a sensor this far from the others is broken, not different
_ODD_SPREAD = 2.0  # between gains of one insole: not what sensors of one kind differ by
_WEIGHT_SPREAD = 1.6  # of what walking and standing show of the weight


@dataclass(frozen=True)
class Calibrated:
    """A calibration and what it rests on; the vectors are [C]."""

    record: CalibrationRecord
    names: tuple[str, ...]
    offset: Vector  # counts
    noise: Vector  # counts, standard deviation
    gain_n: Vector  # N at full linear load
    peak_n: Vector  # the largest load while walking
    standing_n: float  # the weight that standing was scaled to
    standing_error: float  # what the sum of the sensors varies while standing, as a part of it
    weight_n: float  # as the insole shows it over whole strides
    strides: int
    findings: tuple[str, ...]  # what a person should know


def calibrated(
    phases: Phases, facts: ScanFacts, names: Sequence[str], *, weight_n: float | None = None
) -> Calibrated:
    """The calibration of an insole of sensors `names` [C] from the three phases of its wearer.

    Raises DataError naming the sensor, or the phase, that is not plausible.
    """
    _check_sensors(phases, facts, names)
    offset, noise = _unloaded(phases.unloaded, names)
    standing_n = check_body_weight(weight_n or NOMINAL_WEIGHT_N, "the wearer")
    knots, top = _table(offset)
    blank = [
        SensorRecord(round(float(o)), _band(n), 1000, tuple(table))
        for o, n, table in zip(offset, noise, knots.tolist(), strict=True)
    ]
    plain = CalibrationRecord(0, round(1000 * standing_n), tuple(blank))
    gain, error, idle = _gains(linear_loads(phases.standing, plain) / UNIT_LOAD, top, standing_n)
    sensors = tuple(
        SensorRecord(each.offset, each.band, round(1000 * float(g)), each.knots)
        for each, g in zip(blank, gain, strict=True)
    )
    record = CalibrationRecord(0, round(1000 * standing_n), sensors)
    loads = loads_n(phases.walking, record)
    shown_n, strides = _weight(loads.sum(axis=1), phases.sample_rate_hz, standing_n)
    return Calibrated(
        record=CalibrationRecord(0, round(1000 * shown_n), sensors),
        names=tuple(names),
        offset=offset,
        noise=noise,
        gain_n=gain,
        peak_n=loads.max(axis=0),
        standing_n=standing_n,
        standing_error=error,
        weight_n=shown_n,
        strides=strides,
        findings=(*_uneven(gain), *_findings(idle, names, weight_n, shown_n, standing_n)),
    )


def _check_sensors(phases: Phases, facts: ScanFacts, names: Sequence[str]) -> None:
    everything = np.concatenate([phases.unloaded, phases.standing, phases.walking])
    if not len(phases.unloaded) or not len(phases.standing) or not len(phases.walking):
        raise DataError("a phase of the calibration has no samples", fix="calibrate again")
    for number, name in enumerate(names):
        trace = everything[:, number]
        opened = np.count_nonzero(trace < facts.open_below)
        if opened > 0.01 * len(trace):
            raise DataError(
                f"sensor {name} is not connected: below {facts.open_below} counts in {opened} samples",
                why="an open circuit: a plug, a broken trace, or the bias resistor is missing",
                fix="check its wire, then calibrate again",
            )
        full = np.count_nonzero(trace >= facts.saturated_from)
        if full > 0.02 * len(trace):
            raise DataError(
                f"sensor {name} is saturated in {full} of {len(trace)} samples ({int(trace.max())} counts)",
                why="a short circuit, or a divider resistor too large for this wearer",
                fix="check its wire; choose a smaller divider resistor",
            )
    if not (everything != everything[0]).any():
        raise DataError("no count of any sensor ever changed", why="the ADC is stuck", fix="reset the board")


def _unloaded(counts: NDArray[np.uint16], names: Sequence[str]) -> tuple[Vector, Vector]:
    offset = np.median(counts, axis=0)
    noise = counts.std(axis=0, dtype=np.float64)
    for number in np.flatnonzero((noise > _MAX_NOISE) | (offset > FULL_COUNT / 2)):
        raise DataError(
            f"sensor {names[number]} shows {offset[number]:.0f} +- {noise[number]:.0f} counts without load",
            why="the foot was not lifted, or something presses on the sensor",
            fix="take the insole out of the shoe, or lift the foot; then calibrate again",
        )
    return np.asarray(offset, np.float64), noise


def _band(noise: float) -> int:
    return int(np.ceil(_NOISE_BAND * noise))


def _table(offset: Vector) -> tuple[NDArray[np.int64], float]:
    """Knots [C, 8] of the divider's law above each offset, and the load (in half-scale loads) at 65536."""
    top = _TOP_SHARE / (1 - _TOP_SHARE)
    step = (FULL_COUNT + 1) // KNOTS
    knots = np.empty((len(offset), KNOTS), np.int64)
    for number, zero in enumerate(offset):
        above = np.arange(1, FULL_COUNT + 1 - round(float(zero)))
        share = np.minimum(above / (FULL_COUNT - zero), _TOP_SHARE)
        law = share / (1 - share)
        # hat functions on the knots, in relative error but for the smallest loads
        place = above / step
        hats = np.maximum(0, 1 - np.abs(place[:, None] - np.arange(1, KNOTS + 1)))
        weight = 1 / (law + 0.05)
        found, *_ = np.linalg.lstsq(
            np.vstack([hats * weight[:, None], 1e-6 * np.eye(KNOTS)]),
            np.concatenate([law * weight, 1e-6 * np.full(KNOTS, top)]),
            rcond=None,
        )
        scaled = np.rint(found / top * UNIT_LOAD).astype(np.int64)
        knots[number] = np.maximum.accumulate(np.clip(scaled, 1, UNIT_LOAD - 1))
    return knots, top


def _gains(loads: Vector, top: float, weight_n: float) -> tuple[Vector, float, NDArray[np.intp]]:
    """Newton at full linear load of each sensor [C], from loads [T, C] (1 = full) that carry the weight.

    Also what their sum still varies, as a part of it, and the sensors that never bore load.
    """
    total = loads.sum(axis=1)
    if float(np.median(total)) * top < 1e-3:
        raise DataError(
            "no load on the insole while standing",
            why="the other foot carried the weight, or the insole is not under the foot",
            fix="stand on the foot with the insole alone; then calibrate again",
        )
    mean = weight_n / float(np.mean(total))
    # unknown: each gain over the mean gain; rows: samples, and a pull of each towards 1
    a = loads * (mean / weight_n)
    count, channels = a.shape
    pull = np.sqrt(_PULL * channels * count) * np.maximum(a.std(axis=0), 1e-3 / channels)
    left = np.vstack([a, np.diag(pull)])
    right = np.concatenate([np.ones(count), pull])
    ratio, *_ = np.linalg.lstsq(left, right, rcond=None)
    idle = np.flatnonzero(loads.max(axis=0) == 0)
    ratio[idle] = 1.0
    ratio = np.clip(ratio, 1 / _GAIN_SPREAD, _GAIN_SPREAD)
    ratio /= float(np.mean(a @ ratio))
    return np.asarray(ratio * mean, np.float64), float(np.std(a @ ratio)), idle


def _weight(total_n: Vector, rate_hz: float, standing_n: float) -> tuple[float, int]:
    """Twice the mean force over whole strides, in N, and how many strides they were."""
    found = contacts(total_n, 0.15 * float(total_n.max(initial=0.0)) or 1.0, rate_hz)
    strides = len(found.strike) - 1
    if strides < _MIN_STRIDES:
        raise DataError(
            f"{max(strides, 0)} whole strides while walking; {_MIN_STRIDES} are needed",
            why="the wearer stood, or walked too short",
            fix="walk for longer; then calibrate again",
        )
    part = total_n[round(float(found.strike[0])) : round(float(found.strike[-1]))]
    shown = 2 * float(np.mean(part))
    if not 1 / _WEIGHT_SPREAD < shown / standing_n < _WEIGHT_SPREAD:
        raise DataError(
            f"walking shows a body weight of {shown:.0f} N, standing {standing_n:.0f} N",
            why="both feet stood on the ground in the second phase, or sensors slipped",
            fix="stand on the foot with the insole alone; then calibrate again",
        )
    return check_body_weight(shown, "the wearer"), strides


def _uneven(gain: Vector) -> tuple[str, ...]:
    if gain.max() < _ODD_SPREAD * gain.min():
        return ()
    return (
        f"gains from {gain.min():.0f} to {gain.max():.0f} N: load that no sensor sees was given to others, "
        "which now show too much",
    )


def _findings(
    idle: NDArray[np.intp], names: Sequence[str], weight_n: float | None, shown_n: float, standing_n: float
) -> tuple[str, ...]:
    notes = []
    if len(idle):
        some = ", ".join(names[number] for number in idle[:8])
        notes.append(f"no load while standing on {len(idle)} sensors ({some}): they keep the mean gain")
    if weight_n is None:
        notes.append(
            f"no weight was given: newtons assume {NOMINAL_WEIGHT_N:.0f} N; body weights do not depend on it"
        )
    if abs(shown_n / standing_n - 1) > 0.15:
        notes.append(f"walking shows {shown_n:.0f} N where standing shows {standing_n:.0f} N")
    return tuple(notes)
