# SPDX-License-Identifier: Apache-2.0
"""One cell of a sweep: a student is trained, exported to int8, and both are judged on who was held out."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgegrf.bench.stress import errors_by_subject, stressed_model
from edgegrf.distill.device import one_thread
from edgegrf.distill.plans import Plan
from edgegrf.distill.studio import is_trained, training_fingerprint
from edgegrf.distill.teacher import Teacher, load_teacher
from edgegrf.export import export_model, from_checkpoint
from edgegrf.export.windows import walks_of
from edgegrf.files import write_file
from edgegrf.gait.choice import Chosen, choose_walks
from edgegrf.gait.split import Split, fold, split_by_subject, standing
from edgegrf.gait.trials import trials
from edgegrf.manifest import Interface, Manifest
from edgegrf.parity.onnx_int8 import run_tflm
from edgegrf.qat import train_for_int8
from edgegrf.resources import MODEL_FILE
from edgegrf.sweep.plan import Cell, Sweep, TeacherOf

__all__ = ["RESULT", "Given", "run_cell", "train_teacher"]

RESULT = "result.json"


@dataclass(frozen=True)
class Given:
    """What every cell of a run shares: the folder, the walks and their column map, the number of folds."""

    folder: Path
    data: Path | None = None
    columns: Path | None = None
    folds: int = 0

    def chosen(self, interface: Interface) -> Chosen:
        """The walks that fit."""
        return choose_walks(interface, self.data, columns=self.columns)

    def split(self, chosen: Chosen, number: int) -> Split:
        """Who is held out in fold `number`; -1: the standing split."""
        subjects = [one.subject for one in chosen.recordings]
        return standing(subjects) if number < 0 else fold(subjects, number, self.folds)


def run_cell(sweep: Sweep, cell: Cell, given: Given) -> dict[str, Any]:
    """The result of a cell, from its folder where one of the same training is there already.

    A training that was cut short goes on.  Meant to run in a process of its own, here or on another machine
    with the same file system.
    """
    one_thread()
    place, plan = given.folder / cell.place, sweep.plan(cell)
    chosen = given.chosen(plan.interface)
    split = given.split(chosen, cell.fold)
    teachers = [given.folder / one.checkpoint for one in sweep.teachers(cell)]
    teacher = load_teacher(teachers) if teachers else None
    fingerprint = training_fingerprint(plan, chosen.recordings, split, teacher)
    if known := _known(place, fingerprint):
        return known
    trained = _trained(f"{cell.student}-{cell.variant}", plan, chosen, place, split, teacher)
    export_model(from_checkpoint(trained), place, run=run_tflm, walks=walks_of(chosen, split))
    subjects = _errors({"float": trained, "int8": place / MODEL_FILE}, chosen, split)
    result = {
        "student": cell.student, "variant": cell.variant, "recipe": sweep.variant(cell).recipe,
        "seed": cell.seed, "fold": cell.fold, **_pooled(subjects.values()), "subjects": subjects,
        "parameters": Manifest.read(trained).model["parameters"], "epochs": plan.settings.epochs,
        "source": chosen.source, "synthetic": chosen.synthetic, "split": split.line,
        "fingerprint": fingerprint,
    }  # fmt: skip
    write_file(place / RESULT, json.dumps(result, indent=1, sort_keys=True) + "\n")
    return result


def train_teacher(teacher: TeacherOf, given: Given) -> dict[str, Any]:
    """What the teacher is, trained if it has a plan and is not there."""
    one_thread()
    checkpoint = given.folder / teacher.checkpoint
    if plan := teacher.plan:
        chosen = given.chosen(plan.interface)
        split = given.split(chosen, teacher.fold)
        _trained("teacher", plan, chosen, checkpoint.parent, split, None)
    manifest = Manifest.read(checkpoint)
    assert manifest.interface is not None
    return {
        "architecture": manifest.model["architecture"], "hyper": manifest.model["hyper"],
        "parameters": manifest.model["parameters"], "sensors": list(manifest.interface.sensors),
        "lookahead": manifest.interface.lookahead, "fold": teacher.fold,
        "float_rmse_bw": manifest.metrics["rmse_bw"],
    }  # fmt: skip


def _known(place: Path, fingerprint: str) -> dict[str, Any] | None:
    try:
        result: dict[str, Any] = json.loads((place / RESULT).read_text())
    except (OSError, ValueError):
        return None
    return result if result.get("fingerprint") == fingerprint else None


def _trained(
    name: str, plan: Plan, chosen: Chosen, place: Path, split: Split, teacher: Teacher | None
) -> Path:
    """The checkpoint, trained unless one of the same training is there."""
    checkpoint = place / "student.pt"
    if not is_trained(checkpoint, plan, chosen.recordings, split, teacher):
        trained = train_for_int8(
            name, plan, chosen.recordings, place, data=chosen.name, run=run_tflm, split=split,
            teacher=teacher, threads=1,
        )  # fmt: skip
        if trained.outcome.ended == "interrupted":  # the next run goes on; half a training is no result
            raise KeyboardInterrupt
    return checkpoint


def _errors(files: Mapping[str, Path], chosen: Chosen, split: Split) -> dict[str, dict[str, Any]]:
    """For each held-out subject its counted samples and the RMSE in BW of each of the models."""
    found: dict[str, dict[str, Any]] = {}
    for kind, file in files.items():
        model = stressed_model(file, kind)
        _, held_out = split_by_subject(trials(chosen.recordings, model.interface), split)
        for subject, (squares, count) in errors_by_subject(model, held_out).items():
            row = found.setdefault(subject, {"samples": count})
            row[f"{kind}_rmse_bw"] = math.sqrt(squares / count)
    return found


def _pooled(subjects: Any) -> dict[str, float]:
    rows = list(subjects)
    count = sum(row["samples"] for row in rows)
    return {
        key: math.sqrt(sum(row[key] ** 2 * row["samples"] for row in rows) / count)
        for key in ("float_rmse_bw", "int8_rmse_bw")
    }
