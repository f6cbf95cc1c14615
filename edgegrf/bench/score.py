# SPDX-License-Identifier: Apache-2.0
"""Accuracy of what a board estimated: per walk and over all of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgegrf.bench.measure import Run
from edgegrf.gait.metrics import Estimated, pooled_accuracy
from edgegrf.manifest import Interface

__all__ = ["WARMUP", "counted", "score", "warmup"]

#: samples that do not count, while the stream (or the window) knows too little of the walk
WARMUP = 200


def warmup(run: Run, interface: Interface, window: int) -> int:
    """The samples at the start of a walk or window that do not count: none for models of whole windows.

    `window` is 0 in stream mode, else the window's length, of which a fifth counts at least.
    """
    if not _is_dense(run) or interface.lookahead < 0:
        return 0
    return min(WARMUP, window * 4 // 5) if window else WARMUP


def counted(run: Run, interface: Interface, window: int) -> NDArray[np.bool_]:
    """Which of a run's estimates [N] count; `window` as in `warmup`."""
    place = run.samples % window if window else run.samples
    on_walk: NDArray[np.bool_] = (run.samples >= 0) & (run.samples < len(run.trial.x))
    return on_walk & (place >= warmup(run, interface, window))


def score(runs: Sequence[Run], interface: Interface, window: int = 0) -> dict[str, float]:
    """The pooled accuracy (keys of gait/metrics.py) of all runs that have a reference force.

    Keys of the second and later outputs end in `:NAME`; what cannot be computed is left out.  {} when
    nothing could be compared.
    """
    found: dict[str, float] = {}
    for index, name in enumerate(interface.outputs):
        parts = [part for run in runs for part in _parts(run, interface, index, window)]
        if not parts:
            continue
        pooled = pooled_accuracy(parts, sample_rate_hz=interface.sample_rate_hz)
        suffix = f":{name}" if index else ""
        found |= {key + suffix: value for key, value in pooled.items() if math.isfinite(value)}
    return found


def _parts(run: Run, interface: Interface, index: int, window: int) -> list[Estimated]:
    """The stretches of a run without a gap, since a stance must not span one."""
    trial = run.trial
    if trial.y is None:
        return []
    counts = counted(run, interface, window)
    places, force = run.samples[counts], run.force[counts, index]
    gaps = np.flatnonzero(np.diff(places) != 1) + 1 if _is_dense(run) else np.empty(0, np.int64)
    forces_in = interface.sensor_unit == interface.output_unit and not interface.frame
    return [
        Estimated(
            estimate,
            trial.y[place, index],
            trial.body_weight_n,
            trial.x[place] if forces_in else None,
        )
        for place, estimate in zip(np.split(places, gaps), np.split(force, gaps), strict=True)
        if len(place)
    ]


def _is_dense(run: Run) -> bool:
    return len(run.samples) > 1 and int(run.samples[1] - run.samples[0]) == 1
