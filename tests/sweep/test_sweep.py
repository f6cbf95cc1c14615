# SPDX-License-Identifier: Apache-2.0
"""A sweep: what is combined, what a cell leaves, how it resumes, and what its table says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgegrf.cli.sweep import command
from edgegrf.errors import DataError, DeviceError, MissingToolError, UnknownNameError, UsageError
from edgegrf.gait.split import fold, split_by_subject
from edgegrf.manifest import Manifest
from edgegrf.sweep.file import read_sweep
from edgegrf.sweep.plan import Sweep
from edgegrf.sweep.run import run_sweep
from edgegrf.sweep.summary import summary

TEXT = """
students = ["insole4-dstcn16"]
recipes = ["none", "kd"]
seeds = [1]
folds = 2
settings = { epochs = 1, batch = 64 }
recipe.kd = { share = 0.5 }
[teacher]
architecture = "tcn"
hyper = { channels = 6, dilations = [1, 3] }
epochs = 1
"""


@pytest.fixture(autouse=True)
def no_walks(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.delenv("EDGEGRF_DATA", raising=False)


def written(folder: Path, text: str) -> Path:
    path = folder / "sweep.toml"
    path.write_text(text)
    return path


def test_the_command_trains_exports_judges_and_resumes(tmp_path: Path) -> None:
    pytest.importorskip("unicorn")
    out, page = tmp_path / "out", tmp_path / "page.html"
    arguments = [str(written(tmp_path, TEXT)), "-o", str(out), "--json", "--report", str(page)]
    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    record = json.loads(done.stdout)
    assert [(cell["variant"], cell["fold"]) for cell in record["cells"]] == [
        ("none", 0), ("none", 1), ("kd", 0), ("kd", 1),
    ]  # fmt: skip
    assert all(0 < cell["int8_rmse_bw"] < 3 * cell["float_rmse_bw"] for cell in record["cells"])
    place = out / "insole4-dstcn16" / "kd" / "seed1-fold1"
    manifest = Manifest.read(place / "student.pt")
    assert manifest.model["training"]["split"] == "by subject: fold 2 of 2"
    assert manifest.model["training"]["kd.share"] == 0.5
    assert (out / "teacher" / "fold1" / "student.pt").is_file()
    assert "Error against cost" in page.read_text() and "<svg" in page.read_text()
    none, kd = record["summary"]
    assert none["runs"] == 2 and none["cycles"] > 1000 and none["int8"]["against_none"] is None
    apart = kd["int8"]["mean_bw"] - none["int8"]["mean_bw"]
    assert kd["int8"]["against_none"]["mean_bw"] == pytest.approx(apart)
    assert kd["int8"]["over_subjects"]["subjects"] == 28 and len(record["teachers"]) == 2
    # a cell that is there is not run again; one that is not, is
    (place / "result.json").unlink()
    stamp = (out / "insole4-dstcn16" / "none" / "seed1-fold0" / "student.pt").stat().st_mtime_ns
    again = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert json.loads(again.stdout)["cells"] == record["cells"]
    assert (out / "insole4-dstcn16" / "none" / "seed1-fold0" / "student.pt").stat().st_mtime_ns == stamp


def test_the_front_and_the_interval_are_those_of_the_definition() -> None:
    def cell(student: str, recipe: str, seed: int, error: float) -> dict[str, object]:
        return {
            "student": student,
            "variant": recipe,
            "recipe": recipe,
            "seed": seed,
            "fold": -1,
            "parameters": 1,
            "subjects": {"S01": {"samples": 1, "float_rmse_bw": error, "int8_rmse_bw": error}},
            "float_rmse_bw": error,
            "int8_rmse_bw": error,
        }

    one = {"per": "sample", "flash_bytes": 1, "ram_bytes": 1}
    costs = {
        name: {**one, "cycles": cycles, "cycles_per_sample": cycles}
        for name, cycles in (("small", 10), ("large", 99))
    }
    errors = {("small", "none"): (5.0, 7.0), ("small", "kd"): (4.0, 6.0), ("large", "none"): (5.5, 5.5)}
    cells = [cell(*key, seed, error) for key, both in errors.items() for seed, error in enumerate(both)]
    small, kd, large = summary({"cells": cells, "costs": costs})
    assert (small["front"], kd["front"], large["front"]) == (False, True, False)
    assert kd["int8"]["against_none"] == {"mean_bw": -1.0, "half_interval_bw": 0.0}
    assert small["int8"]["against_none"] is None and large["int8"]["against_none"] is None
    assert kd["int8"]["spread_bw"] == pytest.approx(2**0.5)
    assert kd["int8"]["half_interval_bw"] == pytest.approx(12.706 * 2**0.5 / 2**0.5)
    assert large["int8"]["spread_bw"] == 0


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"students": []}, UsageError, "names no students"),
        ({"colour": 1}, UsageError, "unknown key 'colour'"),
        ({"folds": 1}, UsageError, "folds = 1"),
        ({"recipes": ["kdd"]}, UnknownNameError, "unknown recipe 'kdd'"),
        ({"students": ["mine"]}, UnknownNameError, "unknown student 'mine'"),
        ({"recipe": {"kd": {"shares": 1}}}, UnknownNameError, "unknown hyper-parameter 'shares'"),
    ],
)
def test_a_bad_sweep_is_refused_before_anything_is_trained(
    tmp_path: Path, change: dict[str, object], error: type[Exception], said: str
) -> None:
    told = {"students": ["insole4-dstcn16"], "recipes": ["none"], **change}
    text = "\n".join(f"{key} = {_toml(value)}" for key, value in told.items())
    if "recipe" in change:
        text = text.replace('recipes = ["none"]', 'recipes = ["kd"]')
    with pytest.raises(error, match=said):
        read_sweep(written(tmp_path, text))


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + " }"
    return json.dumps(value)


def test_a_recipe_with_a_teacher_wants_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the sweep describes none"):
        read_sweep(written(tmp_path, 'students = ["insole4-dstcn16"]\nrecipes = ["kd"]'))


def test_folds_hold_out_everyone_once() -> None:
    class Item:
        def __init__(self, subject: str) -> None:
            self.subject = subject

    items = [Item(f"S{number:02d}") for number in range(11) for _ in range(2)]
    held_out = [split_by_subject(items, fold((i.subject for i in items), k, 4))[1] for k in range(4)]
    assert sorted(item.subject for part in held_out for item in part) == sorted(
        item.subject for item in items
    )
    with pytest.raises(DataError, match="fold 1 of 12 with 11 subjects"):
        fold((item.subject for item in items), 0, 12)


def test_no_cluster_is_said(tmp_path: Path) -> None:
    sweep = Sweep(students=("insole4-dstcn16",), settings={"epochs": 1})
    with pytest.raises((MissingToolError, DeviceError)):
        run_sweep(sweep, tmp_path, dask="tcp://127.0.0.1:1")
