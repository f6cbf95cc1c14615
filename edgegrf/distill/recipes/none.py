# SPDX-License-Identifier: Apache-2.0
"""The student trained alone."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from edgegrf.distill.recipes.recipe import Recipe, Told

__all__ = ["Alone"]


@dataclass(frozen=True)
class Alone(Recipe):
    """L = MSE(yS, y): what every other recipe has to beat."""

    name = "none"
    source = "ordinary least squares"
    grade = "-"
    line = "mean squared error to the reference, no teacher"
    taught = False

    def loss(self, told: Told) -> Tensor:
        return functional.mse_loss(told.estimate, told.force)
