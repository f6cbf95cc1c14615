# SPDX-License-Identifier: Apache-2.0
"""The wearer's gains and last layer: regularised least squares, strengths chosen by cross-validation.

With features F [R, D] of the general student and what its estimates E lack, r = Y - E, the last layer
changes by

    d = argmin |r - [F 1] d|^2 + s R v |d|^2 = ([F 1]'[F 1] + s R v I)^-1 [F 1]' r

(ridge regression, Hoerl & Kennard 1970), v being the features' mean variance: for a large s the general
student is left as it is.  Before that, gains are found in the same way from the slopes of E against each
sensor's gain.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgegrf.link.personal_record import GAIN_ONE
from edgegrf.personal.student import LastLayer, Student
from edgegrf.progress import Progress, silent

__all__ = ["STRENGTHS", "Fit", "Option", "fit"]

Matrix = NDArray[np.float64]

#: of the pull towards the general student
STRENGTHS = (1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0)

_FOLDS = 5
_WARMUP = 200  # samples while the stream knows too little of the walk
_GAIN_STRENGTH = 0.1
_GAINS = (0.5, 2.0)
_STEP = 0.05  # of a gain, to see what it does
_WORTH = 0.02  # by so much the error of held-out parts has to fall, or the general student stays
_GAINS_WORTH = 0.01  # and once more, for gains beside the last layer


@dataclass(frozen=True)
class Option:
    """A way to personalise and its RMSE in BW on the held-out parts of the minute, in turn."""

    gains: bool
    strength: float
    rmse_bw: float


@dataclass(frozen=True)
class Fit:
    """What was found; `helps` is False where the general student is as good on the held-out parts."""

    gains: tuple[float, ...]
    layer: LastLayer
    chosen: Option
    options: tuple[Option, ...]
    general_rmse_bw: float  # of the general student, on the same samples

    @property
    def helps(self) -> bool:
        return self.chosen.rmse_bw <= (1 - _WORTH) * self.general_rmse_bw


@dataclass(frozen=True)
class _Minute:
    """The samples that a student is fitted to."""

    student: Student
    x: NDArray[np.float32]
    wanted: Matrix  # [R, H]
    slopes: Matrix  # [R, H, C], of the estimates against each gain
    features: Matrix  # [R, D], gains of 1
    kept: NDArray[np.intp]  # rows that count

    def gains(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Gains [C] from these rows, as a record can hold them."""
        slopes = self.slopes[rows].reshape(-1, self.x.shape[1])
        lacks = (self.wanted[rows] - _estimates(self.student.last, self.features[rows])).reshape(-1)
        pull = _GAIN_STRENGTH * len(slopes) * float(slopes.var(axis=0).mean())
        away = np.linalg.solve(slopes.T @ slopes + pull * np.eye(slopes.shape[1]), slopes.T @ lacks)
        gains: NDArray[np.float64] = np.rint(np.clip(1 + away, *_GAINS) * GAIN_ONE) / GAIN_ONE
        return gains

    def features_with(self, gains: NDArray[np.float64]) -> Matrix:
        return self.student.features((self.x * gains).astype(np.float32))[: len(self.wanted)]

    def layer(self, features: Matrix, rows: NDArray[np.intp], strength: float) -> LastLayer:
        """The last layer from these rows."""
        own = self.student.last
        lacks = self.wanted[rows] - _estimates(own, features[rows])
        a = np.hstack([features[rows], np.ones((len(rows), 1))])
        pull = strength * len(rows) * float(features[rows].var(axis=0).mean())
        change = np.linalg.solve(a.T @ a + pull * np.eye(a.shape[1]), a.T @ lacks)
        return LastLayer(own.weights + change[:-1].T, own.bias + change[-1])

    def squares(self, layer: LastLayer, features: Matrix, rows: NDArray[np.intp]) -> float:
        force = self.student.clipped(_estimates(layer, features[rows]))
        return float(np.square(force - self.wanted[rows]).sum())


def fit(student: Student, x: NDArray[np.float32], y: NDArray[np.float32], progress: Progress = silent) -> Fit:
    """Fit to pressure x [T, C] and force y [T, K] of one stretch of walking, in the model's units.

    Each fifth of it is held out in turn; the option with the least error there is fitted to all of it.  Gains
    are fitted only if they lower that error beyond what the last layer alone does.
    """
    minute = _minute(student, x, y, progress)
    options: list[Option] = []
    for with_gains in (False, True):
        options += _tried(minute, gains=with_gains, progress=progress)
    best = {gains: min((o for o in options if o.gains == gains), key=lambda o: o.rmse_bw)
            for gains in (False, True)}  # fmt: skip
    chosen = best[best[True].rmse_bw <= (1 - _GAINS_WORTH) * best[False].rmse_bw]
    gains = minute.gains(minute.kept) if chosen.gains else np.ones(x.shape[1])
    features = minute.features_with(gains) if chosen.gains else minute.features
    layer = minute.layer(features, minute.kept, chosen.strength)
    general = minute.squares(student.last, minute.features, minute.kept)
    return Fit(tuple(gains.tolist()), layer, chosen, tuple(options), _rmse(minute, general))


def _minute(student: Student, x: NDArray[np.float32], y: NDArray[np.float32], progress: Progress) -> _Minute:
    features, wanted = student.features(x), student.rows(y)
    count = min(len(features), len(wanted))
    slopes = np.empty((count, wanted.shape[1], x.shape[1]))
    for sensor in range(x.shape[1]):
        ends = []
        for factor in (1 + _STEP, 1 - _STEP):
            seen = x.copy()
            seen[:, sensor] *= np.float32(factor)
            ends.append(_estimates(student.last, student.features(seen)[:count]))
        slopes[:, :, sensor] = (ends[0] - ends[1]) / (2 * _STEP)
        progress("what each gain does", sensor + 1, x.shape[1])
    kept = np.arange(-(-_WARMUP // student.period), count)
    return _Minute(student, x, wanted[:count], slopes, features[:count], kept)


def _tried(minute: _Minute, *, gains: bool, progress: Progress) -> list[Option]:
    """Each strength's error over the parts that were held out in turn."""
    squares = dict.fromkeys(STRENGTHS, 0.0)
    for number, out in enumerate(np.array_split(minute.kept, _FOLDS)):
        rest = np.setdiff1d(minute.kept, out, assume_unique=True)
        features = minute.features_with(minute.gains(rest)) if gains else minute.features
        for strength in STRENGTHS:
            squares[strength] += minute.squares(minute.layer(features, rest, strength), features, out)
        progress("cross-validation", number + 1 + _FOLDS * gains, 2 * _FOLDS)
    return [Option(gains, strength, _rmse(minute, total)) for strength, total in squares.items()]


def _rmse(minute: _Minute, squares: float) -> float:
    return math.sqrt(squares / (len(minute.kept) * minute.wanted.shape[1]))


def _estimates(layer: LastLayer, features: Matrix) -> Matrix:
    return features @ layer.weights.T + layer.bias
