# SPDX-License-Identifier: Apache-2.0
"""Add, Sub and Mul: of two tensors as they are, of a tensor and a constant as a scale and shift."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgegrf.export.families.scale import scale_shift
from edgegrf.export.lowered import Node
from edgegrf.export.lowering import Handler, Lowering, OnnxNode, Value

__all__ = ["HANDLERS", "REPLACEMENTS"]


def _binary(kind: str) -> Handler:
    def handler(lowering: Lowering, node: OnnxNode) -> None:
        for side in (0, 1):
            constant = lowering.constant(node, side)
            if constant is not None:
                _with_constant(lowering, node, kind, constant.astype(np.float64), side)
                return
        _two_tensors(lowering, node, kind)

    return handler


def _two_tensors(lowering: Lowering, node: OnnxNode, kind: str) -> None:
    left, right = lowering.value(node, 0), lowering.value(node, 1)
    if left.layout.shape != right.layout.shape:
        lowering.refuse(
            node, f"it broadcasts {left.layout.shape} with {right.layout.shape}", "tensors of one shape"
        )
    if left.layout.signature() != right.layout.signature():
        lowering.refuse(node, "its two inputs lie in different orders in memory", "a 1x1 Conv on one of them")
    activation, output = lowering.activation(node.outputs[0])
    shape = lowering.shapes[_later(lowering, left.tensor, right.tensor)]
    inputs = [lowering.view(side.tensor, shape) for side in (left, right)]
    made = Node(kind, inputs, output, {"activation": activation}, place=node.place)
    lowering.values[output] = Value(lowering.emit(made, shape, output), left.layout)


def _later(lowering: Lowering, left: str, right: str) -> str:
    """The tensor made last: its shape is what the branch works in, so fewer RESHAPE are needed."""
    made = [node.output for node in lowering.nodes]
    return max(left, right, key=lambda name: made.index(name) if name in made else -1)


def _with_constant(
    lowering: Lowering, node: OnnxNode, kind: str, constant: NDArray[np.float64], side: int
) -> None:
    """x + c, x - c, c - x and x c are scale x + shift, if c varies along one dimension at most."""
    value = lowering.value(node, 1 - side)
    shape = value.layout.shape
    if constant.ndim > len(shape):
        lowering.refuse(node, f"its constant of shape {constant.shape} adds dimensions")
    padded = constant.reshape((1,) * (len(shape) - constant.ndim) + constant.shape)
    varying = [axis for axis, size in enumerate(padded.shape) if size != 1]
    axis = varying[0] if varying else value.layout.innermost
    if len(varying) > 1 or axis == 0 or padded.shape[axis] not in (1, shape[axis]):
        lowering.refuse(node, f"its constant has shape {constant.shape}", "a constant per channel")
    values = np.broadcast_to(padded.reshape(-1), (shape[axis],)).astype(np.float64)
    ones = np.ones(shape[axis])
    scale, shift = {
        ("ADD", 0): (ones, values),
        ("ADD", 1): (ones, values),
        ("MUL", 0): (values, 0 * ones),
        ("MUL", 1): (values, 0 * ones),
        ("SUB", 0): (-ones, values),
        ("SUB", 1): (ones, -values),
    }[kind, side]
    scale_shift(lowering, node, value, scale, shift, axis)


HANDLERS = {"Add": _binary("ADD"), "Mul": _binary("MUL"), "Sub": _binary("SUB")}
REPLACEMENTS = {"Div": "a multiplication by the constant's inverse", "Sum": "torch.add of two tensors"}
