# SPDX-License-Identifier: Apache-2.0
"""A recipe at work: a batch becomes a loss."""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack

import torch
from torch import Tensor, nn

from edgegrf.distill.batch import Batch
from edgegrf.distill.features import Stages, paired
from edgegrf.distill.images import PIECE
from edgegrf.distill.recipes.none import Alone
from edgegrf.distill.recipes.orthogonality import orthogonality
from edgegrf.distill.recipes.recipe import Recipe, Told
from edgegrf.errors import UsageError
from edgegrf.students.student import Student

__all__ = ["Objective"]


class Objective:
    """What a student minimises: a recipe, with the teacher whose features it compares.

    `spheres` weighs the orthogonality of the student's stages.  Without `features` a recipe has only its
    terms of the estimates.  Raises UsageError for a recipe without its teacher, ModelError for networks that
    name no stages when features are compared.
    """

    def __init__(
        self,
        student: Student,
        recipe: Recipe | None = None,
        teacher: Student | None = None,
        *,
        spheres: float = 0.0,
        features: bool = True,
    ) -> None:
        self.recipe = recipe or Alone()
        self.student, self.spheres = student, spheres
        compared = features and self.recipe.features
        self.teacher = teacher if compared else None
        if compared and teacher is None:
            raise UsageError(
                f"the recipe {self.recipe.name} compares features with a teacher's", fix="--teacher"
            )
        self._ours = Stages(student) if self.teacher or spheres else None
        self._theirs = Stages(self.teacher) if self.teacher else None
        self.adapters = self._new_adapters()

    def to(self, device: str) -> None:
        """Move what learns or teaches beside the student."""
        self.adapters.to(device)
        if self.teacher is not None:
            self.teacher.to(device)

    def _new_adapters(self) -> nn.ModuleList:
        if not (self.recipe.adapted and self._ours and self._theirs):
            return nn.ModuleList()
        ours = self._ours.channels
        theirs = _paired_channels(self._theirs.channels, len(ours))
        return nn.ModuleList(nn.Conv1d(a, b, 1) for a, b in zip(ours, theirs, strict=True))

    def __call__(self, batch: Batch, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """(the loss, the mean squared error to the reference) of one batch."""
        batch = self.recipe.prepare(batch, random)
        with ExitStack() as stack:
            caught = stack.enter_context(self._ours.caught()) if self._ours else []
            estimate = batch.counted(self.student(batch.pressure))
        force = batch.counted(batch.force)[..., -estimate.shape[2] :]
        if self.recipe.taught and batch.taught is None:
            raise UsageError(f"the recipe {self.recipe.name} needs a teacher", fix="--teacher CHECKPOINT")
        taught = force if batch.taught is None else batch.counted(batch.taught)[..., -estimate.shape[2] :]
        told = self._with_features(Told(force, estimate, taught), batch, caught, random)
        loss = self.recipe.loss(told)
        if self.spheres:
            loss = loss + self.spheres * orthogonality(caught)
        return loss, (estimate - force).detach().square().mean()

    def _with_features(self, told: Told, batch: Batch, caught: list[Tensor], random: torch.Generator) -> Told:
        if self.teacher is None or self._theirs is None:
            return told
        self.teacher.eval()
        with torch.no_grad(), self._theirs.caught() as wide:
            self.teacher(batch.pressure if batch.seen is None else batch.seen)
        share, images = self._which(batch, random)
        length = batch.force.shape[2]
        return dataclasses.replace(
            told,
            student=[_piece(one, share, batch.warmup, length) for one in caught],
            teacher=[_piece(one, share, batch.warmup, length) for one in paired(wide, len(caught))],
            adapters=list(self.adapters),
            images=images,
        )

    def _which(self, batch: Batch, random: torch.Generator) -> tuple[float, list[Tensor]]:
        """Where the piece that is compared begins, 0 to 1, and the image teacher's features of it."""
        if not batch.images:
            return float(torch.rand((), generator=random)), []
        pieces = batch.images[0].shape[1]
        piece = int(torch.randint(0, pieces, (), generator=random))
        assert self._ours is not None
        chosen = [stage[:, piece] for stage in batch.images]
        return piece / max(1, pieces - 1), paired(chosen, len(self._ours.channels))


def _paired_channels(channels: list[int], stages: int) -> list[int]:
    sized = [torch.empty(1, count, 1) for count in channels]
    return [one.shape[1] for one in paired(sized, stages)]


def _piece(feature: Tensor, share: float, warmup: int, length: int) -> Tensor:
    """PIECE samples of a feature [B, C, T'] whose T' moments stand for `length` samples."""
    per_sample = feature.shape[2] / length
    moments = min(feature.shape[2], max(1, round(PIECE * per_sample)))
    first = round(warmup * per_sample)
    room = max(0, feature.shape[2] - moments - first)
    start = min(first + round(share * room), feature.shape[2] - moments)
    return feature[..., start : start + moments]
