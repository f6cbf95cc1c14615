# SPDX-License-Identifier: Apache-2.0
"""After SCKD: similarity of selected features and correlation of estimates."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from edgegrf.distill.bounds import Share
from edgegrf.distill.recipes.estimates import supported
from edgegrf.distill.recipes.recipe import Recipe, Told
from edgegrf.distill.recipes.relations import energy, pearson, resampled, top_moments

__all__ = ["Sckd"]


@dataclass(frozen=True)
class Sckd(Recipe):
    """After SCKD, whose full text was not available; not a reproduction.

    L = MSE(yS, y) + output MSE(yS, yT) + correlation (2 - mean r over time - mean r over examples)
    + similarity sum over stages of MSE(K(F_T*), K(F_S*)), with K_ij = exp(-sharpness |f_i - f_j|^2) on
    L2-normalised moments, and F* the `selected` share of moments of highest teacher energy, the same in the
    student.  From a summary [S]: correlation between and within time steps, Gaussian kernel, selection,
    similarity about a tenth of correlation; the formula [D].
    """

    name = "sckd"
    source = "SCKD, arXiv 2605.00888"
    grade = "S, D"
    line = "after SCKD: correlated estimates, and a kernel on the moments that matter to the teacher"
    features = True

    output: float = 10.0
    correlation: float = 0.01
    similarity: float = 0.001
    sharpness: float = 1.0
    selected: Share = 0.25

    def loss(self, told: Told) -> Tensor:
        apart = 2 - pearson(told.estimate, told.taught, axis=2) - pearson(told.estimate, told.taught, axis=0)
        kernels = [
            self._kernels_apart(student, teacher)
            for student, teacher in zip(told.student, told.teacher, strict=True)
        ]
        similar = torch.stack(kernels).sum() if kernels else torch.zeros(())
        return supported(told, self.output) + self.correlation * apart + self.similarity * similar

    def _kernels_apart(self, student: Tensor, teacher: Tensor) -> Tensor:
        teacher = resampled(teacher, student.shape[2])
        chosen = top_moments(energy(teacher), self.selected)
        return functional.mse_loss(self._kernel(student, chosen), self._kernel(teacher, chosen))

    def _kernel(self, features: Tensor, chosen: Tensor) -> Tensor:
        """[B, k, k] of the chosen moments [B, k] of features [B, C, T']."""
        moments = torch.gather(features, 2, chosen.unsqueeze(1).expand(-1, features.shape[1], -1))
        moments = functional.normalize(moments, dim=1)
        square = (2 - 2 * (moments.mT @ moments)).clamp_min(0)  # |a - b|^2 of unit vectors
        return torch.exp(-self.sharpness * square)
