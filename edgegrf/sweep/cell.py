# SPDX-License-Identifier: Apache-2.0
"""One cell of a sweep: a student is trained, exported to int8, and both are judged on who was held out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from edgegrf.bench.stress import plain_error, stressed_model
from edgegrf.distill.device import one_thread
from edgegrf.distill.plans import Plan
from edgegrf.distill.studio import train_student
from edgegrf.distill.teacher import Teacher, load_teacher
from edgegrf.export import export_model, from_checkpoint
from edgegrf.files import write_file
from edgegrf.gait.choice import Chosen, choose_walks
from edgegrf.gait.split import BY_SEVEN, Split, fold, split_by_subject
from edgegrf.gait.trials import trials
from edgegrf.parity.onnx_int8 import run_tflm
from edgegrf.sweep.plan import Cell, Sweep

__all__ = ["RESULT", "run_cell", "train_teacher"]

RESULT = "result.json"


def run_cell(sweep: Sweep, cell: Cell, folds: int, folder: Path, data: Path | None) -> dict[str, Any]:
    """The result of a cell, from its folder below `folder` where it is there already.

    A training that was cut short goes on.  Meant to run in a process of its own, here or on another machine
    with the same file system.
    """
    place = folder / cell.place
    if (place / RESULT).is_file():
        result: dict[str, Any] = json.loads((place / RESULT).read_text())
        return result
    one_thread()
    plan = sweep.plan(cell)
    chosen = choose_walks(plan.interface, data)
    split = _split(chosen, cell.fold, folds)
    teacher = _teacher(sweep, cell.fold, folder) if plan.recipe.taught else None
    trained = _trained(f"{cell.student}-{cell.recipe}", plan, chosen, place, split, teacher)
    export_model(from_checkpoint(trained), place, run=run_tflm, data=data)
    errors = {}
    for kind, file in (("float", trained), ("int8", place / "student_int8.tflite")):
        model = stressed_model(file, cell.student)
        _, held_out = split_by_subject(trials(chosen.recordings, model.interface), split)
        errors[f"{kind}_rmse_bw"] = plain_error(model, held_out)
    result = {
        "student": cell.student, "recipe": cell.recipe, "seed": cell.seed, "fold": cell.fold, **errors,
        "source": chosen.source, "synthetic": chosen.synthetic, "split": split.line,
    }  # fmt: skip
    write_file(place / RESULT, json.dumps(result, indent=1, sort_keys=True) + "\n")
    return result


def train_teacher(sweep: Sweep, number: int, folds: int, folder: Path, data: Path | None) -> Path:
    """The checkpoint of the fold's teacher, trained if it is not there."""
    place = folder / _teacher_place(number)
    checkpoint = place / "student.pt"
    if not checkpoint.is_file():
        plan = sweep.teacher_plan()
        chosen = choose_walks(plan.interface, data)
        _trained("teacher", plan, chosen, place, _split(chosen, number, folds), None)
    return checkpoint


def _trained(
    name: str, plan: Plan, chosen: Chosen, place: Path, split: Split, teacher: Teacher | None
) -> Path:
    checkpoint = place / "student.pt"
    if not checkpoint.is_file():
        train_student(
            name, plan, chosen.recordings, place, data=chosen.name, split=split, teacher=teacher, threads=1
        )  # fmt: skip
    return checkpoint


def _split(chosen: Chosen, number: int, folds: int) -> Split:
    return BY_SEVEN if number < 0 else fold((one.subject for one in chosen.recordings), number, folds)


def _teacher(sweep: Sweep, number: int, folder: Path) -> Teacher:
    return load_teacher([folder / _teacher_place(number) / "student.pt"])


def _teacher_place(number: int) -> Path:
    return Path("teacher") / (f"fold{number}" if number >= 0 else "split")
