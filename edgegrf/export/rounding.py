# SPDX-License-Identifier: Apache-2.0
"""Weights rounded so that each layer's sums stay nearest to float on calibration walks.

Layer by layer: what comes in is what the integer model has there, what shall come out is what the float
model has; the weights that do that best in least squares are rounded one input after the other, and what
each rounding loses is made good by the inputs still open and, last, the bias (Frantar et al. 2022, GPTQ,
arXiv:2210.17323, after Hassibi & Stork 1993).  No random number: the same walks give the same bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edgegrf.export.lowered import Lowered, Node
from edgegrf.export.quantise import channel_axis, weight_scales
from edgegrf.export.scheme import Range, Scheme
from edgegrf.export.twin import Twin
from edgegrf.export.twin_operators import patches

__all__ = ["round_weights"]

Doubles = NDArray[np.float64]

_RIDGE = 1e-3  # of an input's mean square: weights of inputs that hardly vary stay where they were


def round_weights(lowered: Lowered, ranges: Mapping[str, Range], scheme: Scheme, pressure: Tensor) -> Lowered:
    """The graph with its layers' weights on their int8 grids and biases to match, by windows [N, T, C].

    Of a model without states: there each layer comes once.
    """
    exact, twin = Twin(lowered, ranges, scheme), Twin(lowered, ranges, scheme)
    exact.exact.update(lowered.shapes)
    exact.exact_weights.update(lowered.shapes)
    nodes = list(lowered.nodes)
    wanted: dict[int, Tensor] = {}

    def rounded(i: int, taken: Tensor) -> None:
        source = float(twin.code_of(nodes[i].inputs[0])[0])
        nodes[i] = _rounded(nodes[i], taken, wanted.pop(i), source * scheme.bias_limit)
        twin.take(i, nodes[i])

    with torch.no_grad():
        exact.run(pressure, wanted.__setitem__)
        twin.run(pressure, rounded)
    return replace(lowered, nodes=tuple(nodes))


def _rounded(node: Node, taken: Tensor, wanted: Tensor, most: float) -> Node:
    """The layer for inputs `taken` where the float model has `wanted`; `most` as in `weight_scales`."""
    assert node.weights is not None and node.bias is not None
    here = _columns(node, taken)
    there = _columns(node, wanted)
    depthwise = node.kind == "DEPTHWISE_CONV_2D"
    outputs = node.weights.shape[channel_axis(node)]
    matrix = node.weights.reshape(-1, outputs).T if depthwise else node.weights.reshape(outputs, -1)
    both = np.concatenate([matrix, node.bias[:, None]], 1).astype(np.float64)
    each = np.arange(outputs) // (outputs // len(here)) if depthwise else np.zeros(outputs, int)
    best = np.empty_like(both)
    curvature = [x.T @ x / len(x) for x in here]
    for k, (x, y) in enumerate(zip(here, there, strict=True)):
        ridge = _RIDGE * np.diag(np.diag(curvature[k])) + 1e-9 * np.eye(len(curvature[k]))
        rows = each == k
        target = both[rows] @ (y.T @ x / len(x))
        best[rows] = np.linalg.solve(curvature[k] + ridge, (target + both[rows] @ ridge).T).T
        curvature[k] = curvature[k] + ridge
    moved = _like(node, best)
    scales = weight_scales(moved, most)
    for k, hessian in enumerate(curvature):
        rows = each == k
        best[rows] = _one_by_one(best[rows], hessian, scales[rows].astype(np.float64))
    return replace(_like(node, best), scales=scales)


def _columns(node: Node, given: Tensor) -> list[Doubles]:
    """The inputs of each output, a column of ones behind: [positions, depth + 1]; depthwise one a channel."""
    x = patches(node, given).numpy().astype(np.float64)
    groups = [x]
    if node.kind == "DEPTHWISE_CONV_2D":
        channels = given.shape[-1]
        groups = list(x.reshape(len(x), -1, channels).transpose(2, 0, 1))
    return [np.concatenate([group, np.ones((len(group), 1))], 1) for group in groups]


def _one_by_one(rows: Doubles, hessian: Doubles, scales: Doubles) -> Doubles:
    """[outputs, depth + 1] rounded from the first input on, but for the last column."""
    factor = np.linalg.cholesky(np.linalg.inv(hessian)).T
    rows = rows.copy()
    for j in range(rows.shape[1] - 1):
        kept = np.clip(np.rint(rows[:, j] / scales), -127, 127) * scales
        lost = (rows[:, j] - kept) / factor[j, j]
        rows[:, j] = kept
        rows[:, j + 1 :] -= lost[:, None] * factor[j, j + 1 :]
    return rows


def _like(node: Node, both: Doubles) -> Node:
    """The layer with weights and bias [outputs, depth + 1]."""
    assert node.weights is not None
    flat = both[:, :-1].T if node.kind == "DEPTHWISE_CONV_2D" else both[:, :-1]
    weights = np.ascontiguousarray(flat.reshape(node.weights.shape), np.float32)
    return replace(node, weights=weights, bias=both[:, -1].astype(np.float32))
