# SPDX-License-Identifier: Apache-2.0
"""The pages of the committed trainings: made from their JSON alone, and saying what it says."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

from benchmarks import crossvalidation, distillation, sweeps, taught
from edgegrf.distill.plans import PLANS, TEACHERS, plan_of
from edgegrf.distill.recipes import RECIPES
from edgegrf.errors import UsageError
from edgegrf.manifest import Manifest
from edgegrf.report.ink import as_file
from edgegrf.resources import shipped_file
from edgegrf.sweep.file import read_sweep
from edgegrf.sweep.plots import differences
from edgegrf.sweep.summary import summary

HERE = Path(sweeps.__file__).parent


def cell(variant: str, seed: int, error: float, **more: object) -> dict:
    subjects = {
        f"S{n:02d}": {"samples": 10, "float_rmse_bw": error, "int8_rmse_bw": error + n / 1000}
        for n in (7, 14)
    }
    return {
        "student": "insole4-dstcn16", "variant": variant, "recipe": variant, "seed": seed, "fold": -1,
        "parameters": 1569, "epochs": 1, "float_rmse_bw": error, "int8_rmse_bw": error + 0.001,
        "subjects": subjects, "source": "some walks", "synthetic": False, "split": "by subject", **more,
    }  # fmt: skip


def record(cells: list[dict], folds: int = 0) -> dict:
    cost = {
        "cycles": 10,
        "per": "sample",
        "cycles_per_sample": 10,
        "clock_hz": 64,
        "flash_bytes": 1,
        "ram_bytes": 1,
    }
    told = {
        "cells": cells, "teachers": [], "ensembles": [], "costs": {"insole4-dstcn16": cost}, "folds": folds,
        "board": "b",
    }  # fmt: skip
    return told | {"summary": summary(told)}


def test_the_benchmark_holds_every_recipe_on_one_student_with_three_seeds() -> None:
    sweep = read_sweep(HERE / "distillation.toml")
    cells = sweep.cells(0)
    assert {sweep.variant(one).recipe for one in cells} == set(RECIPES)
    assert len({one.student for one in cells}) == 1 and len(sweep.seeds) >= 3
    plans = [sweep.plan(one) for one in cells]
    assert len({(one.settings.epochs, one.settings.batch, one.settings.gain_spread) for one in plans}) == 1
    assert sum(one.settings.spheres > 0 for one in plans) == 2 * len(sweep.seeds)
    wide = next(one for one in cells if one.variant == "tsak")
    assert len(sweep.teachers(wide)[0].plan.interface.sensors) > len(sweep.plan(wide).interface.sensors)


def test_students_alone_and_taught_differ_in_the_loss_alone() -> None:
    sweep = read_sweep(HERE / "taught.toml")
    for student in sweep.students:
        cells = [one for one in sweep.cells(0) if one.student == student]
        plans = {(one.variant, one.seed): sweep.plan(one) for one in cells}
        for seed in sweep.seeds:
            alone, kd = plans["none", seed], plans["kd", seed]
            assert dataclasses.replace(kd, recipe=alone.recipe) == alone and kd.recipe.taught
            assert alone == dataclasses.replace(PLANS[student], settings=alone.settings)
            assert alone.settings == dataclasses.replace(PLANS[student].settings, seed=seed)


@pytest.mark.parametrize("name", ["taught", "distillation"])
def test_they_are_taught_by_the_teachers_of_the_shipped_ones(name: str) -> None:
    sweep = read_sweep(HERE / f"{name}.toml")
    cell = next(one for one in sweep.cells(0) if one.variant == "kd")
    makefile = (HERE.parent / "models" / "train.mk").read_text()
    ensemble = re.search(r"^ENSEMBLE := (.*)$", makefile, re.MULTILINE)[1].split()
    plans = []
    for told in ensemble:
        network, _, seed = told.rpartition("-")
        plans.append(plan_of(network, None, {}, {"seed": int(seed)})[1])
    assert [one.plan for one in sweep.teachers(cell)] == plans and plans[0] == TEACHERS["dstcn"]


def test_everyone_is_held_out_once_in_the_cross_validation() -> None:
    sweep = read_sweep(HERE / "crossvalidation.toml")
    assert sweep.folds == 5 and len(sweep.seeds) == 1
    for student in sweep.students:
        assert len({one.variant for one in sweep.cells(5) if one.student == student}) == 1


def test_a_recipe_that_does_not_help_is_said_not_to() -> None:
    seeds = [cell("none", seed, 0.05 + seed / 1000) for seed in (1, 2, 3)]
    seeds += [cell("kd", seed, 0.04 + seed / 1000) for seed in (1, 2, 3)]
    seeds += [cell("amd", seed, 0.05 + (seed % 2) / 500) for seed in (1, 2, 3)]
    seeds += [cell("mixkd", seed, 0.06 + seed / 1000) for seed in (1, 2, 3)]
    told = record(seeds)
    lines = {
        line.split(" | ")[0].strip("| "): line for line in distillation._recipes(told["summary"]).splitlines()
    }
    assert "better" in lines["kd"] and "-10.00 ± 0.00" in lines["kd"]
    assert "no difference seen" in lines["amd"] and "worse" in lines["mixkd"]
    assert list(lines)[2] == "kd"  # the best first
    picture = as_file(differences(told))
    assert picture.count("<svg") == 1 and "prefers-color-scheme: dark" in picture and 'xmlns="' in picture
    line = taught._students(told).splitlines()[3]
    assert line.startswith("| insole4-dstcn16 | 1 569 | 1 | kd | 0.04200 ± 0.00100 | 0.04300 ± 0.00100 |")
    assert line.endswith("| 0.0420, 0.0430, 0.0440 | -10.00 ± 0.00 | better |")
    assert "0.05100 → 0.05200" in distillation._seeds(told["cells"])


def test_an_outcome_is_a_cell_a_line_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = record([cell("none", 1, 1 / 30, fingerprint="f" * 64)])
    told.pop("summary")
    text = "\n".join(sweeps._lines(told))
    back = json.loads(text)
    assert back["cells"][0]["float_rmse_bw"] == 0.03333333 and "fingerprint" not in text
    assert sum('"student"' in line for line in text.splitlines()) == 1
    monkeypatch.setattr(sweeps, "_HERE", tmp_path)
    (tmp_path / "some.json").write_text(text)
    assert sweeps.outcome("some")["summary"][0]["runs"] == 1
    with pytest.raises(UsageError, match=r"no other\.json"):
        sweeps.outcome("other")


def test_the_cards_tell_the_cross_validation(tmp_path: Path) -> None:
    from edgegrf.distill.card import add_cross_validation

    told = record([cell("none", 1, 0.05, fold=0), cell("none", 1, 0.06, fold=1)], folds=2)
    text = crossvalidation._students(told)
    row = next(line for line in text.splitlines() if line.startswith("| insole4-dstcn16"))
    assert "0.0510, 0.0610" in row and "insole4-gru32" in text.splitlines()[-1]
    source = shipped_file("insole4-dstcn16", "student.pt")
    for file in (source, source.with_name("student.pt.json")):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    page = add_cross_validation(tmp_path / "student.pt", crossvalidation._figures(told, told["summary"][0]))
    assert "## Cross-validation" in page.read_text() and "2 folds by subject" in page.read_text()
    assert Manifest.read(tmp_path / "student.pt").model["cross_validation"]["folds"] == 2


@pytest.mark.parametrize("name", ["distillation", "taught", "crossvalidation"])
def test_what_is_committed_is_what_the_plan_asks_for(name: str) -> None:
    sweep = read_sweep(HERE / f"{name}.toml")
    told = sweeps.outcome(name)
    asked = {(one.student, one.variant, one.seed, one.fold) for one in sweep.cells(int(sweep.folds))}
    assert {(one["student"], one["variant"], one["seed"], one["fold"]) for one in told["cells"]} == asked
    cells = {(c.student, c.variant, c.seed, c.fold): c for c in sweep.cells(int(sweep.folds))}
    for one in told["cells"]:
        plan = sweep.plan(cells[one["student"], one["variant"], one["seed"], one["fold"]])
        assert plan.settings.epochs == one["epochs"] and not one["synthetic"]
    assert set(sweep.students) <= set(PLANS) | set(sweep.student)
    for together in told.get("ensembles", []):
        members = told["teachers"][together["first"] - 1 : together["last"]]
        assert len(members) > 1 and together["float_rmse_bw"] < max(one["float_rmse_bw"] for one in members)
        assert f"{together['first']} to {together['last']} together" in dict(sweeps.teachers(told))
