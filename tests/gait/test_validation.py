# SPDX-License-Identifier: Apache-2.0
"""Policies for what a recording may hold: refused, repaired and reported, or reported."""

from __future__ import annotations

import numpy as np
import pytest

from edgegrf.errors import DataError
from edgegrf.gait.calibration import check_body_weight, insole_body_weight
from edgegrf.gait.recording import Oddity, Recording, Sensor
from edgegrf.gait.validation import checked, oddity_lines
from edgegrf.gait.walker import CLEAN, walk


def _recording(pressure: np.ndarray, **fields: object) -> Recording:
    sensors = tuple(Sensor(f"s{index + 1}") for index in range(pressure.shape[1]))
    given = {"unit": "N", "sample_rate_hz": 100.0, **fields}
    return Recording("w/left", "S1", "left", pressure.astype(np.float32), sensors, **given)  # type: ignore[arg-type]


def _wave(samples: int = 300) -> np.ndarray:
    return 100 + 50 * np.sin(np.arange(samples) / 7.3)[:, None] * np.array([1.0, 0.5])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused_with_place_and_count(value: float) -> None:
    pressure = _wave()
    pressure[[17, 40, 41], 1] = value
    with pytest.raises(DataError, match=r"w/left: s2 .* from sample 17 \(3 samples\)") as caught:
        checked(_recording(pressure))
    assert "policy: refused" in caught.value.why


def test_a_force_that_is_not_finite_is_refused() -> None:
    force = np.ones((300, 1), np.float32)
    force[5] = np.nan
    with pytest.raises(DataError, match="vertical_force holds NaN or infinity from sample 5"):
        checked(_recording(_wave(), force=force, force_names=("vertical_force",)))


def test_negatives_become_zero_and_are_reported() -> None:
    pressure = _wave()
    pressure[[30, 31, 200], 0] = -4
    seen = checked(_recording(pressure))
    assert seen.oddities == (Oddity("negative", "s1", 30, 3, "set to 0"),)
    assert seen.pressure.min() == 0
    untouched = pressure >= 0
    np.testing.assert_array_equal(seen.pressure[untouched], pressure.astype(np.float32)[untouched])


def test_a_saturated_sensor_is_reported_and_kept() -> None:
    pressure = _wave()
    pressure[:, 0] = np.minimum(pressure[:, 0], 130)
    seen = checked(_recording(pressure))
    [oddity] = seen.oddities
    assert (oddity.kind, oddity.sensor, oddity.policy) == ("clipped", "s1", "kept as read")
    at_top = np.flatnonzero(seen.pressure[:, 0] == 130)
    assert (oddity.first_sample, oddity.count) == (at_top[0], len(at_top))


def test_a_sensor_that_never_changes_is_reported_but_an_unloaded_cell_is_not() -> None:
    pressure = np.concatenate([_wave(), np.zeros((300, 1)), np.full((300, 1), 3.0)], axis=1)
    kinds = [(oddity.kind, oddity.sensor) for oddity in checked(_recording(pressure)).oddities]
    assert kinds == [("constant", "s3"), ("constant", "s4")]
    matrix = checked(_recording(pressure, frame=(2, 2)))
    assert [oddity.sensor for oddity in matrix.oddities] == ["s4"]


def test_a_sound_walk_has_no_oddities() -> None:
    assert [foot.oddities for foot in walk(1, duration_s=20, faults=CLEAN)] == [(), ()]


def test_oddities_are_told_by_kind_with_the_first_place() -> None:
    pressure = _wave()
    pressure[[30, 200], 0] = -4
    [line] = oddity_lines([checked(_recording(_wave())), checked(_recording(pressure))])
    assert line == (
        "negative: 2 samples of 1 sensor traces, set to 0 (first: w/left s1 from sample 30, 2 samples)"
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"sample_rate_hz": 0.0}, "sample rate 0.0"),
        ({"sample_rate_hz": float("nan")}, "sample rate nan"),
        ({"force": np.ones((7, 1), np.float32), "force_names": ("f",)}, r"force \[7, 1\] beside 300"),
    ],
)
def test_inconsistent_recordings_are_refused(fields: dict[str, object], said: str) -> None:
    with pytest.raises(DataError, match=said):
        checked(_recording(_wave(), **fields))
    with pytest.raises(DataError, match="no samples"):
        checked(_recording(_wave()[:0]))


def test_body_weight_is_the_mean_of_both_feet() -> None:
    left, right = np.full(10, 300, np.float32), np.full(10, 450, np.float32)
    assert insole_body_weight(left, right, "w") == 750
    with pytest.raises(DataError, match="10 samples of the left foot and 9"):
        insole_body_weight(left, right[:9], "w")


@pytest.mark.parametrize("newton", [0.0, 75.0, 9999.0, float("nan"), -700.0])
def test_an_implausible_weight_is_refused(newton: float) -> None:
    with pytest.raises(DataError, match="implausible"):
        check_body_weight(newton, "w")
