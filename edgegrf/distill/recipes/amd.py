# SPDX-License-Identifier: Apache-2.0
"""Angular margin distillation of attention."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from edgegrf.distill.bounds import Count, Share
from edgegrf.distill.recipes.estimates import supported
from edgegrf.distill.recipes.recipe import Recipe, Told
from edgegrf.distill.recipes.relations import resampled

__all__ = ["Amd"]


@dataclass(frozen=True)
class Amd(Recipe):
    """L = MSE(yS, y) + output MSE(yS, yT) + attention (whole L_AM + (1 - whole) mean of L_AM over segments).

    Attention q = sum_c F^2, L2-normalised over time; Q_p = s cos(m arccos q), Q_n = s (1 - q),
    G = log(e^Q_p / (e^Q_p + e^Q_n)); L_AM = (|G_T - G_S|^2 + |Q_pT - Q_pS|^2 + |Q_nT - Q_nS|^2) / 3 on
    L2-normalised vectors, s = 64, m = 1.35, four segments, whole 0.8 [P, C]; the first two terms [D].
    """

    name = "amd"
    source = "Jeon et al., arXiv 2302.14130"
    grade = "P, C"
    line = "angular margins between what the teacher attends to and what not"
    features = True

    output: float = 10.0
    attention: float = 0.01
    scale: float = 64.0
    margin: float = 1.35
    segments: Count = 4
    whole: Share = 0.8

    def loss(self, told: Told) -> Tensor:
        total = supported(told, self.output)
        for student, wide in zip(told.student, told.teacher, strict=True):
            ours, theirs = _attention(student), _attention(resampled(wide, student.shape[2]))
            length = max(1, ours.shape[1] // self.segments)
            parts = zip(torch.split(ours, length, dim=1), torch.split(theirs, length, dim=1), strict=True)
            local = torch.stack([self._apart(a, b) for a, b in parts]).mean()
            total = total + self.attention * (
                self.whole * self._apart(ours, theirs) + (1 - self.whole) * local
            )
        return total

    def _apart(self, ours: Tensor, theirs: Tensor) -> Tensor:
        """L_AM of two attention vectors [B, n], a mean over the batch."""
        pairs = zip(self._margins(ours), self._margins(theirs), strict=True)
        return torch.stack([(a - b).square().sum(dim=1).mean() for a, b in pairs]).mean()

    def _margins(self, attention: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        q = functional.normalize(attention, dim=1).clamp(0, 1 - 1e-6)
        attended = self.scale * torch.cos(self.margin * torch.arccos(q))
        ignored = self.scale * (1 - q)
        share = attended - torch.logaddexp(attended, ignored)
        return (
            functional.normalize(share, dim=1),
            functional.normalize(attended, dim=1),
            functional.normalize(ignored, dim=1),
        )


def _attention(features: Tensor) -> Tensor:
    """[B, T'] from [B, C, T']."""
    return features.square().sum(dim=1)
