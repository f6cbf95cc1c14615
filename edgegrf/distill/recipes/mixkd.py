# SPDX-License-Identifier: Apache-2.0
"""Mixed walks, with the teacher's estimates mixed alike."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from edgegrf.distill.augment import mixed
from edgegrf.distill.batch import Batch
from edgegrf.distill.bounds import Positive, Share
from edgegrf.distill.recipes.estimates import shared
from edgegrf.distill.recipes.recipe import Recipe, Told

__all__ = ["MixKd"]


@dataclass(frozen=True)
class MixKd(Recipe):
    """L = (1 - share) MSE(yS, y) + share MSE(yS, yT) on inputs a x1 + (1 - a) x2, a ~ Beta(sharp, sharp).

    About a tenth of the pairs mixed works best [C]; x and y are mixed alike, and the teacher's estimate of
    the mixture is taken to be the mixture of its estimates [D].
    """

    name = "mixkd"
    source = "Choi et al., arXiv 2211.03946"
    grade = "C, regression D"
    line = "two walks mixed, the teacher's estimates with them"

    share: Share = 0.99
    mixed: Share = 0.1
    sharp: Positive = 0.4

    def prepare(self, batch: Batch, random: torch.Generator) -> Batch:
        return mixed(batch, self.mixed, self.sharp, random)

    def loss(self, told: Told) -> Tensor:
        return shared(told, self.share)
