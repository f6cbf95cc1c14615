# SPDX-License-Identifier: Apache-2.0
"""A user's own CSV, with own headings, sensors and wearers, in the three commands of docs/distillation.md."""

from __future__ import annotations

import re
import shlex
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from edgegrf.errors import DataError
from edgegrf.gait.walker import walk
from edgegrf.manifest import Manifest

COLUMNS = """
unit = "N"
sample_rate_hz = 100
time = "time_s"
force_unit = "N"
force_source = "instrumented treadmill"
[left]
sensors = { heel = "L heel", arch = "L arch", toe = "L toe" }
force = { vertical_force = "L Fz" }
[right]
sensors = { heel = "R heel", arch = "R arch", toe = "R toe" }
force = { vertical_force = "R Fz" }
"""
WEARERS = ("anna", "ben", "cleo", "dan")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clean folder with walks/ in it, where one stands; nothing cached, no other walks at hand."""
    monkeypatch.delenv("EDGEGRF_DATA", raising=False)
    monkeypatch.setenv("EDGEGRF_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "walks").mkdir()
    (tmp_path / "walks" / "columns.toml").write_text(COLUMNS)
    heads = ["time_s", *(f"{side} {what}" for side in "LR" for what in ("heel", "arch", "toe", "Fz"))]
    for seed, wearer in enumerate(WEARERS):
        feet = walk(seed, duration_s=24)
        parts = [np.column_stack([foot.pressure[:, [0, 3, 7]], foot.force[:, :1]]) for foot in feet]
        rows = np.column_stack([np.arange(len(parts[0])) / 100, *parts])
        path = tmp_path / "walks" / f"{wearer}_morning.csv"
        np.savetxt(path, rows, delimiter=",", header=",".join(heads), comments="", fmt="%.3f")
    return tmp_path


def run(command: str) -> tuple[str, str]:
    name, *arguments = shlex.split(command)
    entry = import_module(f"edgegrf.cli.{name}").command
    done = CliRunner().invoke(entry, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout, done.stderr


def test_three_commands_lead_from_a_csv_to_a_board(folder: Path) -> None:
    pytest.importorskip("unicorn")
    quick = "--teacher-epochs 1 --epochs 2 --batch 4"
    _, said = run(f"distill --data walks --sensors heel,arch,toe {quick} -o mine")
    assert "teacher dstcn, epoch   1" in said
    facts = Manifest.read(Path("mine/student.pt")).model["training"]
    assert facts["split"] == "by subject: validation dan" and facts["learnt_from"] == ["anna", "ben", "cleo"]
    assert facts["teachers"] == 1 and not facts["synthetic"]
    for expected in ("export", "bench"):  # each command says the next
        following = re.search(r"^next: edgegrf (.*)$", said, re.MULTILINE)[1]
        assert following.startswith(expected) and "--data walks" in following
        out, said = run(following)
    assert "(virtual)" in out and "instrumented treadmill" in out
    assert "1 walk," in out.splitlines()[0]  # dan's: the others taught it
    assert re.search(r"different +│ 0", out)


def test_a_teacher_that_is_there_is_not_trained_again(folder: Path) -> None:
    command = "distill --data walks --sensors heel,arch,toe --teacher-epochs 1 --epochs 1 -o mine --recipe {}"
    run(command.format("kd"))
    stamp = Path("mine/teacher-dstcn/student.pt").stat().st_mtime_ns
    _, said = run(command.format("mixkd"))
    assert "is there" in said and Path("mine/teacher-dstcn/student.pt").stat().st_mtime_ns == stamp
    run(command.format("kd").replace("--teacher-epochs 1", "--teacher-epochs 2"))
    assert Path("mine/teacher-dstcn/student.pt").stat().st_mtime_ns != stamp


def test_sensors_of_another_insole_are_named(folder: Path) -> None:
    with pytest.raises(DataError) as error:
        run("distill --data walks")
    assert "--sensors heel,arch,toe" in error.value.fix
