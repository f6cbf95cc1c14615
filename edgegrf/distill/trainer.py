# SPDX-License-Identifier: Apache-2.0
"""The trainer: AdamW, one cycle; the best weights by validation are kept, and every epoch is on disk."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from edgegrf.distill.augment import disturbed, other_gains
from edgegrf.distill.evaluate import rmse
from edgegrf.distill.examples import Examples
from edgegrf.distill.noise import step_noise
from edgegrf.distill.objective import Objective
from edgegrf.distill.settings import Settings
from edgegrf.distill.state import TrainingState
from edgegrf.errors import ModelError
from edgegrf.progress import Progress, silent
from edgegrf.students.student import Student

__all__ = ["Epoch", "Outcome", "train"]


@dataclass(frozen=True)
class Epoch:
    """One line of the log; both RMSE in the output unit; the loss is the recipe's.

    `arithmetic` is the student's: "float" or "int8".
    """

    epoch: int
    training_rmse: float
    validation_rmse: float
    rate: float
    loss: float
    arithmetic: str = "float"


@dataclass
class Outcome:
    """How training went; `ended`: "done", "early" (no better for a while), "nan", "interrupted".

    `best` is None where no epoch was better than what the student was before.
    """

    ended: str = "done"
    best: Epoch | None = None
    log: list[Epoch] = field(default_factory=list)


def train(
    student: Student,
    training: Examples,
    validation: Examples,
    settings: Settings,
    *,
    objective: Objective | None = None,
    state: TrainingState | None = None,
    before: float = math.inf,
    device: str = "cpu",
    progress: Progress = silent,
    on_begin: Callable[[Outcome], None] = lambda outcome: None,
    on_epoch: Callable[[Outcome], None] = lambda outcome: None,
) -> Outcome:
    """Train in place and leave the student with its best weights, on the CPU, in evaluation mode.

    Without an objective: mean squared error.  With a `state` that holds epochs of this training, it goes on
    behind them; `on_begin` hears which.  The same seed, torch version and thread count give the same weights
    on a CPU, also after a kill.  A loss that is not finite ends training with the last good weights; raises
    ModelError if there are none yet.  Ctrl-C does likewise and is raised again if there are none.

    `before` is the validation RMSE of a student that is good already: its weights are kept until an epoch is
    better.
    """
    objective = objective or Objective(student, spheres=settings.spheres)
    run = _Run(student, training, validation, settings, objective, before, device, progress)
    if state and (written := state.read()):
        run.restore(written)
    on_begin(run.outcome)
    try:
        for epoch in range(len(run.outcome.log) + 1, settings.epochs + 1):
            if run.outcome.ended != "done":
                break
            with step_noise(student, settings.step_noise):
                finite = run.epoch(epoch)
            if finite:
                if state:
                    state.write(run.content())
                on_epoch(run.outcome)
    except KeyboardInterrupt:
        if not run.good:
            raise
        run.outcome.ended = "interrupted"
    student.to("cpu").load_state_dict(run.kept)
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
        objective: Objective,
        before: float,
        device: str,
        progress: Progress,
    ) -> None:
        self.student, self.training, self.validation = student.to(device), training, validation
        self.settings, self.objective, self.device, self.progress = settings, objective, device, progress
        objective.to(device)
        self.outcome, self.before = Outcome(), before
        self.kept = _copied(student)
        self.steps = math.ceil(len(training) / settings.batch)
        self.random = torch.Generator().manual_seed(settings.seed)
        learning = [*student.parameters(), *objective.adapters.parameters()]
        self.optimizer = torch.optim.AdamW(
            learning, settings.rate, betas=(0.9, settings.beta2), weight_decay=settings.weight_decay
        )
        steps = settings.epochs * self.steps
        rise = 0.3 if steps == 5 else 0.2  # OneCycleLR divides by rise * steps - 1
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, settings.rate, total_steps=steps, pct_start=rise
        )

    def epoch(self, number: int) -> bool:
        """One pass over the training examples, then validation; updates `outcome` and `kept`.

        False when the loss ceased to be finite, which ends the training.
        """
        self.student.train()
        order = torch.randperm(len(self.training), generator=self.random)
        losses = squares = 0.0
        rate = self.optimizer.param_groups[0]["lr"]
        for step, chosen in enumerate(torch.split(order, self.settings.batch)):
            loss, square = self._step(chosen)
            if not math.isfinite(loss):
                return self._not_finite(number)
            losses += loss * len(chosen)
            squares += square * len(chosen)
            self.progress("train", (number - 1) * self.steps + step + 1, self.settings.epochs * self.steps)
        reached = rmse(self.student, self.validation)
        if not math.isfinite(reached):
            return self._not_finite(number)
        count = len(order)
        self._judge(Epoch(number, math.sqrt(squares / count), reached, rate, losses / count))
        return True

    def _step(self, chosen: Tensor) -> tuple[float, float]:
        batch = self.training.batch(chosen, self.device)
        if self.settings.gain_spread:
            batch = other_gains(batch, self.settings.gain_spread, self.random)
        if self.settings.disturbed:
            batch = disturbed(batch, self.settings.disturbed, self.random)
        loss, square = self.objective(batch, self.random)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.student.parameters(), self.settings.clip)
        self.optimizer.step()
        self.schedule.step()
        return float(loss.detach()), float(square)

    def content(self) -> dict[str, Any]:
        """All that the next epoch depends on, as plain values and tensors."""
        return {
            "student": self.student.state_dict(),
            "adapters": self.objective.adapters.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "random": self.random.get_state(),
            "torch_random": torch.get_rng_state(),
            "kept": self.kept,
            "log": [asdict(epoch) for epoch in self.outcome.log],
        }

    def restore(self, content: dict[str, Any]) -> None:
        """Go back to where `content` was taken."""
        self.student.load_state_dict(content["student"])
        self.objective.adapters.load_state_dict(content["adapters"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.schedule.load_state_dict(content["schedule"])
        self.random.set_state(content["random"])
        torch.set_rng_state(content["torch_random"])
        for line in content["log"]:
            self._judge(Epoch(**line))
        self.kept = content["kept"]

    @property
    def good(self) -> bool:
        """Whether there are weights that are worth keeping."""
        return self.outcome.best is not None or math.isfinite(self.before)

    def _judge(self, epoch: Epoch) -> None:
        self.outcome.log.append(epoch)
        best = self.outcome.best
        if self._is_best(epoch):
            self.outcome.best = epoch
            self.kept = _copied(self.student)
        elif self.settings.patience and epoch.epoch - (best.epoch if best else 0) >= self.settings.patience:
            self.outcome.ended = "early"

    def _is_best(self, epoch: Epoch) -> bool:
        """Whether its weights are to be kept rather than those of the best before it."""
        best = self.outcome.best
        reached = best.validation_rmse if best else self.before
        return bool(self.settings.keep_last) or epoch.validation_rmse < reached

    def _not_finite(self, number: int) -> bool:
        if not self.good:
            raise ModelError(
                f"the loss is no longer a number in epoch {number}, before any good weights",
                why="the learning rate is too high, or the walks hold absurd values",
                fix="train with a lower --rate",
            )
        self.outcome.ended = "nan"
        return False


def _copied(student: Student) -> dict[str, Tensor]:
    return {key: copy.deepcopy(value.detach()).cpu() for key, value in student.state_dict().items()}
