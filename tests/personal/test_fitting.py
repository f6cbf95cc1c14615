# SPDX-License-Identifier: Apache-2.0
"""Fitting to a wearer: what helps, what does not, what is refused; what was fitted to does not judge."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from edgegrf.cli import main
from edgegrf.errors import DataError
from edgegrf.gait.readers.archive import write_archive
from edgegrf.gait.walker import walk
from edgegrf.manifest import Manifest
from edgegrf.personal.fitting import fit
from edgegrf.personal.student import LastLayer, Student
from edgegrf.personal.wearer import TOTAL_SOURCE, wearer
from edgegrf.resources import shipped_file

STUDENT = shipped_file("insole4-dstcn16", "student_int8.tflite")
SECONDS = 30.0


@pytest.fixture(scope="module")
def student():
    return Student(STUDENT)


@pytest.fixture(scope="module")
def feet():
    """A synthetic walker, 50 s, whom the student never saw."""
    return walk(3, speed_mps=1.2, duration_s=50.0)


def chosen(feet, student, **options):
    return wearer(feet, student.interface, **{"seconds": SECONDS, "foot": "left", **options})


def test_a_wearer_far_from_the_students_is_met(student, feet):
    """Sensors that show a tenth less, and a quarter more, than the student knows them."""
    minute = chosen(feet, student).minute
    x = minute.x * np.array([0.9, 1.0, 1.25, 1.0], np.float32)
    found = fit(student, x, minute.y)
    assert found.helps and found.chosen.rmse_bw < 0.8 * found.general_rmse_bw
    assert all(0.5 <= gain <= 2 and gain * 4096 == round(gain * 4096) for gain in found.gains)


def test_a_student_that_fits_already_is_left_alone(student, feet):
    """Its own estimates as the reference: nothing can be gained but the rounding."""
    minute = chosen(feet, student).minute
    layer = student.last
    own = student.clipped(student.features(minute.x) @ layer.weights.T + layer.bias)
    noise = np.random.default_rng(1).normal(0, 0.05, own.shape)
    found = fit(student, minute.x, (own + noise).astype(np.float32))
    assert not found.helps


def test_a_strong_pull_is_the_general_student(student, feet):
    from edgegrf.personal.fitting import _minute

    minute = chosen(feet, student).minute
    parts = _minute(student, minute.x, minute.y, lambda *_: None)
    near = parts.layer(parts.features, parts.kept, 1e9)
    assert np.allclose(near.weights, student.last.weights, atol=1e-6)
    free = parts.layer(parts.features, parts.kept, 1e-9)
    a = np.hstack([parts.features[parts.kept], np.ones((len(parts.kept), 1))])
    best, *_ = np.linalg.lstsq(a, parts.wanted[parts.kept], rcond=None)
    force = a @ np.vstack([free.weights.T, free.bias])
    assert np.allclose(force, a @ best, atol=1e-4)  # least squares, where nothing pulls


def test_the_minute_does_not_judge(student, feet):
    whose = chosen(feet, student)
    [(trial, begin)] = whose.left
    assert begin == whose.samples == len(whose.minute.x) == 3000 and len(trial.x) == 5000


def test_the_total_of_a_full_insole_stands_for_a_missing_force(student, feet):
    bare = [replace(foot, force=None, force_names=(), force_unit="", force_source="") for foot in feet]
    minute = chosen(bare, student).minute
    assert minute.force_source == TOTAL_SOURCE
    total = feet[0].pressure.sum(axis=1) / (feet[0].body_weight_n if feet[0].unit == "N" else 1)
    assert np.allclose(minute.y[:, 0], total[: len(minute.y)], atol=1e-4)


def without_force(foot, student):
    keep = [i for i, sensor in enumerate(foot.sensors) if sensor.name in student.interface.sensors]
    return replace(foot, pressure=foot.pressure[:, keep], sensors=tuple(foot.sensors[i] for i in keep),
                   force=None, force_names=())  # fmt: skip


def without_s3(foot, student):
    return replace(foot, pressure=foot.pressure * (np.arange(8) != 2))


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        (without_force, {}, "no reference force"),
        (lambda foot, _: foot, {"seconds": 15}, "15 s of walking to fit to"),
        (lambda foot, _: foot, {"seconds": 60}, "50 s of walking to fit to"),
        (lambda foot, _: foot, {"seconds": 48}, "nothing is left to judge by"),
        (without_s3, {}, "sensor s3 shows nothing"),
        (lambda foot, _: replace(foot, force=foot.force * 0 + 300), {}, "stances in 30 s"),
        (lambda foot, _: foot, {"subject": "nobody"}, "no walk of nobody"),
    ],
    ids=["reference", "short", "shorter", "judge", "sensor", "standing", "subject"],
)  # fmt: skip
def test_what_cannot_be_fitted_to_is_refused(student, feet, change, options, said):
    with pytest.raises(DataError, match=said) as caught:
        chosen([change(foot, student) for foot in feet], student, **options)
    assert caught.value.fix


def test_several_peoples_walks_need_a_name(student, feet):
    other = [replace(foot, subject="other", name=f"other/{foot.foot}") for foot in feet]
    with pytest.raises(DataError, match="2 subjects"):
        chosen([*feet, *other], student)
    assert chosen([*feet, *other], student, subject="other").subject == "other"
    with pytest.raises(DataError, match="no left foot"):
        chosen([foot for foot in feet if foot.foot == "right"], student)


def test_the_command_writes_a_model_its_record_and_a_page(feet, tmp_path, capsys, monkeypatch):
    strange = [
        replace(foot, pressure=foot.pressure * np.linspace(0.7, 1.3, 8, dtype=np.float32)) for foot in feet
    ]
    write_archive(tmp_path / "walk.npz", [strange])
    arguments = ["edgegrf", "personalise", "--walk", str(tmp_path / "walk.npz"), "--seconds", "30", "--json",
                 "-o", str(tmp_path / "me"), "--report", str(tmp_path / "me.html")]  # fmt: skip
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    record = json.loads(capsys.readouterr().out)
    assert record["helps"] and record["synthetic"] and record["foot"] == "left"
    assert record["all"]["after"]["rmse_bw"] < record["all"]["before"]["rmse_bw"]
    assert record["all"]["seconds"] == pytest.approx(20.0, abs=0.1)
    manifest = Manifest.read(tmp_path / "me/student_int8.tflite")
    assert manifest.sha256 == record["personal_sha256"]
    assert manifest.model["personal"]["model_sha256"] == Manifest.read(STUDENT).sha256
    assert bool(manifest.interface.gains) == record["gains_fitted"]
    page = (tmp_path / "me.html").read_text()
    assert page.count("<svg") == 3 and "SHA-256" in page


@pytest.mark.parametrize("asked", [[], ["--show", "--erase"], ["--walk", "w.csv", "--apply", "a.json"]])
def test_one_thing_at_a_time(asked, monkeypatch):
    monkeypatch.setattr("sys.argv", ["edgegrf", "personalise", *asked])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2


def test_an_empty_last_layer_is_refused(student):
    with pytest.raises(DataError, match="empty"):
        student.with_last(LastLayer(np.zeros((1, 16)), np.zeros(1)))
