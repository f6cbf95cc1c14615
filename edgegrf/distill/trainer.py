# SPDX-License-Identifier: Apache-2.0
"""The plain trainer: mean squared error, AdamW, one cycle; the best weights by validation are kept."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from edgegrf.distill.evaluate import counted, rmse
from edgegrf.distill.examples import Examples
from edgegrf.distill.noise import step_noise
from edgegrf.distill.settings import Settings
from edgegrf.errors import ModelError
from edgegrf.progress import Progress, silent
from edgegrf.students.student import Student

__all__ = ["Epoch", "Outcome", "train"]

_CLIP = 1.0


@dataclass(frozen=True)
class Epoch:
    """One line of the log; both RMSE in the output unit."""

    epoch: int
    training_rmse: float
    validation_rmse: float
    rate: float


@dataclass
class Outcome:
    """How training went; `ended`: "done", "early" (no better for a while), "nan", "interrupted"."""

    ended: str = "done"
    best: Epoch | None = None
    log: list[Epoch] = field(default_factory=list)


def train(
    student: Student,
    training: Examples,
    validation: Examples,
    settings: Settings,
    *,
    progress: Progress = silent,
    on_epoch: Callable[[Outcome], None] = lambda outcome: None,
) -> Outcome:
    """Train in place and leave the student with its best weights, in evaluation mode.

    The same seed, torch version and thread count give the same weights.  A loss that is not finite ends
    training with the last good weights; raises ModelError if there are none yet.  Ctrl-C does likewise and
    is raised again if there are none.
    """
    run = _Run(student, training, validation, settings, progress)
    try:
        for epoch in range(1, settings.epochs + 1):
            with step_noise(student, settings.step_noise):
                finite = run.epoch(epoch)
            if finite:
                on_epoch(run.outcome)
            if run.outcome.ended != "done":
                break
    except KeyboardInterrupt:
        if run.outcome.best is None:
            raise
        run.outcome.ended = "interrupted"
    student.load_state_dict(run.kept)
    student.eval()
    return run.outcome


class _Run:
    """The state of one training: optimiser, schedule, shuffling, the best weights so far."""

    def __init__(
        self,
        student: Student,
        training: Examples,
        validation: Examples,
        settings: Settings,
        progress: Progress,
    ) -> None:
        self.student, self.training, self.validation = student, training, validation
        self.settings, self.progress = settings, progress
        self.outcome = Outcome()
        self.kept = copy.deepcopy(student.state_dict())
        self.steps = math.ceil(len(training) / settings.batch)
        self.random = torch.Generator().manual_seed(settings.seed)
        self.optimizer = torch.optim.AdamW(
            student.parameters(), lr=settings.rate, weight_decay=settings.weight_decay
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, settings.rate, total_steps=settings.epochs * self.steps, pct_start=0.2
        )

    def epoch(self, number: int) -> bool:
        """One pass over the training examples, then validation; updates `outcome` and `kept`.

        False when the loss ceased to be finite, which ends the training.
        """
        self.student.train()
        order = torch.randperm(len(self.training), generator=self.random)
        total, rate = 0.0, self.optimizer.param_groups[0]["lr"]
        for step, chosen in enumerate(torch.split(order, self.settings.batch)):
            loss = self._step(chosen)
            if not math.isfinite(loss):
                return self._not_finite(number)
            total += loss * len(chosen)
            self.progress("train", (number - 1) * self.steps + step + 1, self.settings.epochs * self.steps)
        reached = rmse(self.student, self.validation)
        if not math.isfinite(reached):
            return self._not_finite(number)
        self._judge(Epoch(number, math.sqrt(total / len(order)), reached, rate))
        return True

    def _step(self, chosen: Tensor) -> float:
        pressure, force = self.training.pressure[chosen], self.training.force[chosen]
        if self.settings.gain_spread:
            pressure, force = self._other_gains(pressure, force)
        guess = counted(self.student(pressure), self.training)
        loss = (guess - counted(force, self.training)[..., -guess.shape[2] :]).square().mean()
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.student.parameters(), _CLIP)
        self.optimizer.step()
        self.schedule.step()
        return float(loss.detach())

    def _other_gains(self, pressure: Tensor, force: Tensor) -> tuple[Tensor, Tensor]:
        spread = torch.randn((*pressure.shape[:2], 1), generator=self.random) * self.settings.gain_spread
        other = pressure * spread.exp()
        return other, force + (other - pressure).sum(dim=1, keepdim=True)

    def _judge(self, epoch: Epoch) -> None:
        self.outcome.log.append(epoch)
        best = self.outcome.best
        if best is None or epoch.validation_rmse < best.validation_rmse:
            self.outcome.best = epoch
            self.kept = copy.deepcopy(self.student.state_dict())
        elif self.settings.patience and epoch.epoch - best.epoch >= self.settings.patience:
            self.outcome.ended = "early"

    def _not_finite(self, number: int) -> bool:
        if self.outcome.best is None:
            raise ModelError(
                f"the loss is no longer a number in epoch {number}, before any good weights",
                why="the learning rate is too high, or the walks hold absurd values",
                fix="train with a lower --rate",
            )
        self.outcome.ended = "nan"
        return False
