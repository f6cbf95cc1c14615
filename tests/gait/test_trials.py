# SPDX-License-Identifier: Apache-2.0
"""Trials: recordings in a model's terms, or a refusal that says what does not fit; windows and the split."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgegrf.errors import DataError
from edgegrf.gait.readers import read_walks
from edgegrf.gait.recording import Recording
from edgegrf.gait.split import BY_SEVEN, is_validation, split_by_subject, standing
from edgegrf.gait.trials import trials
from edgegrf.gait.walker import walk
from edgegrf.gait.windows import cut
from edgegrf.manifest import Interface

_INTERFACE = Interface(("s7", "s1"), "BW", ("vertical_force",), "BW", 100.0, 200)


@pytest.fixture(scope="module")
def foot() -> Recording:
    return walk(1, duration_s=5)[0]


def _changed(**fields: Any) -> Interface:
    return dataclasses.replace(_INTERFACE, **fields)


def test_sensors_come_by_name_in_the_models_order_and_in_bw(foot: Recording) -> None:
    [trial] = trials([foot], _INTERFACE)
    assert foot.body_weight_n is not None and foot.force is not None and trial.y is not None
    np.testing.assert_allclose(trial.x, foot.pressure[:, [6, 0]] / foot.body_weight_n, rtol=1e-6)
    np.testing.assert_allclose(trial.y, foot.force[:, :1] / foot.body_weight_n, rtol=1e-6)
    assert trial.x.dtype == trial.y.dtype == np.float32
    assert trial.x.flags.c_contiguous and trial.y.flags.c_contiguous
    assert trial.synthetic and trial.force_source == "synthetic walker"


def test_newton_stays_newton_and_bw_stays_bw(foot: Recording) -> None:
    [trial] = trials([foot], _changed(sensor_unit="N"))
    np.testing.assert_array_equal(trial.x, foot.pressure[:, [6, 0]])
    in_bw = dataclasses.replace(foot, unit="BW", force_unit="BW")
    [kept] = trials([in_bw], _INTERFACE)
    np.testing.assert_array_equal(kept.x, foot.pressure[:, [6, 0]])


def test_two_outputs_of_a_matrix(foot: Recording) -> None:
    matrix = walk(1, duration_s=4, layout="matrix16x8")
    names = tuple(sensor.name for sensor in matrix[0].sensors)
    outputs = ("vertical_force", "anterior_posterior_force")
    both = trials(matrix, _changed(sensors=names, outputs=outputs, frame=(16, 8)))
    assert [trial.x.shape for trial in both] == [(400, 128)] * 2
    assert both[0].y is not None and both[0].y.shape == (400, 2)
    with pytest.raises(DataError, match=r"\(16, 8\) matrix"):
        trials(matrix, _changed(sensors=names, frame=(8, 16)))


def test_without_force_there_is_no_reference(foot: Recording) -> None:
    assert trials([dataclasses.replace(foot, force=None)], _INTERFACE)[0].y is None


@pytest.mark.parametrize(
    ("interface", "said"),
    [
        (_changed(sensors=("s1", "s9", "s10")), r"has 8 sensors, without 's9' \(2 of the model's 3"),
        (_changed(sample_rate_hz=200.0), "sampled at 100 Hz, the model at 200 Hz"),
        (_changed(sensor_unit="kPa"), "is in N, the model wants kPa"),
        (_changed(output_unit="kN"), "is in N, the model wants kN"),
        (_changed(outputs=("moment",)), "has no 'moment'"),
    ],
)
def test_what_does_not_fit_is_refused_and_says_what_to_do(
    foot: Recording, interface: Interface, said: str
) -> None:
    with pytest.raises(DataError, match=said) as caught:
        trials([foot], interface)
    assert caught.value.why and caught.value.fix


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"body_weight_n": None}, "has no body weight"),
        ({"body_weight_n": 75.0}, "implausible"),
        ({"unit": "raw"}, "is in raw, the model wants BW"),
    ],
)
def test_what_is_not_calibrated_is_refused(foot: Recording, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        trials([dataclasses.replace(foot, **fields)], _INTERFACE)


@given(
    samples=st.integers(0, 60), window=st.integers(1, 20), hop=st.integers(1, 25), channels=st.integers(1, 3)
)
def test_every_window_is_its_piece_of_the_signal(samples: int, window: int, hop: int, channels: int) -> None:
    signal = np.arange(samples * channels, dtype=np.float32).reshape(samples, channels)
    windows = cut(signal, window, hop)
    starts = range(0, samples - window + 1, hop)
    assert windows.shape == (len(starts), window, channels) and windows.flags.c_contiguous
    for index, start in enumerate(starts):
        np.testing.assert_array_equal(windows[index], signal[start : start + window])


def test_windows_do_not_overlap_unless_asked() -> None:
    assert cut(np.zeros((10, 1), np.float32), 4).shape == (2, 4, 1)
    with pytest.raises(ValueError, match="at least 1"):
        cut(np.zeros((10, 1), np.float32), 0)


def test_validation_subjects_are_the_sevens() -> None:
    held_out = [number for number in range(1, 31) if is_validation(f"GaPt{number:02d}")]
    assert held_out == [7, 14, 21, 28]
    with pytest.raises(DataError, match="'Anna' has no number"):
        is_validation("Anna")


def test_no_subject_is_on_both_sides(gaitpdb_folder: Any) -> None:
    recordings = read_walks(gaitpdb_folder)
    training, validation = split_by_subject(recordings)
    assert len(training) + len(validation) == len(recordings)
    held_out = {recording.subject for recording in validation}
    assert len(held_out) == 13 and not held_out & {recording.subject for recording in training}


@pytest.mark.parametrize(
    ("subjects", "held_out", "line"),
    [
        (["S06", "S07", "S08"], ["S07"], BY_SEVEN.line),
        (["P01", "P02", "P03"], ["P03"], "by subject: validation P03"),
        (["S07", "S14"], ["S14"], "by subject: validation S14"),
        (["anna", "ben07"], ["ben07"], "by subject: validation ben07"),
        ([f"w{n:02d}x" for n in range(28)], ["w06x", "w13x", "w20x", "w27x"],
         "by subject: validation w06x, w13x, w20x and 1 more"),
        (["anna"], [], "none: there is one subject"),
    ],
)  # fmt: skip
def test_every_set_of_subjects_has_a_split_with_people_on_both_sides(
    subjects: list[str], held_out: list[str], line: str
) -> None:
    split = standing([*subjects, *subjects])
    assert [subject for subject in sorted(subjects) if split.held_out(subject)] == held_out
    assert split.line == line
