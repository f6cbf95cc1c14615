# SPDX-License-Identifier: Apache-2.0
"""Intra-class patch swap: a student that teaches itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from edgegrf.distill.batch import Batch
from edgegrf.distill.bounds import Count, Share
from edgegrf.distill.recipes.recipe import Recipe, Told
from edgegrf.errors import DataError, UsageError

__all__ = ["PatchSwap"]


@dataclass(frozen=True)
class PatchSwap(Recipe):
    """L = MSE(yS, y), with patches of time swapped between two walks that are in the same phase of stance.

    No teacher [P].  A class is a bin of the foot's own force at the patch's first sample, rising or falling;
    patches last `shortest` to `longest` samples and take their targets along [D].
    """

    name = "patchswap"
    source = "Choi et al., arXiv 2505.14124"
    grade = "P, regression D"
    line = "no teacher: patches swapped between walks in the same phase"
    taught: ClassVar[bool] = False

    swapped: Share = 0.5
    bins: Count = 6
    shortest: Count = 50
    longest: Count = 100

    def __post_init__(self) -> None:
        if self.shortest > self.longest:
            raise UsageError(f"patches of {self.shortest} samples at least and {self.longest} at most")

    def prepare(self, batch: Batch, random: torch.Generator) -> Batch:
        phases = _phases(batch.force[:, 0], self.bins)
        changed = batch
        for index in range(0, len(phases) - 1, 2):
            if float(torch.rand((), generator=random)) < self.swapped:
                changed = self._swap(changed, index, phases, random)
        return changed

    def _swap(self, batch: Batch, index: int, phases: Tensor, random: torch.Generator) -> Batch:
        """Walks `index` and `index + 1`, from moments of one phase on."""
        length = int(torch.randint(self.shortest, self.longest + 1, (), generator=random))
        last = phases.shape[1] - length
        if last < 1:
            raise DataError(
                f"patches of {length} samples in pieces of {phases.shape[1]}", fix="lower patchswap.longest"
            )
        here = int(torch.randint(0, last, (), generator=random))
        alike = torch.nonzero(phases[index + 1, :last] == phases[index, here]).flatten()
        if not len(alike):
            return batch
        there = int(alike[torch.randint(0, len(alike), (), generator=random)])

        def exchange(series: Tensor) -> Tensor:
            time = 1 if series.dim() == 4 else 2
            series = series.clone()
            one, other = (
                series[index].narrow(time - 1, here, length),
                series[index + 1].narrow(time - 1, there, length),
            )
            kept = one.clone()
            one.copy_(other)
            other.copy_(kept)
            return series

        return batch.mapped(exchange)

    def loss(self, told: Told) -> Tensor:
        return functional.mse_loss(told.estimate, told.force)


def _phases(force: Tensor, bins: int) -> Tensor:
    """A class of each moment [B, T]: the level of the force, in `bins` steps, rising or falling."""
    low, high = force.amin(dim=1, keepdim=True), force.amax(dim=1, keepdim=True)
    level = ((force - low) / (high - low).clamp_min(1e-6) * bins).long().clamp(0, bins - 1)
    rising = functional.pad(force.diff(dim=1), (1, 0)) > 0
    return 2 * level + rising.long()
