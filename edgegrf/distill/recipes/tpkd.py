# SPDX-License-Identifier: Apache-2.0
"""Two teachers: one of signals, one of persistence images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn import functional

from edgegrf.distill.bounds import Share
from edgegrf.distill.recipes.estimates import shared
from edgegrf.distill.recipes.recipe import Recipe, Told
from edgegrf.distill.recipes.relations import batch_gram

__all__ = ["Tpkd"]


@dataclass(frozen=True)
class Tpkd(Recipe):
    """L = (1 - share) MSE(yS, y) + share MSE(yS, yT) + maps sum over stages of MSE(G_S, G_T).

    G_S is the student's batch similarity map; G_T that of the image teacher times `image` plus that of the
    signal teacher times 1 - `image`, its rows of norm 1: .7 and .3 [C].  The image teacher learns the
    quantiles of the force from one persistence image a sensor [D]; weights for a regression [D].  With
    `spheres` it has the paper's orthogonality term; its annealing, a student that starts from the same net
    trained alone, is not part of it.
    """

    name = "tpkd"
    source = "Jeon et al., arXiv 2407.05315"
    grade = "P, C, regression D"
    line = "two teachers, of signals and of persistence images, in one similarity map"
    features = True
    images: ClassVar[bool] = True

    share: Share = 0.7
    maps: float = 0.1
    image: Share = 0.7

    def loss(self, told: Told) -> Tensor:
        total = shared(told, self.share)
        for student, signal, image in zip(told.student, told.teacher, told.images, strict=True):
            merged = self.image * batch_gram(image) + (1 - self.image) * batch_gram(signal)
            target = functional.normalize(merged, dim=1)
            total = total + self.maps * functional.mse_loss(batch_gram(student), target)
        return total
