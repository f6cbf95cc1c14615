# SPDX-License-Identifier: Apache-2.0
"""What every recipe has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from edgegrf.distill.batch import Batch

__all__ = ["Recipe", "Told"]


@dataclass(frozen=True)
class Told:
    """What a recipe's loss is made from; T counts only what follows the warm-up.

    `force` of the reference, `estimate` of the student and `taught` by the teacher are [B, K, T].  The
    features of the student's stages and of the teacher's that go with them, [B, C, T'] each, are cut to
    the same piece of time.  `adapters` map each student's feature to the teacher's channels;
    `images` [B, D] are what the image teacher makes of that piece, a stage each.
    """

    force: Tensor
    estimate: Tensor
    taught: Tensor
    student: Sequence[Tensor] = ()
    teacher: Sequence[Tensor] = ()
    adapters: Sequence[nn.Module] = ()
    images: Sequence[Tensor] = ()


@dataclass(frozen=True)
class Recipe(ABC):
    """A way to learn: what is done to a batch, and what is minimised.  Its fields are the hyper-parameters.

    `source` is the paper, `grade` how much of it is known: P from the paper's text, C from its authors'
    code, S from a third-party summary, D our own adaptation to a 1-D regression.
    """

    name: ClassVar[str]
    source: ClassVar[str]
    grade: ClassVar[str]
    line: ClassVar[str]
    #: whether there is a teacher at all, and whether its features are used beside its estimates
    taught: ClassVar[bool] = True
    features: ClassVar[bool] = False
    #: whether student's features pass a trained 1x1 convolution to the teacher's channels
    adapted: ClassVar[bool] = False
    #: whether a teacher of persistence images takes part
    images: ClassVar[bool] = False

    def prepare(self, batch: Batch, random: torch.Generator) -> Batch:
        """What the student sees of a batch; the same by default."""
        return batch

    @abstractmethod
    def loss(self, told: Told) -> Tensor:
        """The scalar that is minimised."""
