# SPDX-License-Identifier: Apache-2.0
"""The shipped students are what their manifests and cards say."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from edgegrf.bench.stress import errors_by_subject, stressed_model
from edgegrf.distill.card import card
from edgegrf.distill.evaluate import rmse
from edgegrf.distill.examples import Examples, examples
from edgegrf.distill.plans import INSOLE4, PLANS
from edgegrf.gait.choice import choose_walks
from edgegrf.gait.readers import read_walks
from edgegrf.gait.split import is_validation, split_by_subject
from edgegrf.gait.trials import trials
from edgegrf.manifest import Manifest
from edgegrf.resources import DEFAULT_STUDENT, shipped_file, shipped_students
from edgegrf.students import load, macs_per_sample


@pytest.fixture(scope="module")
def validation(gaitpdb_folder: Path) -> Examples:
    recordings = read_walks(gaitpdb_folder / "walks.npz", subjects=is_validation)
    return examples(trials(recordings, INSOLE4), INSOLE4)


def test_every_plan_is_shipped() -> None:
    assert set(shipped_students()) == set(PLANS)


@pytest.mark.parametrize("name", sorted(PLANS))
def test_a_shipped_student_is_the_one_on_its_card(name: str) -> None:
    checkpoint = shipped_file(name, "student.pt")
    manifest, student, plan = Manifest.read(checkpoint), load(checkpoint), PLANS[name]
    assert manifest.name == name
    assert student.architecture == plan.architecture and student.interface == plan.interface
    assert {key: student.hyper[key] for key in plan.hyper} == dict(plan.hyper)
    assert manifest.model["parameters"] == student.parameters_count
    assert manifest.model["macs_per_sample"] == macs_per_sample(student)
    assert manifest.model["training"]["synthetic"] == (plan.interface.frame is not None)
    assert manifest.model["training"]["ended"] == "done"
    exported = checkpoint.with_name("student_int8.tflite")
    int8 = Manifest.read(exported) if exported.is_file() else None
    page = card(manifest, int8)
    assert checkpoint.with_name("README.md").read_text() == page
    teachers = manifest.model["training"].get("teachers", 0)
    assert manifest.command.count("--teacher ") == teachers
    assert (f"the mean of {teachers} networks" in page) == (teachers > 0)
    assert ("one disturbance each" in page) == (plan.settings.disturbed > 0)
    assert str(checkpoint.parents[2]) not in manifest.command


def test_the_default_student_is_small_and_good_on_real_walks(validation: Examples) -> None:
    student = load(shipped_file(DEFAULT_STUDENT, "student.pt"))
    assert student.parameters_count <= 1700
    reached = rmse(student, validation)
    assert reached <= 0.0465
    stated = Manifest.read(shipped_file(DEFAULT_STUDENT, "student.pt")).metrics["rmse_bw"]
    assert reached == pytest.approx(stated, rel=1e-4)


@pytest.mark.parametrize("name", ["insole4-tcn32", "insole4-gru32"])
def test_other_causal_students_reach_on_real_walks_what_they_state(name: str, validation: Examples) -> None:
    checkpoint = shipped_file(name, "student.pt")
    stated = Manifest.read(checkpoint).metrics["rmse_bw"]
    # every 4th chunk: another sample of the same walks, so another figure, but not far
    part = Examples(
        validation.pressure[::4], validation.force[::4], validation.body_weight_n[::4], validation.warmup
    )
    assert rmse(load(checkpoint), part) == pytest.approx(stated, rel=0.05)


@pytest.mark.parametrize(
    ("name", "at_most"),
    [(DEFAULT_STUDENT, 0.0465), ("insole4-dstcn32", 0.0465), ("insole4-dstcn32-80ms", 0.046)],
)
def test_distilled_students_are_good_as_the_c_computes_them(
    name: str, at_most: float, gaitpdb_folder: Path
) -> None:
    model = stressed_model(shipped_file(name, "student_int8.tflite"), name)
    recordings = read_walks(gaitpdb_folder / "walks.npz", subjects=is_validation)
    sums = errors_by_subject(model, trials(recordings, model.interface)).values()
    assert math.sqrt(sum(squares for squares, _ in sums) / sum(count for _, count in sums)) <= at_most
    assert load(shipped_file(name, "student.pt")).parameters_count <= 5000


def test_the_matrix_student_reaches_on_synthetic_walks_what_it_states() -> None:
    name = "matrix16x8-st"
    checkpoint, interface = shipped_file(name, "student.pt"), PLANS[name].interface
    _, unseen = split_by_subject(choose_walks(interface).trials)
    stated = Manifest.read(checkpoint).metrics
    both = (stated["rmse_bw"] ** 2 + stated["rmse_bw:anterior_posterior_force"] ** 2) / 2
    reached = rmse(load(checkpoint), examples(unseen, interface))
    assert reached == pytest.approx(math.sqrt(both), rel=0.05)
