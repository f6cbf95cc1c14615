# SPDX-License-Identifier: Apache-2.0
"""The trainer: it learns, it repeats itself, and it ends well when things go wrong."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from edgegrf.distill.augment import disturbed, other_gains
from edgegrf.distill.evaluate import estimates, metrics, rmse
from edgegrf.distill.examples import CHUNK, WARMUP, Examples, prepare
from edgegrf.distill.plans import INSOLE4, MATRIX, Plan
from edgegrf.distill.recipes import RECIPES
from edgegrf.distill.settings import Settings
from edgegrf.distill.studio import train_student
from edgegrf.distill.trainer import Outcome, train
from edgegrf.errors import DataError, ModelError
from edgegrf.gait.choice import synthetic_walks
from edgegrf.gait.recording import Recording
from edgegrf.gait.trials import trials
from edgegrf.manifest import Interface
from edgegrf.students import Student, create

QUICK = Settings(epochs=3, batch=2, rate=1e-2)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def recordings() -> list[Recording]:
    return synthetic_walks(INSOLE4, range(1, 8))


def new_student(interface: Interface = INSOLE4, name: str = "dstcn") -> Student:
    torch.manual_seed(1)
    return create(name, interface)


def test_walks_are_split_by_subject_and_cut_into_chunks(recordings: list[Recording]) -> None:
    walks = prepare(recordings, INSOLE4)
    # 7 walkers, two feet, 3 chunks in 30 s; the seventh walker is held out
    assert walks.training.pressure.shape == (6 * 2 * 3, 4, CHUNK)
    assert walks.validation.force.shape == (2 * 3, 1, CHUNK)
    assert walks.training.warmup == WARMUP
    assert walks.facts["subjects_validation"] == 1 and walks.facts["synthetic"] is True
    first = trials(recordings, INSOLE4)[0]
    assert torch.equal(walks.training.pressure[1].T, torch.from_numpy(first.x[CHUNK : 2 * CHUNK]))
    assert walks.sha256 == prepare(recordings, INSOLE4).sha256
    assert walks.sha256 != prepare(recordings[2:], INSOLE4).sha256


def test_a_whole_window_student_gets_the_windows_after_the_warm_up(recordings: list[Recording]) -> None:
    whole = dataclasses.replace(INSOLE4, lookahead=-1)
    walks, chunks = prepare(recordings, whole), prepare(recordings, INSOLE4)
    assert walks.validation.pressure.shape == (2 * 3 * 4, 4, 200)
    assert walks.validation.warmup == 0
    assert torch.equal(walks.validation.force[0], chunks.validation.force[0][:, 200:400])


@pytest.mark.parametrize("epochs", [1, 4, 5, 6])
def test_a_few_steps_are_a_training_too(recordings: list[Recording], epochs: int) -> None:
    walks = prepare(recordings, INSOLE4)
    settings = Settings(epochs=epochs, batch=len(walks.training), rate=1e-3)
    assert len(train(new_student(), walks.training, walks.validation, settings).log) == epochs


def test_training_lowers_the_error_and_keeps_the_best(recordings: list[Recording]) -> None:
    walks, student = prepare(recordings, INSOLE4), new_student()
    before = rmse(student, walks.validation)
    outcome = train(student, walks.training, walks.validation, QUICK)
    best = min(outcome.log, key=lambda epoch: epoch.validation_rmse)
    assert outcome.best == best and outcome.ended == "done" and len(outcome.log) == 3
    assert rmse(student, walks.validation) == best.validation_rmse < 0.5 * before
    assert not student.training


def test_a_gradient_that_is_cut_makes_a_loud_loss_a_quiet_one(recordings: list[Recording]) -> None:
    walks, errors = prepare(recordings, INSOLE4), []
    for clip in (1e-2, 1e-3, 1e3):  # cut in every step, where AdamW does not feel by how much; never
        student = new_student()
        train(student, walks.training, walks.validation, dataclasses.replace(QUICK, epochs=1, clip=clip))
        errors.append(rmse(student, walks.validation))
    assert errors[0] == pytest.approx(errors[1], rel=2e-2) and errors[2] != pytest.approx(errors[0], rel=2e-2)


def test_the_last_epoch_is_kept_where_nobody_shall_choose(recordings: list[Recording]) -> None:
    walks, student = prepare(recordings, INSOLE4), new_student()
    silent = dataclasses.replace(walks.validation, force=torch.zeros_like(walks.validation.force))
    settings = dataclasses.replace(QUICK, keep_last=1, patience=1)
    outcome = train(student, walks.training, silent, settings)  # who learns to walk gets worse at this
    assert outcome.best == outcome.log[-1] and len(outcome.log) == 3
    assert rmse(student, silent) == outcome.log[-1].validation_rmse
    assert min(epoch.validation_rmse for epoch in outcome.log) < outcome.log[-1].validation_rmse


@pytest.mark.parametrize("name", ["gru", "wrn", "matrix"])
def test_every_kind_of_student_learns(name: str) -> None:
    interface = {"wrn": dataclasses.replace(INSOLE4, lookahead=-1), "matrix": MATRIX}.get(name, INSOLE4)
    walks = prepare(synthetic_walks(interface, range(1, 8), seconds=10), interface)
    student = new_student(interface, name)
    outcome = train(student, walks.training, walks.validation, Settings(epochs=4, batch=1, rate=5e-3))
    assert outcome.log[-1].training_rmse < 0.6 * outcome.log[0].training_rmse


@pytest.mark.parametrize("gain_spread", [0.0, 0.2])
def test_a_seed_gives_the_same_weights_and_another_seed_others(
    recordings: list[Recording], gain_spread: float
) -> None:
    walks = prepare(recordings[:4] + recordings[-2:], INSOLE4)
    found = []
    for seed in (1, 1, 2):
        student = new_student()
        settings = dataclasses.replace(QUICK, epochs=1, seed=seed, gain_spread=gain_spread)
        train(student, walks.training, walks.validation, settings)
        found.append(torch.cat([weights.flatten() for weights in student.state_dict().values()]))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_other_gains_move_the_target_by_what_they_move_the_sensors(recordings: list[Recording]) -> None:
    batch = prepare(recordings, INSOLE4).training.batch(torch.arange(5))
    changed = other_gains(batch, 0.3, torch.Generator().manual_seed(1))
    pressure, force = batch.pressure, batch.force
    other, target = changed.pressure, changed.force
    unseen = force - pressure.sum(dim=1, keepdim=True)
    scale = (target - other.sum(dim=1, keepdim=True)).sum(dim=2, keepdim=True) / unseen.sum(
        dim=2, keepdim=True
    )
    assert torch.allclose(target - other.sum(dim=1, keepdim=True), unseen * scale, atol=1e-5)
    assert torch.allclose(target.mean(dim=2), force.mean(dim=2), rtol=1e-4)  # calibrated to the same weight
    loaded = pressure > 0.01
    assert float((other[loaded] / pressure[loaded]).log().std()) == pytest.approx(0.3, abs=0.15)


def test_disturbed_walks_keep_their_force_and_what_the_teacher_makes_of_them(
    recordings: list[Recording],
) -> None:
    batch = prepare(recordings, INSOLE4).training.batch(torch.arange(36))
    batch = dataclasses.replace(batch, taught=batch.force + 0.01)
    changed = disturbed(batch, 0.5, torch.Generator().manual_seed(1))
    moved = (changed.pressure != batch.pressure).flatten(1).any(1).float().mean()
    assert 0.25 < float(moved) < 0.75
    assert changed.force is batch.force and changed.taught is batch.taught
    assert changed.seen is batch.pressure
    again = disturbed(batch, 0.5, torch.Generator().manual_seed(1))
    assert torch.equal(changed.pressure, again.pressure)
    assert disturbed(changed, 1.0, torch.Generator()).seen is batch.pressure


def test_training_stops_when_it_no_longer_helps(recordings: list[Recording]) -> None:
    walks = prepare(recordings, INSOLE4)
    settings = Settings(epochs=50, batch=18, rate=1e-9, patience=1)
    student = new_student()
    student.eval()
    outcome = train(student, walks.training, _fixed_error(walks.validation), settings)
    assert outcome.ended == "early" and len(outcome.log) < 50


def _fixed_error(validation: Examples) -> Examples:
    """So far off that float32 cannot tell one epoch from the next."""
    return dataclasses.replace(validation, force=validation.force + 1e12)


class Bomb:
    """An epoch callback that spoils the student, or stops the training, after the first epoch."""

    def __init__(self, student: Student, *, interrupt: bool = False) -> None:
        self.student, self.interrupt = student, interrupt
        self.good: dict[str, torch.Tensor] = {}

    def __call__(self, outcome: Outcome) -> None:
        self.good = {key: value.clone() for key, value in self.student.state_dict().items()}
        if self.interrupt:
            raise KeyboardInterrupt
        with torch.no_grad():
            next(self.student.parameters()).fill_(math.nan)


@pytest.mark.parametrize(("interrupt", "ended"), [(False, "nan"), (True, "interrupted")])
def test_the_last_good_weights_survive(recordings: list[Recording], interrupt: bool, ended: str) -> None:
    walks, student = prepare(recordings, INSOLE4), new_student()
    bomb = Bomb(student, interrupt=interrupt)
    outcome = train(student, walks.training, walks.validation, QUICK, on_epoch=bomb)
    assert outcome.ended == ended and len(outcome.log) == 1
    assert all(torch.equal(value, bomb.good[key]) for key, value in student.state_dict().items())


def test_a_loss_that_is_never_a_number_is_an_error(recordings: list[Recording]) -> None:
    walks, student = prepare(recordings, INSOLE4), new_student()
    with torch.no_grad():
        next(student.parameters()).fill_(math.nan)
    with pytest.raises(ModelError, match="no longer a number in epoch 1") as caught:
        train(student, walks.training, walks.validation, QUICK)
    assert "--rate" in caught.value.fix


def test_ctrl_c_before_the_first_epoch_leaves_nothing_to_keep(recordings: list[Recording]) -> None:
    walks, student = prepare(recordings, INSOLE4), new_student()

    def stop(stage: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(student, walks.training, walks.validation, QUICK, progress=stop)


def test_metrics_are_those_of_the_definition(recordings: list[Recording]) -> None:
    walks, student = prepare(recordings, INSOLE4), new_student()
    found = metrics(student, walks.validation)
    guess = estimates(student, walks.validation).numpy()[:, 0, WARMUP:]
    truth = walks.validation.force.numpy()[:, 0, WARMUP:]
    unseen = truth - walks.validation.pressure.numpy().sum(axis=1)[:, WARMUP:]
    squares = float(np.square(guess - truth, dtype=np.float64).sum())
    assert found["rmse_bw"] == pytest.approx(math.sqrt(squares / truth.size), rel=1e-5)
    assert found["rmse_bw"] == pytest.approx(rmse(student, walks.validation), rel=1e-5)
    assert found["r"] == pytest.approx(np.corrcoef(guess.ravel(), truth.ravel())[0, 1], rel=1e-4)
    assert found["r2_unseen"] == pytest.approx(1 - squares / (unseen.var() * unseen.size), rel=1e-4)


def test_metrics_name_the_second_output(recordings: list[Recording]) -> None:
    both = dataclasses.replace(INSOLE4, outputs=("vertical_force", "anterior_posterior_force"))
    found = metrics(new_student(both), prepare(recordings, both).validation)
    assert {"rmse_bw", "rmse_bw:anterior_posterior_force"} <= set(found)
    assert "peak1_error_bw" in found and "peak1_error_bw:anterior_posterior_force" not in found


@pytest.mark.parametrize(
    ("walkers", "seconds", "said"), [(1, 30.0, "no validation walk"), (7, 5.0, "no training walk")]
)
def test_walks_that_do_not_suffice_are_refused(walkers: int, seconds: float, said: str) -> None:
    with pytest.raises(DataError, match=said):
        prepare(synthetic_walks(INSOLE4, range(1, walkers + 1), seconds=seconds), INSOLE4)


def test_walks_without_a_reference_are_refused(recordings: list[Recording]) -> None:
    without = [dataclasses.replace(recordings[0], force=None), *recordings[1:]]
    with pytest.raises(DataError, match="has no reference force"):
        prepare(without, INSOLE4)


def test_walks_without_a_single_step_are_learnt_and_judged_by_what_can_be_said(
    recordings: list[Recording], tmp_path: Path
) -> None:
    """Standing still: one phase only, so no stance, no peaks, and patches of one class."""
    still = [
        dataclasses.replace(
            one, pressure=np.full_like(one.pressure, 40.0), force=np.full_like(one.force, 400.0)
        )
        for one in recordings
    ]
    plan = Plan("dstcn", INSOLE4, {"channels": 6}, QUICK, RECIPES["patchswap"]())
    trained = train_student("still", plan, still, tmp_path, data="standing")
    found = trained.manifest.metrics
    assert found["rmse_bw"] > 0 and all(math.isfinite(value) for value in found.values())
    assert "peak1_error_bw" not in found
    assert "| RMSE |" in (tmp_path / "README.md").read_text()
