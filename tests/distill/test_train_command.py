# SPDX-License-Identifier: Apache-2.0
"""`edgegrf train` as a person runs it: what it writes, what it says, how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgegrf.cli.train import command
from edgegrf.distill.card import card
from edgegrf.distill.plans import INSOLE4, PLANS, plan_of
from edgegrf.errors import DataError, OutputError, UnknownNameError, UsageError
from edgegrf.manifest import Manifest
from edgegrf.resources import DEFAULT_STUDENT
from edgegrf.students import load

QUICK = ["--epochs", "1", "--batch", "4", "--threads", "1", "--walks", "7"]


@pytest.fixture(autouse=True)
def no_walks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EDGEGRF_DATA", raising=False)
    monkeypatch.setenv("EDGEGRF_CACHE", str(tmp_path / "cache"))


def test_it_writes_a_checkpoint_with_its_manifest_log_and_card(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, [*QUICK, "-o", str(tmp_path / "mine")], catch_exceptions=False)
    assert done.exit_code == 0
    assert "SYNTHETIC" in done.stderr and "epoch   1: RMSE" in done.stderr
    assert "synthetic walks" in done.stdout and "rmse_bw" in done.stdout
    checkpoint = tmp_path / "mine" / "student.pt"
    manifest = Manifest.read(checkpoint)
    assert load(checkpoint).interface == INSOLE4
    assert manifest.model["training"]["synthetic"] is True
    assert (checkpoint.with_name("README.md")).read_text() == card(manifest)
    log = checkpoint.with_name("training.csv").read_text().splitlines()
    assert (
        log[0] == "epoch,training_rmse_bw,validation_rmse_bw,learning_rate,loss,arithmetic" and len(log) == 2
    )
    assert float(log[1].split(",")[2]) == pytest.approx(manifest.metrics["rmse_bw"], rel=1e-4)


def test_json_is_the_manifest_and_the_same_command_gives_the_same_weights(tmp_path: Path) -> None:
    said = []
    for folder in ("a", "b"):
        arguments = [*QUICK, "--json", "--architecture", "dstcn", "--hyper", "channels=6"]
        done = CliRunner().invoke(command, [*arguments, "-o", str(tmp_path / folder)], catch_exceptions=False)
        assert done.exit_code == 0
        said.append(json.loads(done.stdout))
    assert said[0]["sha256"] == said[1]["sha256"]
    assert said[0]["name"] == "dstcn" and said[0]["model"]["hyper"]["channels"] == 6
    assert said[0]["ended"] == "done" and said[0]["checkpoint"] == str(tmp_path / "a" / "student.pt")


def test_ctrl_c_keeps_the_best_so_far_and_says_that_it_is_partial(tmp_path: Path) -> None:
    folder = tmp_path / "cut"
    code = "from edgegrf.cli import main; main()"
    arguments = ["train", "--epochs", "500", "--threads", "1", "--walks", "7", "-o", str(folder)]
    running = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    log = folder / "training.csv"
    give_up = time.monotonic() + 60
    while not log.is_file() or len(log.read_text().splitlines()) < 3:
        assert running.poll() is None and time.monotonic() < give_up
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert "partial" in said
    manifest = Manifest.read(folder / "student.pt")
    assert manifest.model["training"]["ended"] == "interrupted"
    assert "**Partial: training was interrupted.**" in (folder / "README.md").read_text()
    assert load(folder / "student.pt").parameters_count == 1569


def test_plans_start_from_the_shipped_ones() -> None:
    name, plan = plan_of(None, None, {}, {})
    assert (name, plan) == (DEFAULT_STUDENT, PLANS[DEFAULT_STUDENT])
    name, plan = plan_of("mine", "gru", {"hidden": 8}, {"epochs": 2, "seed": 7})
    assert (name, plan.hyper, plan.settings.epochs, plan.settings.seed) == ("mine", {"hidden": 8}, 2, 7)
    assert plan_of(None, "nets:Own", {}, {})[1].interface == INSOLE4


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (["--student", "insole4-gru"], UnknownNameError, "did you mean 'insole4-gru32'"),
        (["--architecture", "dctcn"], UnknownNameError, "did you mean 'dstcn'"),
        (["--hyper", "channels"], UsageError, "not KEY=VALUE"),
        (["--hyper", "wings=2"], UsageError, "wings"),
        (["--data", "/no/such/walks"], DataError, "does not exist"),
        (["-o", "/proc/none"], OutputError, "cannot write"),
    ],
)
def test_what_cannot_be_done_is_said_before_training(
    tmp_path: Path, arguments: list[str], error: type[Exception], said: str
) -> None:
    base = [*QUICK, "-o", str(tmp_path / "x")]
    done = CliRunner().invoke(command, [*base, *arguments])
    assert isinstance(done.exception, error)
    assert said in " ".join(done.exception.lines())  # type: ignore[attr-defined]
    assert not (tmp_path / "x" / "student.pt").exists()
