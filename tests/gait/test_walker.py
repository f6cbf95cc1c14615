# SPDX-License-Identifier: Apache-2.0
"""The synthetic walker: repeatable, physical, and like the real walks in what can be compared."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgegrf.errors import UnknownNameError, UsageError
from edgegrf.gait.events import contacts
from edgegrf.gait.readers import read_walks
from edgegrf.gait.recording import Recording, Sensor
from edgegrf.gait.split import is_validation
from edgegrf.gait.walker import CLEAN, LAYOUTS, Faults, subject_name, walk
from edgegrf.gait.walker.faults import applied
from edgegrf.gait.walker.pressure import matrix_sensors

_SPEEDS = (0.8, 1.1, 1.3, 1.6, 2.0)


def _force(recording: Recording) -> np.ndarray:
    assert recording.force is not None and recording.body_weight_n is not None
    return recording.force.astype(np.float64) / recording.body_weight_n


def _stances(recording: Recording) -> tuple[np.ndarray, float, float]:
    """Mean vertical force over 0..100 % of stance [101], stride time and contact time in s."""
    force = _force(recording)[:, 0]
    rate = recording.sample_rate_hz
    found = contacts(force, 50 / recording.body_weight_n, rate)  # type: ignore[operator]
    at = found.strike[:, None] + (found.off - found.strike)[:, None] * np.linspace(0, 1, 101)
    curve = np.interp(at, np.arange(len(force)), force).mean(axis=0)
    return curve, np.median(np.diff(found.strike)) / rate, np.median(found.off - found.strike) / rate


def test_a_walk_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    one, again, other = (walk(seed, duration_s=5)[0] for seed in (4, 4, 5))
    np.testing.assert_array_equal(one.pressure, again.pressure)
    assert not np.array_equal(one.pressure, other.pressure)
    assert (one.subject, one.body_weight_n) != (other.subject, other.body_weight_n)
    assert one.subject == subject_name(4) and is_validation(subject_name(7))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_it_says_that_it_is_synthetic_wherever_it_goes(layout: str) -> None:
    for recording in walk(1, duration_s=4, layout=layout):
        assert recording.synthetic and recording.force_source == "synthetic walker"
        assert recording.name.startswith("Synthetic") and recording.subject.startswith("Synthetic")


@pytest.mark.parametrize("speed", _SPEEDS)
def test_both_feet_carry_the_body_and_brake_as_much_as_they_propel(speed: float) -> None:
    left, right = (_force(foot) for foot in walk(2, speed_mps=speed, duration_s=60))
    together = left + right
    assert together[:, 0].mean() == pytest.approx(1, abs=0.02)
    assert together[:, 1].mean() == pytest.approx(0, abs=0.005)
    assert np.percentile(together[:, 0], 1) > 0.5 and together[:, 0].min() > 0  # never in the air
    assert left[:, 0].min() == 0  # but one foot does


@pytest.mark.parametrize("speed", _SPEEDS)
def test_the_force_has_two_humps_with_a_valley(speed: float) -> None:
    curve, _, _ = _stances(walk(2, speed_mps=speed, duration_s=40)[0])
    first, valley, second = curve[10:45].max(), curve[35:65].min(), curve[55:95].max()
    assert first > valley + 0.03 and second > valley + 0.03
    fore_aft = _force(walk(2, speed_mps=speed, duration_s=40)[0])[:, 1]
    assert fore_aft.min() < -0.08 and fore_aft.max() > 0.08


def test_what_speed_changes_it_changes_the_right_way() -> None:
    found = [_stances(walk(2, speed_mps=speed, duration_s=40)[0]) for speed in _SPEEDS]
    peaks, valleys = [curve.max() for curve, _, _ in found], [curve[35:65].min() for curve, _, _ in found]
    strides, contact = [stride for _, stride, _ in found], [contact / stride for _, stride, contact in found]
    assert sorted(peaks) == peaks
    for falling in (valleys, strides, contact):
        assert sorted(falling, reverse=True) == falling
    assert 1.35 < peaks[-1] < 1.55  # Nilsson & Thorstensson 1989: 1.4-1.5 BW at 2 m/s
    assert all(0.5 < duty < 0.7 for duty in contact)


def test_the_discrete_sensors_carry_the_vertical_force() -> None:
    clean = walk(6, duration_s=10, faults=CLEAN)[0]
    np.testing.assert_allclose(clean.pressure.sum(axis=1), clean.force[:, 0], atol=0.01)  # type: ignore[index]
    mild = walk(6, duration_s=10)[0]
    error = mild.pressure.sum(axis=1) / mild.body_weight_n - _force(mild)[:, 0]
    assert 0.002 < np.sqrt(np.mean(error**2)) < 0.06


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_load_rolls_from_heel_to_toe(layout: str) -> None:
    foot = walk(3, duration_s=20, layout=layout, faults=CLEAN)[0]
    along = np.array([sensor.y for sensor in foot.sensors])
    force = _force(foot)[:, 0]
    found = contacts(force, 0.06, 100.0)
    for strike, off in zip(found.strike, found.off, strict=True):
        stance = foot.pressure[int(strike) + 2 : int(off) - 1]
        centre = stance @ along / stance.sum(axis=1)
        assert centre[0] < -300 and centre[-1] > 300
        assert (np.diff(centre) > 0).all()


def test_the_matrix_is_a_foot_in_a_frame() -> None:
    foot = walk(1, duration_s=6, layout="matrix16x8")[0]
    assert foot.frame == (16, 8) and foot.pressure.shape == (600, 128)
    assert [sensor.name for sensor in foot.sensors[:9]] == [*(f"r0c{column}" for column in range(8)), "r1c0"]
    ever = foot.pressure.reshape(-1, 16, 8).max(axis=0) > 0
    assert not ever[0, 0] and not ever[15, 7]  # corners lie outside the sole
    assert ever[11].sum() > ever[2].sum() >= 5  # the ball is wider than the heel


def test_it_resembles_the_real_walks(gaitpdb_folder: Path) -> None:
    """Stance curve and loads against controls who walk at 1.15 m/s on average (docs/data.md)."""
    real = read_walks(gaitpdb_folder, limit=40, subjects=lambda subject: "Co" in subject)
    made = [foot for seed in range(20) for foot in walk(seed, speed_mps=1.15, duration_s=30)]
    theirs, ours = ([_stances(foot) for foot in feet] for feet in (real, made))
    curve, model = (np.mean([one[0] for one in many], axis=0) for many in (theirs, ours))
    assert np.sqrt(np.mean((curve - model) ** 2)) < 0.05
    for index, close in ((1, 0.05), (2, 0.05)):  # stride and contact time, in s
        assert np.mean([one[index] for one in ours]) == pytest.approx(
            np.mean([one[index] for one in theirs]), abs=close
        )
    shares, model_shares = (
        np.mean([foot.pressure.mean(axis=0) / foot.pressure.sum(axis=1).mean() for foot in feet], axis=0)
        for feet in (real, made)
    )
    np.testing.assert_allclose(model_shares, shares, atol=0.035)


def test_the_body_mass_is_taken_as_given() -> None:
    assert walk(1, duration_s=4, body_mass_kg=60)[0].body_weight_n == pytest.approx(60 * 9.81)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"speed_mps": 0.5}, "does not walk at 0.5 m/s"),
        ({"speed_mps": 3.0}, "does not walk at 3 m/s"),
        ({"speed_mps": float("nan")}, "does not walk at nan m/s"),
        ({"duration_s": 1}, "cannot walk 1 s"),
        ({"sample_rate_hz": 5}, "at 5 Hz"),
    ],
)
def test_what_no_walker_does_is_refused(wish: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        walk(1, **wish)
    with pytest.raises(UnknownNameError, match="layout"):
        walk(1, layout="moccasin")


_LINE = tuple(Sensor(f"s{index}", 0, 100 * index) for index in range(3))


def _through(loads: np.ndarray, **faults: Any) -> np.ndarray:
    return applied(loads, _LINE, 100.0, Faults(**faults), np.random.default_rng(0))


def _loads() -> np.ndarray:
    return np.outer(np.clip(np.sin(np.arange(600) / 16), 0, None), [100.0, 50.0, 20.0])


def test_no_faults_change_nothing() -> None:
    np.testing.assert_array_equal(_through(_loads()), _loads())


@given(part=st.floats(0, 0.5))
@settings(deadline=None, max_examples=20)
def test_crosstalk_moves_load_to_neighbours_and_loses_none(part: float) -> None:
    read = _through(_loads(), crosstalk=part)
    np.testing.assert_allclose(read.sum(axis=1), _loads().sum(axis=1), atol=1e-9)
    only_first = _through(_loads() * [1, 0, 0], crosstalk=part)
    np.testing.assert_allclose(only_first[:, 1], part * _loads()[:, 0], atol=1e-9)
    assert (only_first[:, 2] == 0).all()


def test_hysteresis_reads_low_in_loading_and_high_in_unloading() -> None:
    loads, read = _loads()[:, 0], _through(_loads(), hysteresis=0.2)[:, 0]
    rising = np.gradient(loads) > 1
    falling = (np.gradient(loads) < -1) & (loads > 0) & (loads < 90)
    assert (read[rising] < loads[rising]).mean() > 0.95
    assert (read[falling] > loads[falling]).mean() > 0.95


def test_gain_drift_noise_resolution_dead_band_and_dead_sensors() -> None:
    loads = _loads()
    gain = _through(loads, gain_spread=0.1)
    on = loads[:, 0] > 1
    ratios = gain[on] / loads[on]
    assert np.ptp(ratios, axis=0).max() < 1e-9 and np.ptp(ratios[0]) > 0.01
    drift = _through(loads, drift_per_minute=0.1)[on] / loads[on]
    assert (np.abs(drift[-1] - 1) > np.abs(drift[0] - 1)).all()
    noise = _through(loads + 500, noise=0.01) - loads - 500
    np.testing.assert_allclose(noise.std(axis=0), 0.01 * (loads.max(axis=0) + 500), rtol=0.1)
    steps = _through(loads, resolution=0.1)[:, 0] / (0.1 * loads[:, 0].max())
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-9)
    band = _through(loads, dead_band=0.2)
    assert ((band == 0) | (band > 0.2 * loads.max(axis=0))).all() and (band > 0).any()
    dead = _through(loads, dead=("s1",))
    assert not dead[:, 1].any() and dead[:, 0].any()


def test_a_dead_sensor_is_seen_by_the_reader() -> None:
    foot = walk(1, duration_s=4, faults=dataclasses.replace(CLEAN, dead=("s3",)))[0]
    assert [(oddity.kind, oddity.sensor) for oddity in foot.oddities] == [("constant", "s3")]


def test_every_cell_has_its_own_place() -> None:
    places = {(sensor.x, sensor.y) for sensor in matrix_sensors()}
    assert len(places) == 128
