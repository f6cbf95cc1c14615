# SPDX-License-Identifier: Apache-2.0
"""After TSAK: a teacher that sees more sensors, and its semantic head."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from edgegrf.distill.recipes.estimates import supported
from edgegrf.distill.recipes.recipe import Recipe, Told
from edgegrf.distill.recipes.relations import batch_gram, resampled

__all__ = ["Tsak"]


@dataclass(frozen=True)
class Tsak(Recipe):
    """L = MSE(yS, y) + output MSE(yS, yT) + semantic MSE of the last stage through a trained 1x1 [D].

    In the paper [P] the teacher has attention, causal and combined branches and sees more channels than
    the student; distilling its semantic head, here its last stage, works best.  Give it a teacher of more
    sensors.
    """

    name = "tsak"
    source = "TSAK, arXiv 2408.14146"
    grade = "P, formula D"
    line = "the last stage of a teacher that sees more sensors"
    features = True
    adapted = True

    output: float = 10.0
    semantic: float = 0.01
    similar: float = 0.1

    def loss(self, told: Told) -> Tensor:
        total = supported(told, self.output)
        if told.student:
            teacher = resampled(told.teacher[-1], told.student[-1].shape[2])
            student = told.adapters[-1](told.student[-1])
            aligned = functional.mse_loss(
                functional.normalize(student, dim=1), functional.normalize(teacher, dim=1)
            )
            total = total + self.semantic * aligned
            total = total + self.similar * functional.mse_loss(batch_gram(student), batch_gram(teacher))
        return total
