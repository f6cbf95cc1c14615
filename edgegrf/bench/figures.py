# SPDX-License-Identifier: Apache-2.0
"""The samples that a report draws: a few strides, a scatter, the latencies; small, and the same each time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.bench.measure import Run
from edgegrf.bench.score import counted, score
from edgegrf.bench.statistics import histogram
from edgegrf.manifest import Interface

__all__ = ["figures", "walk_rows"]

_STRIDES_S = 5.0
_PAIRS = 4000


def figures(runs: Sequence[Run], interface: Interface, window: int) -> dict[str, Any]:
    """`trace` (a few strides), `pairs` (estimate against reference) and `cycles` (histogram) of the runs."""
    cycles = np.concatenate([run.cycles for run in runs]) if runs else np.empty(0, np.uint32)
    found: dict[str, Any] = {"cycles": histogram(cycles)}
    known = [run for run in runs if run.trial.y is not None and counted(run, interface, window).any()]
    if known:
        found["trace"] = _trace(known[0], interface, window)
        found["pairs"] = _pairs(known, interface, window)
    return found


def walk_rows(runs: Sequence[Run], interface: Interface, window: int) -> tuple[dict[str, Any], ...]:
    """One row for each run: name, subject, samples, estimates, mismatches, clipped inputs, its accuracy."""
    return tuple(
        {
            "name": run.trial.name,
            "subject": run.trial.subject,
            "samples": run.samples_in,
            "estimates": len(run.estimates),
            "mismatches": int(np.count_nonzero(run.estimates != run.expected)),
            "clipped": run.clipped,
            "whole": run.whole,
            "accuracy": score([run], interface, window),
        }
        for run in runs
    )


def _trace(run: Run, interface: Interface, window: int) -> dict[str, Any]:
    rate = interface.sample_rate_hz
    usable = np.flatnonzero(counted(run, interface, window))
    first = int(usable[0])
    shown = usable[: np.searchsorted(run.samples[usable], run.samples[first] + round(_STRIDES_S * rate))]
    places = run.samples[shown]
    window_of_x = slice(int(places[0]), int(places[-1]) + 1)
    assert run.trial.y is not None
    return {
        "name": run.trial.name,
        "sample_rate_hz": rate,
        "input_unit": interface.sensor_unit,
        "output_unit": interface.output_unit,
        "output": interface.outputs[0],
        "sensors": list(interface.sensors),
        "start_s": float(places[0] / rate),
        "inputs": _rounded(run.trial.x[window_of_x].T),
        "time_s": _rounded(places / rate),
        "estimate": _rounded(run.force[shown, 0]),
        "reference": _rounded(run.trial.y[places, 0]),
    }


def _pairs(runs: Sequence[Run], interface: Interface, window: int) -> dict[str, Any]:
    estimate, reference = [], []
    for run in runs:
        counts = counted(run, interface, window)
        assert run.trial.y is not None
        estimate.append(run.force[counts, 0])
        reference.append(run.trial.y[run.samples[counts], 0])
    one, other = np.concatenate(estimate), np.concatenate(reference)
    chosen = np.random.default_rng(0).permutation(len(one))[:_PAIRS]
    chosen.sort()
    return {"of": len(one), "estimate": _rounded(one[chosen]), "reference": _rounded(other[chosen])}


def _rounded(values: NDArray[Any]) -> Any:
    return np.round(np.asarray(values, np.float64), 4).tolist()
