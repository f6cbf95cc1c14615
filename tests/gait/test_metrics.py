# SPDX-License-Identifier: Apache-2.0
"""Accuracy on signals whose errors are known beforehand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgegrf.gait.events import contacts
from edgegrf.gait.metrics import Estimated, accuracy, pooled_accuracy
from edgegrf.gait.walker.force import vertical

_RATE = 100.0
_WEIGHT = 800.0

_KEYS = {
    "rmse_bw", "rmse_n", "nrmse", "range_bw", "r", "r2", "r2_unseen", "peak1_error_bw", "peak2_error_bw",
    "impulse_error", "contact_time_error_ms", "heel_strike_error_ms", "toe_off_error_ms", "stance_rmse_bw",
    "bias_bw", "loa_low_bw", "loa_high_bw", "loading_rate_error_bw_s", "threshold_n", "threshold_bw",
}  # fmt: skip


def _gait(steps: int = 12, late: float = 0.0, contact: float = 64.0) -> np.ndarray:
    """A foot's vertical force in BW, a step every 107 samples, `late` samples later."""
    time = np.arange(107 * steps + 60) - 50 - late
    return vertical(np.mod(time, 107.0) / contact, 1.3) * (time >= 0)


def _of(estimate: np.ndarray, reference: np.ndarray, **more: Any) -> dict[str, float]:
    return accuracy(estimate, reference, body_weight_n=_WEIGHT, sample_rate_hz=_RATE, **more)


def test_a_perfect_estimate_has_no_error() -> None:
    found = _of(_gait(), _gait(), inputs=np.zeros((len(_gait()), 2)))
    assert _KEYS.issubset(found)
    for key, value in found.items():
        if "error" in key or "bias" in key or "rmse" in key or "loa" in key:
            assert value == 0, key
    assert found["r"] == pytest.approx(1) and found["r2"] == 1 and found["r2_unseen"] == 1
    assert found["stances"] == found["stances_paired"] == 12
    assert (found["threshold_n"], found["threshold_bw"]) == (50.0, 50.0 / _WEIGHT)


@given(shift=st.integers(-6, 6).filter(bool))
@settings(deadline=None, max_examples=12)
def test_a_shift_of_k_samples_is_k_times_ten_milliseconds(shift: int) -> None:
    found = _of(_gait(late=shift), _gait())
    assert found["heel_strike_error_ms"] == pytest.approx(10 * abs(shift), abs=1e-6)
    assert found["heel_strike_bias_ms"] == pytest.approx(10 * shift, abs=1e-6)
    assert found["toe_off_bias_ms"] == pytest.approx(10 * shift, abs=1e-6)
    assert found["contact_time_error_ms"] == pytest.approx(0, abs=1e-6)


@given(late=st.floats(0, 3))
@settings(deadline=None, max_examples=20)
def test_events_lie_between_samples(late: float) -> None:
    def trapezoids(delay: float) -> np.ndarray:
        time = np.mod(np.arange(600) - 20 - delay, 110)
        return np.clip(np.minimum(time, 70 - time) / 8, 0, 1)

    found = _of(trapezoids(late), trapezoids(0), threshold_n=240.0)
    assert found["heel_strike_bias_ms"] == pytest.approx(10 * late, abs=1e-6)
    assert found["toe_off_bias_ms"] == pytest.approx(10 * late, abs=1e-6)
    ramp = np.concatenate([np.zeros(5), np.full(40, 0.5), np.zeros(5)])
    only = contacts(ramp, 0.1, _RATE)
    assert only.strike == pytest.approx([4.2])
    assert only.off == pytest.approx([44.8])


@given(bias=st.floats(-0.3, 0.3), amplitude=st.floats(0, 0.3))
@settings(deadline=None, max_examples=30)
def test_the_error_of_a_sine_is_known(bias: float, amplitude: float) -> None:
    time = np.arange(1000)
    reference = _gait()[:1000]
    found = _of(reference + bias + amplitude * np.sin(2 * np.pi * time / 50), reference)
    rmse = math.hypot(bias, amplitude / math.sqrt(2))
    assert found["rmse_bw"] == pytest.approx(rmse, abs=1e-9)
    assert found["rmse_n"] == pytest.approx(rmse * _WEIGHT, abs=1e-6)
    assert found["nrmse"] == pytest.approx(rmse / np.ptp(reference), abs=1e-9)
    assert found["bias_bw"] == pytest.approx(bias, abs=1e-9)
    spread = 1.96 * amplitude / math.sqrt(2)
    assert found["loa_high_bw"] - found["loa_low_bw"] == pytest.approx(2 * spread, abs=1e-9)


@given(scale=st.floats(0.8, 1.25))
@settings(deadline=None, max_examples=20)
def test_a_scaled_estimate_errs_in_peaks_and_impulse_by_its_scale(scale: float) -> None:
    reference = _gait()
    found = _of(reference * scale, reference)
    assert found["impulse_error"] == pytest.approx(abs(scale - 1), abs=1e-6)
    assert found["peak1_bias_bw"] == pytest.approx((scale - 1) * reference.max(), abs=2e-3)
    assert found["r"] == pytest.approx(1)


def test_the_two_peaks_are_told_apart() -> None:
    reference = _gait()
    second = np.mod(np.arange(len(reference)) - 50, 107) > 32
    found = _of(reference * np.where(second, 1.1, 1.0), reference)
    assert found["peak1_error_bw"] < 0.01
    assert found["peak2_error_bw"] == pytest.approx(0.095, abs=0.01)


def test_r2_unseen_is_against_what_the_inputs_do_not_hold() -> None:
    reference = _gait()
    inputs = np.stack([0.5 * reference, 0.3 * reference], axis=1)
    estimate = reference + 0.02 * np.sin(np.arange(len(reference)))
    found = _of(estimate, reference, inputs=inputs)
    error = np.mean((estimate - reference) ** 2)
    assert found["r2_unseen"] == pytest.approx(1 - error / np.var(0.2 * reference))
    assert found["r2_unseen"] < found["r2"]
    assert math.isnan(_of(estimate, reference)["r2_unseen"])


def test_the_threshold_moves_contact_times() -> None:
    low, high = (contacts(_gait(), newton / _WEIGHT, _RATE) for newton in (20.0, 50.0))
    shorter = ((low.off - low.strike) - (high.off - high.strike)).mean() * 10
    assert 3 < shorter < 25


def test_short_contacts_swings_and_cut_steps_are_no_steps() -> None:
    force = np.zeros(400)
    force[:30] = 1  # began before the recording
    force[60:70] = 1  # 0.1 s: a scuff
    force[120:150] = force[155:190] = 1  # a gap of 50 ms: one contact
    force[260:300] = 1
    force[370:] = 1  # ends after it
    found = contacts(force, 0.5, _RATE)
    np.testing.assert_allclose(found.strike, [119.5, 259.5])
    np.testing.assert_allclose(found.off, [189.5, 299.5])


def test_missed_steps_are_not_paired() -> None:
    reference = _gait()
    estimate = reference.copy()
    estimate[50 + 107 * 3 : 50 + 107 * 4] = 0
    found = _of(estimate, reference)
    assert (found["stances"], found["stances_paired"]) == (12, 11)
    assert found["heel_strike_error_ms"] == pytest.approx(0, abs=1e-9)
    nothing = _of(np.zeros_like(reference), reference)
    assert nothing["stances_paired"] == 0 and math.isnan(nothing["heel_strike_error_ms"])
    assert nothing["impulse_error"] == 1


def test_standing_still_gives_nan_not_a_crash() -> None:
    found = _of(np.full(500, 0.4), np.full(500, 0.5))
    assert found["rmse_bw"] == pytest.approx(0.1)
    assert math.isnan(found["nrmse"]) and math.isnan(found["r"]) and math.isnan(found["peak1_error_bw"])


def test_pooling_is_over_all_samples_after_the_warm_up() -> None:
    reference = _gait()
    wrong_at_first = reference.copy()
    wrong_at_first[:200] += 0.5
    runs = [Estimated(wrong_at_first, reference, 800.0), Estimated(reference + 0.1, reference, 600.0)]
    found = pooled_accuracy(runs, sample_rate_hz=_RATE, warmup=200)
    assert found["samples"] == 2 * (len(reference) - 200)
    assert found["rmse_bw"] == pytest.approx(0.1 / math.sqrt(2))
    assert found["rmse_n"] == pytest.approx(60 / math.sqrt(2))
    assert pooled_accuracy(runs[:1], sample_rate_hz=_RATE)["rmse_bw"] > 0.1
    with pytest.raises(ValueError, match="no samples"):
        pooled_accuracy(runs, sample_rate_hz=_RATE, warmup=10**6)


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match=r"not both \[T\]"):
        _of(np.zeros(5), np.zeros(6))
