# SPDX-License-Identifier: Apache-2.0
"""One wearer's walks: the minute that a student is fitted to, and what is left to judge by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from edgegrf.errors import DataError
from edgegrf.gait.events import THRESHOLD_N, contacts
from edgegrf.gait.recording import Recording
from edgegrf.gait.trials import Trial, trials
from edgegrf.manifest import Interface

__all__ = ["TOTAL_SOURCE", "Wearer", "wearer"]

#: what stands for the force where an insole has sensors that the model does not see
TOTAL_SOURCE = "the insole's own total, not a force plate"

_LEAST_S = 20.0  # of walking to fit to
_LEAST_LEFT_S = 5.0  # to judge by
_LEAST_STANCES = 10


@dataclass(frozen=True)
class Wearer:
    """One foot of one subject: fitted to the first `samples` of the first walk, judged by all else."""

    subject: str
    foot: str
    walks: tuple[Trial, ...]
    samples: int

    @property
    def minute(self) -> Trial:
        """What is fitted to."""
        first = self.walks[0]
        assert first.y is not None
        return replace(first, x=first.x[: self.samples], y=first.y[: self.samples])

    @property
    def left(self) -> list[tuple[Trial, int]]:
        """Walks to judge by, and from which sample on each."""
        begins = [self.samples, *(0 for _ in self.walks[1:])]
        least = _LEAST_LEFT_S * self.walks[0].sample_rate_hz
        return [pair for pair in zip(self.walks, begins, strict=True) if len(pair[0].x) - pair[1] >= least]


def wearer(
    recordings: Sequence[Recording],
    interface: Interface,
    *,
    seconds: float,
    subject: str | None = None,
    foot: str | None = None,
) -> Wearer:
    """The walks of one foot of one subject (the only one, if none is named), checked.

    Raises DataError when there is no reference, too little walking, nothing left to judge by, or a sensor
    that shows nothing.
    """
    own = _of_subject(recordings, subject)
    feet = sorted({recording.foot for recording in own})
    foot = foot if foot in feet or foot is None else _no_foot(foot, feet)
    chosen = [recording for recording in own if recording.foot == (foot or feet[0])]
    found = trials([_with_reference(recording, interface) for recording in chosen], interface)
    samples = round(seconds * interface.sample_rate_hz)
    made = Wearer(own[0].subject, foot or feet[0], tuple(found), samples)
    _check(made, interface)
    return made


def _of_subject(recordings: Sequence[Recording], subject: str | None) -> list[Recording]:
    subjects = list(dict.fromkeys(recording.subject for recording in recordings))
    if subject is None and len(subjects) == 1:
        return list(recordings)
    if subject not in subjects:
        some = ", ".join(subjects[:8]) + (", ..." if len(subjects) > 8 else "")
        raise DataError(
            f"no walk of {subject}" if subject else f"walks of {len(subjects)} subjects",
            why=f"there are {some}; a personalisation is of one",
            fix="--subject NAME",
        )
    return [recording for recording in recordings if recording.subject == subject]


def _no_foot(foot: str, feet: Sequence[str]) -> str:
    raise DataError(f"no {foot} foot", why=f"the walks have {', '.join(feet)}", fix="--foot")


def _with_reference(recording: Recording, interface: Interface) -> Recording:
    """The recording; without a force, the total of an insole that has more sensors than the model sees."""
    if recording.force is not None:
        return recording
    names = {sensor.name for sensor in recording.sensors}
    if interface.outputs != ("vertical_force",) or not names > set(interface.sensors):
        raise DataError(
            f"{recording.name} has no reference force",
            why="it shows the model's own sensors and nothing that they could be fitted to",
            fix="record on a force plate or a full insole; edgegrf calibrate fits gains without one",
        )
    return replace(
        recording,
        force=recording.pressure.sum(axis=1, keepdims=True),
        force_names=interface.outputs,
        force_unit=recording.unit,
        force_source=TOTAL_SOURCE,
    )


def _check(one: Wearer, interface: Interface) -> None:
    rate, first = interface.sample_rate_hz, one.walks[0]
    if one.samples < _LEAST_S * rate or len(first.x) < one.samples:
        has = min(one.samples, len(first.x)) / rate
        raise DataError(
            f"{first.name}: {has:.0f} s of walking to fit to",
            why=f"{_LEAST_S:g} s are needed, and the walk has {len(first.x) / rate:.0f} s",
            fix="a longer walk, or --seconds as long as it is",
        )
    if not one.left:
        raise DataError(
            f"{first.name}: nothing is left to judge by",
            why=f"{one.samples / rate:.0f} of its {len(first.x) / rate:.0f} s are fitted to, "
            "and what was fitted to does not count",
            fix="fewer --seconds, or another walk of the same wearer",
        )
    idle = np.flatnonzero(np.ptp(one.minute.x, axis=0) == 0)
    if len(idle):
        raise DataError(
            f"{first.name}: sensor {interface.sensors[idle[0]]} shows nothing",
            why="it is broken or not connected, and a model fitted without it would rely on that",
            fix="mend it, then record again",
        )
    _check_steps(one, rate)


def _check_steps(one: Wearer, rate_hz: float) -> None:
    minute = one.minute
    assert minute.y is not None
    force = minute.y[:, 0].astype(np.float64)
    stances = len(contacts(force, THRESHOLD_N / minute.body_weight_n, rate_hz).strike)
    if stances < _LEAST_STANCES:
        raise DataError(
            f"{minute.name}: {stances} stances in {one.samples / rate_hz:.0f} s",
            why=f"{_LEAST_STANCES} are needed: the wearer stood, or the reference has another unit",
            fix="walk; check the reference force with edgegrf data check",
        )
