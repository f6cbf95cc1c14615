# SPDX-License-Identifier: Apache-2.0
"""Before and after: the general and the personalised int8 student on what the fit never saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.bench.score import WARMUP
from edgegrf.gait.metrics import Estimated, pooled_accuracy
from edgegrf.gait.trials import Trial
from edgegrf.graph.affine import dequantize, force_code, pressure_code, quantize
from edgegrf.graph.reader import read_tflite
from edgegrf.manifest import Interface, Manifest
from edgegrf.parity.host import HostModel

__all__ = ["Judged", "judge", "pooled"]

Force = NDArray[np.float64]

_KEYS = ("rmse_bw", "r2", "peak1_error_bw", "peak2_error_bw", "impulse_error", "contact_time_error_ms")


@dataclass(frozen=True)
class Judged:
    """One walk from sample `begin` on: reference, and estimates before and after, [T, K] in BW."""

    trial: Trial
    begin: int
    before: Force
    after: Force

    @property
    def reference(self) -> Force:
        assert self.trial.y is not None
        return self.trial.y[self.begin : self.begin + len(self.before)].astype(np.float64)


def judge(general: Path, personal: Path, walks: Sequence[tuple[Trial, int]]) -> list[Judged]:
    """Run whole walks through both, as the boards' C computes them, and keep what is from `begin` on.

    The trials are as the general student wants them, without the wearer's gains.
    """
    before, after = _estimator(general), _estimator(personal)
    judged = []
    for trial, begin in walks:
        start = max(begin, WARMUP)
        judged.append(Judged(trial, start, before(trial.x)[start:], after(trial.x)[start:]))
    return judged


def pooled(judged: Sequence[Judged], sample_rate_hz: float) -> dict[str, dict[str, float]]:
    """{"before": ..., "after": ...}: accuracy of the first output over all walks as if they were one."""
    return {
        side: _accuracy([(one, getattr(one, side)) for one in judged], sample_rate_hz)
        for side in ("before", "after")
    }


def _accuracy(runs: Sequence[tuple[Judged, Force]], sample_rate_hz: float) -> dict[str, float]:
    found: dict[str, Any] = pooled_accuracy(
        [Estimated(force[:, 0], one.reference[:, 0], one.trial.body_weight_n) for one, force in runs],
        sample_rate_hz=sample_rate_hz,
    )
    return {key: float(found[key]) for key in _KEYS if np.isfinite(found[key])}


def _estimator(tflite: Path) -> Callable[[NDArray[np.float32]], Force]:
    model, graph = HostModel(tflite), read_tflite(tflite.read_bytes())
    gains = _gains(Manifest.read(tflite).interface)

    def estimate(x: NDArray[np.float32]) -> Force:
        model.reset()
        codes, _ = quantize(x * gains, *pressure_code(graph))
        return dequantize(model.stream(codes), *force_code(graph))

    return estimate


def _gains(interface: Interface | None) -> NDArray[np.float32]:
    return np.array(interface.gains if interface and interface.gains else 1.0, np.float32)
