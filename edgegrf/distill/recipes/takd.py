# SPDX-License-Identifier: Apache-2.0
"""After TaKD: what is alike in a mini-batch, and how each example moves through time."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from edgegrf.distill.recipes.estimates import supported
from edgegrf.distill.recipes.recipe import Recipe, Told
from edgegrf.distill.recipes.relations import batch_gram, resampled, temporal_cosine

__all__ = ["Takd"]


@dataclass(frozen=True)
class Takd(Recipe):
    """L = MSE(yS, y) + output MSE(yS, yT) + similar L_sim + temporal L_temp, summed over stages.

    L_sim is the MSE of the row-normalised batch Gram matrices, L_temp that of the temporal cosine maps.
    The paper relates features within a mini-batch, and the sequence of target and input [P]; formulas [D].
    """

    name = "takd"
    source = "TaKD, arXiv 2506.10265"
    grade = "P, formula D"
    line = "time-aware: batch similarity and temporal similarity of the features"
    features = True

    output: float = 10.0
    similar: float = 0.1
    temporal: float = 0.001

    def loss(self, told: Told) -> Tensor:
        total = supported(told, self.output)
        for student, wide in zip(told.student, told.teacher, strict=True):
            teacher = resampled(wide, student.shape[2])
            total = total + self.similar * functional.mse_loss(batch_gram(student), batch_gram(teacher))
            maps = functional.mse_loss(temporal_cosine(student), temporal_cosine(teacher))
            total = total + self.temporal * maps
        return total
