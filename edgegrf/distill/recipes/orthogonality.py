# SPDX-License-Identifier: Apache-2.0
"""Orthogonal features: a regulariser that any recipe can take."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from edgegrf.distill.recipes.relations import batch_gram

__all__ = ["orthogonality"]

_BLOCKS = 4


def orthogonality(features: Sequence[Tensor]) -> Tensor:
    """The squared Frobenius distance |P P^T - I|^2 on `_BLOCKS` blocks of rows, a mean over the stages.

    P are rows of the batch similarity map [B, B], of norm 1: examples should not all look alike.  After the
    orthogonality term of arXiv 2407.05315 and Orthogonal Spheres [P]; the blocks [D].
    """
    terms = []
    for stage in features:
        for rows in batch_gram(stage).chunk(_BLOCKS):
            P = functional.normalize(rows, dim=1)  # noqa: N806
            apart = P @ P.T - torch.eye(len(rows), device=rows.device)
            terms.append(apart.square().mean())
    return torch.stack(terms).mean() if terms else torch.zeros(())
