# SPDX-License-Identifier: Apache-2.0
"""The trainer's numbers."""

from __future__ import annotations

from dataclasses import dataclass

from edgegrf.distill.bounds import Count, Kept, Positive, Share

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings:
    """The trainer's numbers; rate is the peak of a one-cycle schedule (Smith & Topin 2018)."""

    epochs: Count = 40
    batch: Count = 32
    rate: Positive = 1e-2
    weight_decay: float = 1e-4
    #: how much of AdamW's mean square of the gradient is kept from step to step; a student's first gradients
    #: are a hundred times its later ones, and with PyTorch's 0.999 they slow it down for a thousand steps
    beta2: Kept = 0.95
    #: what the norm of a step's gradient is cut to; AdamW does not feel how loud a loss is, but this does
    clip: Positive = 0.1
    #: epochs without a better validation RMSE before training stops; 0: never
    patience: int = 0
    #: 1: the last epoch's weights are kept, not the best by validation, so that nobody chose them by those
    #: who judge them; there is no early stop then
    keep_last: int = 0
    seed: int = 1
    #: standard deviation of the logarithm of a gain of each sensor, drawn anew for each chunk; the target
    #: gains what the sensors gain, since it is their foot's total
    gain_spread: float = 0.0
    #: how many examples of all meet one of gait's disturbances, whose force is then still to be estimated
    disturbed: Share = 0.0
    #: noise on each batch norm's output in training, in steps of its range / 255: what 8 bits will do to it
    step_noise: float = 0.0
    #: weight of the orthogonality of the student's stages
    spheres: float = 0.0
    #: epochs after those, in which the student computes as its int8 model
    qat: int = 0
