# SPDX-License-Identifier: Apache-2.0
"""How examples and moments relate to each other, in a network's features or in its estimates."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["batch_gram", "energy", "pearson", "resampled", "temporal_cosine", "top_moments"]

_TINY = 1e-8


def pearson(a: Tensor, b: Tensor, axis: int) -> Tensor:
    """The mean of Pearson's r of a and b along `axis`."""
    a, b = a - a.mean(axis, keepdim=True), b - b.mean(axis, keepdim=True)
    norms = a.square().sum(axis).sqrt() * b.square().sum(axis).sqrt()
    return ((a * b).sum(axis) / (norms + _TINY)).mean()


def batch_gram(features: Tensor) -> Tensor:
    """How alike the examples of a batch are, [B, B] from [B, C, T']: inner products, each row of norm 1."""
    flat = features.flatten(1)
    return functional.normalize(flat @ flat.T, dim=1)


def temporal_cosine(features: Tensor) -> Tensor:
    """How alike the moments of each example are: cosines [B, T', T'] from [B, C, T']."""
    moments = functional.normalize(features, dim=1)
    return moments.mT @ moments


def energy(features: Tensor) -> Tensor:
    """The mean square over the channels at each moment: [B, T'] from [B, C, T']."""
    return features.square().mean(dim=1)


def resampled(features: Tensor, moments: int) -> Tensor:
    """Features [B, C, T'] brought to `moments` by linear interpolation, where that is another number."""
    if features.shape[2] == moments:
        return features
    return functional.interpolate(features, size=moments, mode="linear", align_corners=False)


def top_moments(scores: Tensor, share: float) -> Tensor:
    """The indices [B, k] of the highest `share` of scores [B, T'], in the order of time."""
    count = max(1, round(share * scores.shape[1]))
    return torch.topk(scores, count, dim=1).indices.sort(dim=1).values
