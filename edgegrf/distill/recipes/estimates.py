# SPDX-License-Identifier: Apache-2.0
"""What recipes make of the estimates: the error to the reference and that to the teacher, in one sum."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from edgegrf.distill.recipes.recipe import Told

__all__ = ["shared", "supported"]


def shared(told: Told, share: float) -> Tensor:
    """(1 - share) MSE(yS, y) + share MSE(yS, yT): a `share` of the attention is the teacher's."""
    alone = functional.mse_loss(told.estimate, told.force)
    return (1 - share) * alone + share * functional.mse_loss(told.estimate, told.taught)


def supported(told: Told, weight: float) -> Tensor:
    """MSE(yS, y) + weight MSE(yS, yT): the teacher comes on top."""
    alone = functional.mse_loss(told.estimate, told.force)
    return alone + weight * functional.mse_loss(told.estimate, told.taught)
