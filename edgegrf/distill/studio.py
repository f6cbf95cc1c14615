# SPDX-License-Identifier: Apache-2.0
"""From walks to a trained student's folder: checkpoint, manifest, log and card."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from edgegrf.distill.card import write_card
from edgegrf.distill.evaluate import metrics
from edgegrf.distill.examples import Walks, prepare
from edgegrf.distill.plans import Plan
from edgegrf.distill.trainer import Epoch, Outcome, train
from edgegrf.files import write_file
from edgegrf.gait.recording import Recording
from edgegrf.manifest import Manifest
from edgegrf.progress import Progress, silent
from edgegrf.students.build import create
from edgegrf.students.checkpoint import save

__all__ = ["Trained", "train_student"]


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
    command: str = "",
    threads: int | None = None,
    progress: Progress = silent,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Trained:
    """Train the plan's student and write student.pt, its manifest, training.csv and README.md to `folder`.

    `data` names the walks on the card.  Raises DataError when the walks do not fit the plan's interface,
    OutputError before training when the folder cannot be written.
    """
    if threads:
        torch.set_num_threads(threads)
    log, checkpoint = folder / "training.csv", folder / "student.pt"
    write_file(log, _csv([]))
    walks = prepare(recordings, plan.interface)
    torch.manual_seed(plan.settings.seed)
    student = create(plan.architecture, plan.interface, **plan.hyper)

    def keep(outcome: Outcome) -> None:
        write_file(log, _csv(outcome.log))
        on_epoch(outcome.log[-1])

    outcome = train(
        student, walks.training, walks.validation, plan.settings, progress=progress, on_epoch=keep
    )
    manifest = save(
        student, checkpoint, name=name, metrics=metrics(student, walks.validation),
        sources={"walks": walks.sha256}, training=_facts(plan, walks, outcome, data), command=command,
    )  # fmt: skip
    write_card(checkpoint)
    return Trained(checkpoint, manifest, outcome)


def _facts(plan: Plan, walks: Walks, outcome: Outcome, data: str) -> dict[str, object]:
    best = outcome.best
    return {
        "data": data,
        "recipe": "none: mean squared error to the reference",
        **walks.facts,
        **dataclasses.asdict(plan.settings),
        "epochs_run": len(outcome.log),
        "best_epoch": best.epoch if best else 0,
        "ended": outcome.ended,
        "threads": torch.get_num_threads(),
    }


def _csv(log: Sequence[Epoch]) -> str:
    lines = ["epoch,training_rmse_bw,validation_rmse_bw,learning_rate"]
    lines += [
        f"{line.epoch},{line.training_rmse:.9g},{line.validation_rmse:.9g},{line.rate:.9g}" for line in log
    ]
    return "\n".join(lines) + "\n"
