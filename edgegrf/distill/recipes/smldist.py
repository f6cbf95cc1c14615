# SPDX-License-Identifier: Apache-2.0
"""After SMLDist: stages, memory, and a smoothed output."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from edgegrf.distill.recipes.recipe import Recipe, Told
from edgegrf.distill.recipes.relations import resampled

__all__ = ["SmlDist"]


@dataclass(frozen=True)
class SmlDist(Recipe):
    """L = smooth L1(yS, target) + stage L_stage + memory L_memory [D, after the three parts that P names].

    Stage: MSE of the L2-normalised spectra |rFFT_t F|, so the direction of a stage's features and not their
    size.  Memory: a Hopfield read-out H = softmax(sharpness F^T F) over time of the last stage, through a
    trained 1x1 convolution.  Output: the teacher's estimate where it is within `trust_bw` of the reference,
    else the reference.
    """

    name = "smldist"
    source = "SMLDist, arXiv 2107.07331"
    grade = "P, formula D"
    line = "spectra of the stages, a Hopfield memory, the teacher where it can be trusted"
    features = True
    adapted = True

    stage: float = 1.0
    memory: float = 0.001
    sharpness: float = 1.0
    trust_bw: float = 0.05

    def loss(self, told: Told) -> Tensor:
        trusted = (told.taught - told.force).abs() <= self.trust_bw
        total = functional.smooth_l1_loss(told.estimate, torch.where(trusted, told.taught, told.force))
        pairs = [
            (adapter(student), resampled(teacher, student.shape[2]))
            for student, teacher, adapter in zip(told.student, told.teacher, told.adapters, strict=True)
        ]
        for student, teacher in pairs:
            total = total + self.stage * functional.mse_loss(_spectrum(student), _spectrum(teacher))
        if pairs:
            student, teacher = pairs[-1]
            apart = functional.mse_loss(self._recalled(student), self._recalled(teacher))
            total = total + self.memory * apart
        return total

    def _recalled(self, features: Tensor) -> Tensor:
        """[B, C, T'] -> same: each moment replaced by what a Hopfield memory of all moments recalls."""
        moments = functional.normalize(features, dim=1)
        weights = torch.softmax(self.sharpness * (moments.mT @ moments), dim=2)
        return moments @ weights.mT


def _spectrum(features: Tensor) -> Tensor:
    """[B, C * frequencies] of norm 1 from [B, C, T']."""
    return functional.normalize(torch.fft.rfft(features, dim=2).abs().flatten(1), dim=1)
