# SPDX-License-Identifier: Apache-2.0
"""`edgegrf distill` as a person runs it."""

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

from edgegrf.cli.distill import command
from edgegrf.cli.train import command as train
from edgegrf.errors import ModelError, UsageError
from edgegrf.manifest import Manifest

QUICK = ["--batch", "4", "--threads", "1", "--walks", "7"]


@pytest.fixture(autouse=True)
def no_walks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EDGEGRF_DATA", raising=False)
    monkeypatch.setenv("EDGEGRF_CACHE", str(tmp_path / "cache"))


def run(kind, *arguments: object) -> dict[str, object]:  # type: ignore[no-untyped-def]
    done = CliRunner().invoke(kind, [*map(str, arguments), "--json"], catch_exceptions=False)
    assert done.exit_code == 0
    said: dict[str, object] = json.loads(done.stdout)
    return said


def test_a_teacher_then_a_student(tmp_path: Path) -> None:
    run(train, *QUICK, "--epochs", 1, "--architecture", "tcn", "--lookahead", 30, "-o", tmp_path / "teacher")
    checkpoint = tmp_path / "teacher" / "student.pt"
    config = tmp_path / "takd.toml"
    shown = CliRunner().invoke(command, ["--recipe", "takd", "--show-config"], catch_exceptions=False)
    config.write_text(shown.stdout.replace("temporal = 0.001", "temporal = 0.5"))
    run(
        command, *QUICK, "--epochs", 1, "--recipe", "takd", "--teacher", checkpoint, "--config", config,
        "-o", tmp_path / "mine",
    )  # fmt: skip
    manifest = Manifest.read(tmp_path / "mine" / "student.pt")
    assert manifest.model["training"]["takd.temporal"] == 0.5
    assert manifest.model["training"]["teachers"] == 1 and "teacher" in manifest.sources
    assert "| recipe | takd: " in (tmp_path / "mine" / "README.md").read_text()
    assert not (tmp_path / "mine" / "training.state").exists()


def test_a_network_of_whole_windows_is_trained(tmp_path: Path) -> None:
    run(
        train,
        *QUICK,
        "--epochs",
        1,
        "--architecture",
        "wrn",
        "--hyper",
        "depth=10",
        "--lookahead",
        -1,
        "-o",
        tmp_path,
    )
    assert Manifest.read(tmp_path / "student.pt").interface.lookahead == -1


def test_recipes_are_listed_with_their_sources() -> None:
    done = CliRunner().invoke(command, ["--list"], catch_exceptions=False)
    assert done.exit_code == 0
    assert all(name in done.stdout for name in ("sckd", "takd", "2506.10265", "patchswap"))


def test_a_teacher_that_does_not_fit_its_recipe_or_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'tcm' is no teacher"):
        CliRunner().invoke(command, ["--teacher", "tcm"], catch_exceptions=False)
    with pytest.raises(UsageError, match="patchswap has no teacher"):
        CliRunner().invoke(
            command, ["--recipe", "patchswap", "--teacher", str(tmp_path / "x.pt")], catch_exceptions=False
        )
    with pytest.raises(ModelError, match="cannot read"):
        CliRunner().invoke(command, ["--teacher", str(tmp_path / "x.pt")], catch_exceptions=False)


def test_a_bad_configuration_is_named(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text("[recipes]\nshare = 1\n")
    with pytest.raises(UsageError, match="'recipes' is no table"):
        CliRunner().invoke(command, ["--config", str(bad)], catch_exceptions=False)
    with pytest.raises(UsageError, match="no cuda here"):
        CliRunner().invoke(
            command, ["--recipe", "patchswap", "--device", "cuda", *QUICK], catch_exceptions=False
        )


def test_a_killed_run_goes_on_and_ends_like_one_that_was_not(tmp_path: Path) -> None:
    arguments = [*QUICK, "--recipe", "patchswap", "--epochs", "4", "--hyper", "channels=6"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    program = [
        sys.executable,
        "-c",
        "from edgegrf.cli import main; main()",
        "distill",
        *arguments,
        "-o",
        str(tmp_path / "killed"),
    ]
    process = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    log = tmp_path / "killed" / "training.csv"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not (log.is_file() and len(log.read_text().splitlines()) > 1):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed" / "student.pt").exists()
    again = subprocess.run(program, capture_output=True, text=True, env=environment, check=True)
    assert "going on behind epoch" in again.stderr
    whole = run(command, *arguments, "-o", tmp_path / "whole")
    assert Manifest.read(tmp_path / "killed" / "student.pt").sha256 == whole["sha256"]


def test_a_teacher_by_name_learns_in_batches_as_small_and_is_judged(tmp_path: Path) -> None:
    arguments = ["--batch", "8", "--threads", "1", "--walks", "9", "--epochs", "1", "--teacher-epochs", "1"]
    arguments += ["--teacher", "dstcn", "--teacher", "wrn16-1", "-o", str(tmp_path / "mine")]
    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    said = done.stderr.splitlines()
    assert any(line.startswith("taught by the mean of 2 networks: RMSE 0.") for line in said)
    assert any(line.startswith("teacher dstcn: few walks: ") for line in said)
    for name, batch in (("dstcn", 8), ("wrn16-1", 32)):
        manifest = Manifest.read(tmp_path / "mine" / f"teacher-{name}" / "student.pt")
        assert manifest.model["training"]["batch"] == batch
