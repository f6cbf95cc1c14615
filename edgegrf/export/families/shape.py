# SPDX-License-Identifier: Apache-2.0
"""Operators that only name memory anew: they cost nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence

from edgegrf.export.lowering import Lowering, OnnxNode, Value

__all__ = ["HANDLERS", "REPLACEMENTS"]


def _identity(lowering: Lowering, node: OnnxNode) -> None:
    lowering.values[node.outputs[0]] = lowering.value(node)


def _transpose(lowering: Lowering, node: OnnxNode) -> None:
    value = lowering.value(node)
    permutation = node.attributes.get("perm", range(len(value.layout.dims) - 1, -1, -1))
    lowering.values[node.outputs[0]] = Value(value.tensor, value.layout.transpose(list(permutation)))


def _flatten(lowering: Lowering, node: OnnxNode) -> None:
    shape = lowering.value(node).layout.shape
    axis = node.attributes.get("axis", 1)
    axis += len(shape) if axis < 0 else 0
    _renamed(lowering, node, [math.prod(shape[:axis]), math.prod(shape[axis:])])


def _reshape(lowering: Lowering, node: OnnxNode) -> None:
    shape = lowering.value(node).layout.shape
    given = lowering.constant(node, 1)
    if given is None:
        lowering.refuse(node, "its shape is computed", "a fixed shape")
    wanted = [int(size) for size in given]
    if not node.attributes.get("allowzero", 0):
        wanted = [shape[axis] if size == 0 else size for axis, size in enumerate(wanted)]
    if -1 in wanted:
        wanted[wanted.index(-1)] = math.prod(shape) // -math.prod(wanted)
    _renamed(lowering, node, wanted)


def _squeeze(lowering: Lowering, node: OnnxNode) -> None:
    shape = lowering.value(node).layout.shape
    axes = _axes(lowering, node)
    gone = {axis % len(shape) for axis in axes} if axes else {i for i, size in enumerate(shape) if size == 1}
    _renamed(lowering, node, [size for axis, size in enumerate(shape) if axis not in gone])


def _unsqueeze(lowering: Lowering, node: OnnxNode) -> None:
    shape = list(lowering.value(node).layout.shape)
    axes = _axes(lowering, node)
    rank = len(shape) + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        shape.insert(axis, 1)
    _renamed(lowering, node, shape)


def _axes(lowering: Lowering, node: OnnxNode) -> list[int]:
    given = lowering.constant(node, 1)
    return [int(axis) for axis in (node.attributes.get("axes", ()) if given is None else given)]


def _renamed(lowering: Lowering, node: OnnxNode, shape: Sequence[int]) -> None:
    value = lowering.value(node)
    lowering.values[node.outputs[0]] = Value(value.tensor, value.layout.reshape(shape))


HANDLERS = {
    "Dropout": _identity,
    "Flatten": _flatten,
    "Identity": _identity,
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
REPLACEMENTS = {
    "Expand": "tensors of the shape that is needed",
    "Tile": "tensors of the shape that is needed",
    "Shape": "fixed shapes: export with a fixed window",
}
