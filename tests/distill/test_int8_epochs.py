# SPDX-License-Identifier: Apache-2.0
"""The last epochs as the int8 model: taught by the same teacher, on disk like the float epochs, exported."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from edgegrf.cli.distill import command
from edgegrf.distill.batch import Batch
from edgegrf.distill.examples import Walks, prepare
from edgegrf.distill.objective import Objective
from edgegrf.distill.plans import INSOLE4, Plan
from edgegrf.distill.recipes import RECIPES
from edgegrf.distill.recipes.recipe import Recipe, Told
from edgegrf.distill.settings import Settings
from edgegrf.distill.teacher import load_teacher
from edgegrf.distill.trainer import Epoch, train
from edgegrf.distill.watch import Watch
from edgegrf.errors import UsageError
from edgegrf.export import export_model, from_checkpoint
from edgegrf.gait.choice import synthetic_walks
from edgegrf.gait.recording import Recording
from edgegrf.manifest import Manifest
from edgegrf.parity.onnx_int8 import run_tflm
from edgegrf.qat import Tuned, fine_tune, train_for_int8
from edgegrf.students import create, save
from edgegrf.students.checkpoint import learnt_in
from edgegrf.sweep.cell import Given, run_cell
from edgegrf.sweep.plan import Cell, Sweep

SMALL = Plan("dstcn", INSOLE4, {"channels": 6, "dilations": [1, 2]}, Settings(epochs=2, batch=8, qat=2))


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def no_walks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EDGEGRF_DATA", raising=False)
    monkeypatch.setenv("EDGEGRF_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def recordings() -> list[Recording]:
    return synthetic_walks(INSOLE4, range(1, 8))


@pytest.fixture(scope="module")
def walks(recordings: list[Recording]) -> Walks:
    return prepare(recordings, INSOLE4)


def small() -> torch.nn.Module:
    torch.manual_seed(1)
    return create("dstcn", INSOLE4, **SMALL.hyper)


def lines(folder: Path) -> list[list[str]]:
    return [line.split(",") for line in (folder / "training.csv").read_text().splitlines()[1:]]


def test_a_teacher_teaches_the_int8_model_and_the_export_takes_it(tmp_path: Path) -> None:
    torch.manual_seed(7)
    save(create("tcn", INSOLE4, channels=6, dilations=[1, 3]), tmp_path / "teacher.pt", name="teacher")
    folder = tmp_path / "mine"
    arguments = [
        "--recipe", "takd", "--teacher", tmp_path / "teacher.pt", "--architecture", "dstcn",
        "--hyper", "channels=6", "--epochs", 1, "--qat", 2, "--batch", 8, "--rate", 0.1, "--threads", 1,
        "--walks", 7, "-o", folder,
    ]  # fmt: skip
    done = CliRunner().invoke(command, [*map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0
    assert "takd compares features in the float epochs; in the 2 int8 epochs" in done.stderr
    assert "int8 epoch   3: RMSE" in done.stderr and "int8 rmse_bw trained" in done.stdout
    assert [(line[0], line[-1]) for line in lines(folder)] == [("1", "float"), ("2", "int8"), ("3", "int8")]
    metrics = Manifest.read(folder / "student.pt").metrics
    assert metrics["qat_rmse_bw"] < metrics["ptq_rmse_bw"] and metrics["qat_epochs"] == 2
    assert metrics["qat_rmse_bw"] == pytest.approx(min(float(line[2]) for line in lines(folder)[1:]))
    told = (folder / "README.md").read_text()
    assert f"| int8, trained | {metrics['qat_rmse_bw']:.4g} | BW |" in told and "recipe `takd`" in told
    assert not list(folder.glob("*.state"))
    exported = export_model(from_checkpoint(folder / "student.pt"), folder, run=run_tflm)
    assert exported.calibration == "learnt"


def test_a_student_that_is_there_goes_on_with_its_own_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "student.pt"
    save(small(), source, name="mine", training={"batch": 5, "gain_spread": 0.25, "data": "x", "epochs": 9})
    seen = {}

    def noted(checkpoint: Path, plan: Plan, recordings: object, **told: object) -> Tuned:
        seen.update(checkpoint=checkpoint, plan=plan, **told)
        raise UsageError("seen")

    monkeypatch.setattr("edgegrf.qat.fine_tune", noted)
    arguments = [
        "--recipe",
        "patchswap",
        "--from",
        str(source),
        "--qat",
        "3",
        "--rate",
        "0.5",
        "--walks",
        "7",
    ]
    with pytest.raises(UsageError, match="seen"):
        CliRunner().invoke(command, arguments, catch_exceptions=False)
    settings = seen["plan"].settings
    assert (settings.batch, settings.gain_spread, settings.qat, settings.rate) == (5, 0.25, 3, 0.5)
    assert seen["plan"].recipe.name == "patchswap" and seen["checkpoint"] == source
    for more, said in (([], "--from needs --qat"), (["--qat", "1", "--epochs", "3"], "trained already")):
        with pytest.raises(UsageError, match=said):
            CliRunner().invoke(
                command, ["--recipe", "none", "--from", str(source), *more], catch_exceptions=False
            )


class KilledError(Exception):
    """In place of a signal."""


def test_killed_anywhere_it_ends_like_one_that_was_not(tmp_path: Path, recordings: list[Recording]) -> None:
    torch.manual_seed(7)
    save(create("tcn", INSOLE4, channels=6, dilations=[1, 3]), tmp_path / "teacher.pt", name="teacher")
    plan = dataclasses.replace(SMALL, recipe=RECIPES["kd"]())

    def learn(folder: Path, last: int) -> list[int]:
        resumed: list[int] = []

        def stop(epoch: Epoch) -> None:
            if epoch.epoch == last:
                raise KilledError

        teacher = load_teacher([tmp_path / "teacher.pt"])
        train_for_int8(
            "small", plan, recordings, folder, data="x", run=run_tflm, teacher=teacher, threads=1,
            watch=Watch(on_resume=resumed.append, on_epoch=stop),
        )  # fmt: skip
        return resumed

    assert learn(tmp_path / "whole", last=0) == []
    for last in (2, 3):
        with pytest.raises(KilledError):
            learn(tmp_path / "killed", last)
    assert learn(tmp_path / "killed", last=0) == [2, 3]
    for name in ("student.pt", "training.csv", "student.pt.json"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert not list((tmp_path / "killed").glob("*.state"))


@dataclasses.dataclass(frozen=True)
class Spoilt(Recipe):
    """Never a number."""

    name = "spoilt"
    taught = False

    def loss(self, told: Told) -> torch.Tensor:
        return told.estimate.mean() * math.nan


def test_a_loss_that_is_never_a_number_leaves_the_export_its_own_model(
    tmp_path: Path, recordings: list[Recording]
) -> None:
    path = tmp_path / "student.pt"
    save(small(), path, name="small")
    before = path.read_bytes()
    tuned = fine_tune(path, dataclasses.replace(SMALL, recipe=Spoilt()), recordings, run=run_tflm)
    assert tuned.outcome.ended == "nan" and tuned.after == tuned.before
    assert learnt_in(path) == {} and path.read_bytes() == before
    assert "not better: not kept" in (tmp_path / "README.md").read_text()


def test_epochs_that_are_no_better_stop_early_and_nothing_is_lost(walks: Walks) -> None:
    student = small()
    good = {key: value.clone() for key, value in student.state_dict().items()}
    settings = Settings(epochs=5, batch=18, rate=1e-3, patience=2)
    outcome = train(student, walks.training, walks.validation, settings, before=0.0)
    assert outcome.ended == "early" and len(outcome.log) == 2 and outcome.best is None
    assert all(torch.equal(value, good[key]) for key, value in student.state_dict().items())


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_has_terms_of_the_estimates_alone(walks: Walks, name: str) -> None:
    batch: Batch = walks.training.batch(torch.arange(4))
    batch = dataclasses.replace(batch, taught=batch.force + 0.1)
    objective = Objective(small(), RECIPES[name](), features=False)
    loss, square = objective(batch, torch.Generator().manual_seed(1))
    assert math.isfinite(float(loss.detach())) and float(square) > 0 and loss.requires_grad


def test_a_sweep_has_int8_epochs_by_a_key(tmp_path: Path) -> None:
    sweep = Sweep(students=("insole4-dstcn16",), settings={"epochs": 1, "batch": 64, "rate": 0.1, "qat": 1})
    result = run_cell(sweep, Cell("insole4-dstcn16", "none", 1, -1), Given(tmp_path))
    place = tmp_path / "insole4-dstcn16" / "none" / "seed1"
    metrics = Manifest.read(place / "student.pt").metrics
    assert metrics["qat_rmse_bw"] < metrics["ptq_rmse_bw"]
    assert result["int8_rmse_bw"] == pytest.approx(metrics["qat_rmse_bw"], rel=0.1)
    assert json.loads((place / "result.json").read_text()) == result
