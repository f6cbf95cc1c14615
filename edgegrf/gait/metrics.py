# SPDX-License-Identifier: Apache-2.0
"""How good an estimate of vertical force is, over every sample and stance by stance.

Keys of the dictionaries (errors are estimate minus reference):

| key | meaning |
|---|---|
| rmse_bw, rmse_n | root mean square error over all samples |
| nrmse, range_bw | rmse_bw / range_bw; the range is max - min of the reference |
| r, r2 | Pearson's correlation; 1 - SSE / SST |
| r2_unseen | the same SSE against the variance of reference - sum(inputs); NaN without inputs |
| stance_rmse_bw | RMSE over the samples where the reference is above the contact threshold |
| bias_bw, loa_low_bw, loa_high_bw | mean error; 95 % limits of agreement, bias -+ 1.96 SD |
| peak1_error_bw, peak2_error_bw | mean absolute error of the peaks at 5-50 % and 50-95 % of stance |
| impulse_error | mean absolute error of the stance impulse, as a fraction of the reference's |
| loading_rate_error_bw_s | mean absolute error of the vertical average loading rate |
| contact_time_error_ms, heel_strike_error_ms, toe_off_error_ms | mean absolute errors, paired stances |
| peak1_bias_bw, ..., toe_off_bias_ms | the same, signed: the mean error |
| stances, stances_paired | reference stances; those whose events the estimate shows within 200 ms |
| threshold_n, threshold_bw | the contact threshold |

A number that cannot be computed (no stance, a constant reference) is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.gait import stance
from edgegrf.gait.events import THRESHOLD_N

__all__ = ["Estimated", "accuracy", "pooled_accuracy"]

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Estimated:
    """An estimate [T] beside its reference [T] of one wearer, in BW; inputs [T, C] if forces in BW."""

    estimate: NDArray[np.floating[Any]]
    reference: NDArray[np.floating[Any]]
    body_weight_n: float
    inputs: NDArray[np.floating[Any]] | None = None


def accuracy(
    estimate: NDArray[np.floating[Any]],
    reference: NDArray[np.floating[Any]],
    *,
    body_weight_n: float,
    sample_rate_hz: float,
    inputs: NDArray[np.floating[Any]] | None = None,
    threshold_n: float = THRESHOLD_N,
) -> dict[str, float]:
    """The accuracy of one vertical force estimate [T] in BW against its reference [T] in BW (keys above)."""
    run = Estimated(estimate, reference, body_weight_n, inputs)
    return pooled_accuracy([run], sample_rate_hz=sample_rate_hz, threshold_n=threshold_n)


def pooled_accuracy(
    runs: Sequence[Estimated],
    *,
    sample_rate_hz: float,
    warmup: int = 0,
    threshold_n: float = THRESHOLD_N,
) -> dict[str, float]:
    """The accuracy over many runs as if they were one, each without its first `warmup` samples.

    Raises ValueError when there is nothing to compare or lengths differ.
    """
    kept = [_after(run, warmup) for run in runs]
    kept = [run for run in kept if len(run.reference)]
    if not kept:
        raise ValueError("no samples to compare")
    stances = stance.pooled(
        [
            stance.compare(
                np.asarray(run.estimate, np.float64),
                np.asarray(run.reference, np.float64),
                threshold_n / run.body_weight_n,
                sample_rate_hz,
            )
            for run in kept
        ]
    )
    weight = float(np.mean([run.body_weight_n for run in kept]))
    return {
        **_by_sample(kept, threshold_n),
        **_by_stance(stances),
        "threshold_n": threshold_n,
        "threshold_bw": threshold_n / weight,
    }


def _after(run: Estimated, warmup: int) -> Estimated:
    if run.estimate.shape != run.reference.shape or run.reference.ndim != 1:
        raise ValueError(f"estimate {run.estimate.shape}, reference {run.reference.shape}: not both [T]")
    inputs = None if run.inputs is None else run.inputs[warmup:]
    return Estimated(run.estimate[warmup:], run.reference[warmup:], run.body_weight_n, inputs)


def _by_sample(runs: Sequence[Estimated], threshold_n: float) -> dict[str, float]:
    estimate = np.concatenate([run.estimate for run in runs]).astype(np.float64)
    reference = np.concatenate([run.reference for run in runs]).astype(np.float64)
    lengths = [len(run.reference) for run in runs]
    weight = np.repeat([run.body_weight_n for run in runs], lengths)
    error = estimate - reference
    rmse, span = _rms(error), float(np.ptp(reference))
    bias, spread = float(error.mean()), float(error.std())
    return {
        "samples": len(error),
        "rmse_bw": rmse,
        "rmse_n": _rms(error * weight),
        "nrmse": _ratio(rmse, span),
        "range_bw": span,
        "r": _correlation(estimate, reference),
        "r2": 1 - _ratio(rmse**2, float(reference.var())),
        "r2_unseen": _r2_unseen(runs, rmse),
        "stance_rmse_bw": _rms(error[reference * weight > threshold_n]),
        "bias_bw": bias,
        "loa_low_bw": bias - 1.96 * spread,
        "loa_high_bw": bias + 1.96 * spread,
    }


def _r2_unseen(runs: Sequence[Estimated], rmse: float) -> float:
    """R2 against the part of the reference that the model's inputs do not already contain."""
    unseen = [
        run.reference.astype(np.float64) - run.inputs.sum(axis=1, dtype=np.float64)
        for run in runs
        if run.inputs is not None
    ]
    if len(unseen) != len(runs):
        return math.nan
    return 1 - _ratio(rmse**2, float(np.concatenate(unseen).var()))


def _by_stance(stances: stance.Stances) -> dict[str, float]:
    return {
        "peak1_error_bw": _mean(np.abs(stances.peak1)),
        "peak1_bias_bw": _mean(stances.peak1),
        "peak2_error_bw": _mean(np.abs(stances.peak2)),
        "peak2_bias_bw": _mean(stances.peak2),
        "impulse_error": _mean(np.abs(stances.impulse)),
        "loading_rate_error_bw_s": _mean(np.abs(stances.loading_rate)),
        "contact_time_error_ms": 1e3 * _mean(np.abs(stances.contact_time_s)),
        "contact_time_bias_ms": 1e3 * _mean(stances.contact_time_s),
        "heel_strike_error_ms": 1e3 * _mean(np.abs(stances.heel_strike_s)),
        "heel_strike_bias_ms": 1e3 * _mean(stances.heel_strike_s),
        "toe_off_error_ms": 1e3 * _mean(np.abs(stances.toe_off_s)),
        "toe_off_bias_ms": 1e3 * _mean(stances.toe_off_s),
        "stances": len(stances.peak1),
        "stances_paired": len(stances.heel_strike_s),
    }


def _rms(values: Vector) -> float:
    return float(np.sqrt(np.mean(values**2))) if len(values) else math.nan


def _mean(values: Vector) -> float:
    return float(values.mean()) if len(values) else math.nan


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else math.nan


def _correlation(one: Vector, other: Vector) -> float:
    a, b = one - one.mean(), other - other.mean()
    return _ratio(float(a @ b), float(np.sqrt((a @ a) * (b @ b))))
