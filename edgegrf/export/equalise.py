# SPDX-License-Identifier: Apache-2.0
"""Cross-layer equalisation: channels of a tensor brought to like ranges, so that one scale fits them all.

A factor per channel moves into the layers that make a tensor and out of those that read it, which is
exact in float because ReLU(f x) = f ReLU(x) for f > 0 (Nagel et al. 2019, arXiv:1906.04721).  Tensors
that are added, padded or pooled share their factors: a residual stream is equalised as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgegrf.export.calibration import Observed
from edgegrf.export.lowered import Lowered, Node

__all__ = ["can_equalise", "equalise"]

Floats = NDArray[np.float32]

_LAYERS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
#: kinds that work on each channel by itself, and give f times as much for f times as much, f > 0
_SHARING = (
    "ADD",
    "AVERAGE_POOL_2D",
    "CONCATENATION",
    "LEAKY_RELU",
    "MAX_POOL_2D",
    "MEAN",
    "MIRROR_PAD",
    "PAD",
    "PADV2",
    "PRELU",
    "RELU",
    "RESHAPE",
    "RESIZE_NEAREST_NEIGHBOR",
    "SLICE",
    "SUB",
)
#: of those, the ones that leave the channels alone if there are as many after as before
_KEEPING = ("ADD", "CONCATENATION", "MEAN", "MIRROR_PAD", "PAD", "RESHAPE", "SLICE", "SUB")
_HOMOGENEOUS = ("NONE", "RELU")
_MOST = 64.0  # a channel that is nearly always 0 is raised no further


def can_equalise(lowered: Lowered) -> bool:
    """True if there is a tensor whose channels can be scaled."""
    return any(lowered.shapes[tensors[0]][-1] > 1 for tensors in _groups(lowered))


def equalise(
    lowered: Lowered, seen: Mapping[str, Observed], strength: float
) -> tuple[Lowered, dict[str, Observed]]:
    """The same function with its channels' ranges made alike: wholly (1), half-way (0.5), not at all (0)."""
    factors = _factors(lowered, seen, strength)
    if not factors:
        return lowered, dict(seen)
    nodes = tuple(_rescaled(node, factors) for node in lowered.nodes)
    scaled = {
        tensor: observed.scaled(factors[tensor]) if tensor in factors else observed
        for tensor, observed in seen.items()
    }
    return replace(lowered, nodes=nodes), scaled


def _factors(lowered: Lowered, seen: Mapping[str, Observed], strength: float) -> dict[str, Floats]:
    """Tensor -> factor of each of its channels; tensors that cannot be scaled are absent."""
    groups = _groups(lowered)
    found: dict[str, Floats] = {}
    for tensors in groups:
        channels = lowered.shapes[tensors[0]][-1]
        peaks = np.max([seen[tensor].peaks(channels) for tensor in tensors], axis=0)
        top = float(peaks.max())
        if channels == 1 or top <= 0 or strength == 0:
            continue
        raised = np.minimum(top / np.maximum(peaks, top / _MOST), _MOST) ** strength
        found |= dict.fromkeys(tensors, np.where(peaks > 0, raised, 1.0).astype(np.float32))
    return found


def _groups(lowered: Lowered) -> list[list[str]]:
    """Sets of tensors that must share their factors, without those that cannot have any."""
    parent = {tensor: tensor for tensor in lowered.observed}

    def root(tensor: str) -> str:
        while parent[tensor] != tensor:
            tensor = parent[tensor]
        return tensor

    fixed = {*lowered.inputs, *lowered.outputs}
    for node in lowered.nodes:
        ends = [*node.inputs, node.output]
        same_channels = len({lowered.shapes[end][-1] for end in ends}) == 1
        if node.options.get("activation", "NONE") not in _HOMOGENEOUS or "limits" in node.options:
            fixed.add(node.output)
        if node.kind in _SHARING and (same_channels or node.kind not in _KEEPING) and not _constant(node):
            for end in node.inputs:
                parent[root(end)] = root(node.output)
        elif node.kind not in _LAYERS:
            fixed.update(ends)
    frozen = {root(tensor) for tensor in fixed}
    groups: dict[str, list[str]] = {}
    for tensor in parent:
        if root(tensor) not in frozen:
            groups.setdefault(root(tensor), []).append(tensor)
    return list(groups.values())


def _constant(node: Node) -> bool:
    """True if a constant is added, which would have to be scaled too."""
    return "constant" in node.options and node.kind != "PRELU"


def _rescaled(node: Node, factors: Mapping[str, Floats]) -> Node:
    """The layer with the factors of its output multiplied in and those of its input divided out."""
    if node.weights is None or node.bias is None:
        return node
    weights, bias = node.weights, node.bias
    depthwise = node.kind == "DEPTHWISE_CONV_2D"
    before, after = factors.get(node.inputs[0]), factors.get(node.output)
    if before is not None:
        each = np.repeat(before, weights.shape[-1] // len(before)) if depthwise else before
        weights = weights / each
    if after is not None:
        weights = weights * (after if depthwise else after.reshape(-1, *[1] * (weights.ndim - 1)))
        bias = bias * after
    return replace(node, weights=np.ascontiguousarray(weights, np.float32), bias=bias.astype(np.float32))
