# SPDX-License-Identifier: Apache-2.0
"""Knowledge distillation with the wearables' augmentations."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from edgegrf.distill.augment import noise, removal, shift
from edgegrf.distill.batch import Batch
from edgegrf.distill.bounds import Count, Share
from edgegrf.distill.recipes.estimates import shared
from edgegrf.distill.recipes.recipe import Recipe, Told

__all__ = ["Kd"]


@dataclass(frozen=True)
class Kd(Recipe):
    """L = (1 - share) MSE(yS, y) + share MSE(yS, yT) [D]; the papers' KL at a temperature is for classes [C].

    Augmentations [C]: removal (a stretch of all sensors set to 0), noise, a shift in time.  The targets of
    removed and noisy input stay those of the walk as it was; a shift moves them too.  They are off unless
    asked for: on clean walks they cost a small student more than they give (docs/distillation.md).
    """

    name = "kd"
    source = "Jeon et al., arXiv 2201.00111"
    grade = "C, regression D"
    line = "the teacher's estimates, hardly the reference; removal, noise and shift on request"

    share: Share = 0.99
    #: the part of the examples that is augmented, in each of the three ways
    augmented: Share = 0.0
    noise_bw: float = 0.01
    longest_removal: Count = 20
    longest_shift: Count = 20

    def prepare(self, batch: Batch, random: torch.Generator) -> Batch:
        batch = shift(batch, self.augmented, self.longest_shift, random)
        batch = removal(batch, self.augmented, self.longest_removal, random)
        return noise(batch, self.augmented, self.noise_bw, random)

    def loss(self, told: Told) -> Tensor:
        return shared(told, self.share)
