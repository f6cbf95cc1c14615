# SPDX-License-Identifier: Apache-2.0
"""From walks to a trained student's folder: checkpoint, manifest, log and card."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from edgegrf.distill.card import write_card
from edgegrf.distill.evaluate import metrics
from edgegrf.distill.examples import Examples, Walks, prepare, walks_sha256
from edgegrf.distill.images import image_features
from edgegrf.distill.log import TrainingLog
from edgegrf.distill.objective import Objective
from edgegrf.distill.plans import Plan
from edgegrf.distill.settings import Settings
from edgegrf.distill.state import TrainingState
from edgegrf.distill.teacher import Teacher
from edgegrf.distill.trainer import Outcome, train
from edgegrf.distill.watch import UNWATCHED, Watch
from edgegrf.errors import ModelError
from edgegrf.files import check_writable
from edgegrf.gait.disturbances import DISTURBANCES
from edgegrf.gait.recording import Recording
from edgegrf.gait.split import Split, standing
from edgegrf.gait.trials import trials
from edgegrf.manifest import Manifest
from edgegrf.progress import Progress, silent
from edgegrf.students.build import create
from edgegrf.students.checkpoint import save
from edgegrf.students.student import Student

__all__ = [
    "STATE",
    "Trained",
    "is_trained",
    "lessons",
    "train_on_disk",
    "train_student",
    "training_fingerprint",
]

#: the state of a training in its folder, until all of its epochs are done
STATE = "training.state"


@dataclass(frozen=True)
class Trained:
    """What training left: the checkpoint in its folder, its manifest, and how training ended."""

    checkpoint: Path
    manifest: Manifest
    outcome: Outcome


def train_student(
    name: str,
    plan: Plan,
    recordings: Sequence[Recording],
    folder: Path,
    *,
    data: str,
    teacher: Teacher | None = None,
    split: Split | None = None,
    command: str = "",
    threads: int | None = None,
    device: str = "cpu",
    tensorboard: Path | None = None,
    goes_on: bool = False,
    watch: Watch = UNWATCHED,
) -> Trained:
    """Train the plan's student and write student.pt, its manifest, training.csv and README.md to `folder`.

    `data` names the walks on the card.  A training that was killed goes on where it was, in the same folder,
    and the `watch` hears how many epochs are there; where something `goes_on` behind the last epoch, its
    state stays too.  Raises DataError when the walks do not fit the plan's interface, ModelError when the
    teacher does not, OutputError before training when the folder cannot be written, and later when the disk
    is full.
    """
    if threads:
        torch.set_num_threads(threads)
    split = split or standing(one.subject for one in recordings)
    checkpoint = folder / "student.pt"
    torch.manual_seed(plan.settings.seed)
    student = create(plan.architecture, plan.interface, **plan.hyper)
    network = teacher.networks[0] if teacher else None
    objective = Objective(student, plan.recipe, network, spheres=plan.settings.spheres)
    walks = prepare(recordings, plan.interface, split)
    fingerprint = _fingerprint(plan, walks.sha256, split, teacher)
    state = TrainingState(folder / STATE, fingerprint)
    log = TrainingLog(folder, tensorboard=tensorboard)
    check_writable(folder)
    training = lessons(walks, recordings, plan, teacher, split, watch.progress)
    sources = {"walks": walks.sha256, "training": fingerprint}
    sources |= {"teacher": teacher.sha256} if teacher else {}
    with state.kept():
        outcome = train_on_disk(
            student, training, walks.validation, plan.settings, state, log, objective=objective,
            device=device, watch=watch,
        )  # fmt: skip
        manifest = save(
            student, checkpoint, name=name, metrics=metrics(student, walks.validation), sources=sources,
            training=_facts(plan, walks, outcome, data, teacher), command=command,
        )  # fmt: skip
        write_card(checkpoint)
    if outcome.ended in ("done", "early") and not goes_on:
        state.drop()
    return Trained(checkpoint, manifest, outcome)


def lessons(
    walks: Walks,
    recordings: Sequence[Recording],
    plan: Plan,
    teacher: Teacher | None,
    split: Split,
    progress: Progress = silent,
    *,
    features: bool = True,
) -> Examples:
    """The training examples, with what the teachers of the plan's recipe make of them; estimates at least."""
    training = walks.training
    if teacher:
        taught, seen = teacher.taught(recordings, plan.interface, split, progress)
        training = dataclasses.replace(training, taught=taught, seen=seen)
    if plan.recipe.images and features:
        training = dataclasses.replace(training, images=tuple(image_features(training, progress)))
    return training


def train_on_disk(
    student: Student,
    training: Examples,
    validation: Examples,
    settings: Settings,
    state: TrainingState,
    log: TrainingLog,
    *,
    objective: Objective,
    before: float = math.inf,
    device: str = "cpu",
    watch: Watch = UNWATCHED,
) -> Outcome:
    """`train` whose every epoch goes to `state` and to `log`; the watch hears the log's numbers."""

    def begin(outcome: Outcome) -> None:
        if outcome.log:
            watch.on_resume(log.placed(outcome.log[-1]).epoch)
        else:
            log.write([])

    def keep(outcome: Outcome) -> None:
        log.add(outcome.log)
        watch.on_epoch(log.placed(outcome.log[-1]))

    with log:
        outcome = train(
            student, training, validation, settings, objective=objective, state=state, before=before,
            device=device, progress=watch.progress, on_begin=begin, on_epoch=keep,
        )  # fmt: skip
        log.write(outcome.log)
    return outcome


def is_trained(
    checkpoint: Path,
    plan: Plan,
    recordings: Sequence[Recording],
    split: Split | None = None,
    teacher: Teacher | None = None,
) -> bool:
    """Whether the checkpoint is what a training of these would leave, int8 epochs and all."""
    try:
        manifest = Manifest.read(checkpoint) if checkpoint.is_file() else None
    except ModelError:  # a kill came between checkpoint and manifest
        return False
    if manifest is None or manifest.model.get("training", {}).get("ended") == "interrupted":
        return False
    if (checkpoint.parent / STATE).is_file():  # its int8 epochs are still to come
        return False
    return manifest.sources.get("training") == training_fingerprint(plan, recordings, split, teacher)


def training_fingerprint(
    plan: Plan,
    recordings: Sequence[Recording],
    split: Split | None = None,
    teacher: Teacher | None = None,
) -> str:
    """What a training depends on, as one hash; its checkpoint's manifest has it among the sources."""
    split = split or standing(one.subject for one in recordings)
    return _fingerprint(plan, walks_sha256(trials(recordings, plan.interface)), split, teacher)


def _facts(
    plan: Plan, walks: Walks, outcome: Outcome, data: str, teacher: Teacher | None
) -> dict[str, object]:
    best = outcome.best
    recipe = plan.recipe
    return {
        "data": data,
        "recipe": f"{recipe.name}: {recipe.line}",
        **({"recipe_source": f"{recipe.source}; grade {recipe.grade}"} if recipe.taught else {}),
        **{f"{recipe.name}.{key}": value for key, value in dataclasses.asdict(recipe).items()},
        **({"teachers": len(teacher.networks)} if teacher else {}),
        **walks.facts,
        **dataclasses.asdict(plan.settings),
        "epochs_run": len(outcome.log),
        "best_epoch": best.epoch if best else 0,
        "ended": outcome.ended,
        "threads": torch.get_num_threads(),
    }


def _fingerprint(plan: Plan, walks: str, split: Split, teacher: Teacher | None) -> str:
    told: list[object] = [plan, walks, split.line, teacher.sha256 if teacher else "", torch.__version__]
    if plan.settings.disturbed:
        told += [(name, one.often, one.strengths) for name, one in DISTURBANCES.items()]
    return hashlib.sha256(repr(told).encode()).hexdigest()
