# SPDX-License-Identifier: Apache-2.0
"""The last epochs with the rounding in place: a student's checkpoint gains its trained int8 model."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from edgegrf.distill.card import write_card
from edgegrf.distill.evaluate import rmse
from edgegrf.distill.examples import Examples, prepare
from edgegrf.distill.objective import Objective
from edgegrf.distill.settings import Settings
from edgegrf.distill.trainer import Epoch, Outcome, train
from edgegrf.export.accuracy import Runner
from edgegrf.export.windows import Piece
from edgegrf.gait.recording import Recording
from edgegrf.manifest import Manifest
from edgegrf.progress import Progress, silent
from edgegrf.qat.student import quantised_student
from edgegrf.students import load, save

__all__ = ["Tuned", "fine_tune"]

_PIECES = 48  # training chunks that ranges and roundings start from
_STEP_PIECES = 8


@dataclass(frozen=True)
class Tuned:
    """The checkpoint's new manifest, how training went, and RMSE in the output unit on validation walks."""

    manifest: Manifest
    outcome: Outcome
    float_rmse: float
    before: float  # of the int8 model as the export alone makes it
    after: float  # and as it was trained; kept only if that is less


def fine_tune(
    checkpoint: Path,
    recordings: Sequence[Recording],
    *,
    epochs: int,
    run: Runner,
    into: Path | None = None,
    settings: Settings,
    command: str = "",
    progress: Progress = silent,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Tuned:
    """Train the student of `checkpoint` for `epochs` as its int8 model and write it `into` a file.

    The float weights stay as they are; what was learnt stands beside them if it is better than what the
    export makes by itself, else nothing.  Rate, batch and augmentation are those of `settings`.
    """
    student, manifest = load(checkpoint), Manifest.read(checkpoint)
    chosen = dataclasses.replace(
        settings, epochs=epochs, weight_decay=0.0, patience=0, step_noise=0.0, spheres=0.0
    )
    walks = prepare(recordings, student.interface)
    torch.manual_seed(chosen.seed)
    samples = walks.training.pressure.shape[1 if student.interface.frame else 2]
    quantised = quantised_student(
        student, _pieces(walks.training, student.interface.window, student.recurrent), run,
        samples=samples, progress=progress,
    )  # fmt: skip
    before = rmse(quantised, walks.validation)
    outcome = train(
        quantised, walks.training, walks.validation, chosen, objective=Objective(quantised),
        progress=progress, on_epoch=lambda told: on_epoch(told.log[-1]),
    )  # fmt: skip
    after = rmse(quantised, walks.validation)
    better = after < before
    target = into or checkpoint
    exact = rmse(student, walks.validation)
    facts = {"qat_epochs": len(outcome.log), "qat_rmse_bw": after} if better else {}
    written = save(
        student, target, name=manifest.name, metrics={**manifest.metrics, **facts},
        sources=manifest.sources, training=manifest.model.get("training"), command=command,
        learnt=quantised.learnt() if better else None,
    )  # fmt: skip
    write_card(target)
    return Tuned(written, outcome, exact, before, after)


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
