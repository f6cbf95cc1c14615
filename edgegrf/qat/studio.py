# SPDX-License-Identifier: Apache-2.0
"""The last epochs with the rounding in place: a student's checkpoint gains its trained int8 model."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from edgegrf.distill.card import write_card
from edgegrf.distill.evaluate import rmse
from edgegrf.distill.examples import Examples, prepare
from edgegrf.distill.log import TrainingLog
from edgegrf.distill.objective import Objective
from edgegrf.distill.plans import Plan
from edgegrf.distill.settings import Settings
from edgegrf.distill.state import TrainingState
from edgegrf.distill.studio import STATE, Trained, lessons, train_on_disk, train_student
from edgegrf.distill.teacher import Teacher
from edgegrf.distill.watch import UNWATCHED, Watch
from edgegrf.export.accuracy import Runner
from edgegrf.export.windows import Piece
from edgegrf.gait.recording import Recording
from edgegrf.gait.split import Split, standing
from edgegrf.manifest import Manifest
from edgegrf.progress import Progress
from edgegrf.qat.student import QuantisedStudent, quantised_student
from edgegrf.students import Student, load, save

__all__ = ["Tuned", "fine_tune", "train_for_int8"]

#: of the rate of the float epochs: codes and ranges are near where they belong
_GENTLE = 0.04

_PIECES = 48  # training chunks that ranges and roundings start from
_STEP_PIECES = 8


@dataclass(frozen=True)
class Tuned(Trained):
    """A checkpoint whose last epochs were int8's; RMSE in the output unit on the validation walks.

    The outcome is that of the int8 epochs.
    """

    float_rmse: float
    before: float  # of the int8 model as the export alone makes it
    after: float  # and as it was trained; kept only if that is less


def train_for_int8(
    name: str,
    plan: Plan,
    recordings: Sequence[Recording],
    folder: Path,
    *,
    data: str,
    run: Runner,
    teacher: Teacher | None = None,
    split: Split | None = None,
    command: str = "",
    threads: int | None = None,
    device: str = "cpu",
    tensorboard: Path | None = None,
    watch: Watch = UNWATCHED,
) -> Trained:
    """`train_student`, and then the plan's `qat` epochs by `fine_tune`, if it has any: a Tuned.

    What was killed in either goes on where it was.  Float epochs that did not end well are returned as they
    are.
    """
    trained = train_student(
        name, plan, recordings, folder, data=data, teacher=teacher, split=split, command=command,
        threads=threads, device=device, tensorboard=tensorboard, goes_on=plan.settings.qat > 0,
        watch=watch,
    )  # fmt: skip
    if not plan.settings.qat or trained.outcome.ended not in ("done", "early"):
        return trained
    tuned = fine_tune(
        trained.checkpoint, plan, recordings, run=run, teacher=teacher, split=split, command=command,
        tensorboard=tensorboard, watch=watch,
    )  # fmt: skip
    if tuned.outcome.ended in ("done", "early"):
        (folder / STATE).unlink(missing_ok=True)
    return tuned


def fine_tune(
    checkpoint: Path,
    plan: Plan,
    recordings: Sequence[Recording],
    *,
    run: Runner,
    into: Path | None = None,
    teacher: Teacher | None = None,
    split: Split | None = None,
    command: str = "",
    threads: int | None = None,
    tensorboard: Path | None = None,
    watch: Watch = UNWATCHED,
) -> Tuned:
    """Train the student of `checkpoint` for the plan's `qat` epochs as its int8 model, `into` a file.

    The float weights stay as they are; what was learnt stands beside them if it is better than what the
    export makes by itself, else nothing.  The recipe is the plan's with its teacher's estimates; features
    are not compared: folding and equalisation have scaled each channel, so that they are no longer those
    that the recipe brought near the teacher's.  Batch, augmentation and patience are the plan's settings',
    the rate a small part of theirs.  On the CPU; one that was killed goes on where it was.
    """
    if threads:
        torch.set_num_threads(threads)
    student, manifest = load(checkpoint), Manifest.read(checkpoint)
    target = into or checkpoint
    settings = dataclasses.replace(
        plan.settings, epochs=plan.settings.qat, rate=_GENTLE * plan.settings.rate, weight_decay=0.0,
        step_noise=0.0, spheres=0.0,
    )  # fmt: skip
    split = split or standing(one.subject for one in recordings)
    walks = prepare(recordings, student.interface, split)
    quantised = _quantised(student, walks.training, run, watch.progress)
    torch.manual_seed(settings.seed)
    exact, before = rmse(student, walks.validation), rmse(quantised, walks.validation)
    state = TrainingState(
        target.with_name("training_int8.state"),
        _fingerprint(student, settings, plan, walks.sha256 + split.line, teacher),
    )
    training = lessons(walks, recordings, plan, teacher, split, watch.progress, features=False)
    with state.kept():
        outcome = train_on_disk(
            quantised, training, walks.validation, settings, state,
            TrainingLog(target.parent, "int8", tensorboard),
            objective=Objective(quantised, plan.recipe, features=False), before=before,
            watch=watch,
        )  # fmt: skip
        after = outcome.best.validation_rmse if outcome.best else before
        learnt = manifest.model.get("training")
        facts = {"float_rmse_bw": exact, "ptq_rmse_bw": before, "qat_epochs": len(outcome.log)}
        written = save(
            student, target, name=manifest.name, command=command,
            metrics={**manifest.metrics, **facts, **({"qat_rmse_bw": after} if after < before else {})},
            sources={**manifest.sources, **({"teacher": teacher.sha256} if teacher else {})},
            training={**learnt, "qat_recipe": plan.recipe.name} if learnt else None,
            learnt=quantised.learnt() if after < before else None,
        )  # fmt: skip
        write_card(target)
    if outcome.ended in ("done", "early"):
        state.drop()
    return Tuned(target, written, outcome, exact, before, after)


def _quantised(student: Student, training: Examples, run: Runner, progress: Progress) -> QuantisedStudent:
    """The student as the export would make it by itself, for examples as long as the training's."""
    interface = student.interface
    samples = training.pressure.shape[1 if interface.frame else 2]
    pieces = _pieces(training, interface.window, student.recurrent)
    return quantised_student(student, pieces, run, samples=samples, progress=progress)


def _pieces(examples: Examples, window: int, recurrent: bool) -> list[Piece]:
    """Windows (of a step model whole chunks) of the training walks, evenly chosen."""
    count = _STEP_PIECES if recurrent else _PIECES
    series = examples.pressure.flatten(2) if examples.pressure.ndim == 4 else examples.pressure.mT
    every = max(1, len(series) // count)
    length = series.shape[1] if recurrent else min(window, series.shape[1])
    pieces = []
    for n in range(0, len(series), every):
        x = series[n, -length:].numpy()
        y = examples.force[n].mT[-length:].numpy()
        pieces.append(Piece(x, y, float(examples.body_weight_n[n]), 0, length))
    return pieces


def _fingerprint(
    student: Student, settings: Settings, plan: Plan, walks: str, teacher: Teacher | None
) -> str:
    """Which int8 epochs these are: from which weights, how, on which walks, taught by whom."""
    told = [settings, plan.recipe, walks, teacher.sha256 if teacher else "", torch.__version__]
    digest = hashlib.sha256(repr(told).encode())
    for weights in student.state_dict().values():
        digest.update(weights.numpy().tobytes())
    return digest.hexdigest()
