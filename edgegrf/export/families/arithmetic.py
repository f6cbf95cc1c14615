# SPDX-License-Identifier: Apache-2.0
"""Add, Sub and Mul of two tensors; with a constant a scale and shift, or a tensor that does not change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgegrf.export.arrange import axes, bind_axes
from edgegrf.export.families.scale import scale_shift
from edgegrf.export.layout import Layout
from edgegrf.export.lowered import Node
from edgegrf.export.lowering import Handler, Lowering, OnnxNode, Value

__all__ = ["HANDLERS", "REPLACEMENTS"]

Reals = NDArray[np.float64]


def _binary(kind: str) -> Handler:
    def handler(lowering: Lowering, node: OnnxNode) -> None:
        for side in (0, 1):
            constant = lowering.constant(node, side)
            if constant is not None:
                _with_constant(lowering, node, kind, constant.astype(np.float64), side)
                return
        _two_tensors(lowering, node, kind, lowering.value(node, 0), lowering.value(node, 1))

    return handler


def _two_tensors(lowering: Lowering, node: OnnxNode, kind: str, left: Value, right: Value) -> None:
    alike = left.layout.shape == right.layout.shape
    if not alike or left.layout.signature() != right.layout.signature():
        _broadcast(lowering, node, kind, left, right)
        return
    activation, output = lowering.activation(node.outputs[0])
    shape = lowering.shapes[_later(lowering, left.tensor, right.tensor)]
    inputs = [lowering.view(side.tensor, shape) for side in (left, right)]
    made = Node(kind, inputs, output, {"activation": activation}, place=node.place)
    lowering.values[output] = Value(lowering.emit(made, shape, output), left.layout)


def _broadcast(lowering: Lowering, node: OnnxNode, kind: str, left: Value, right: Value) -> None:
    """Dimension by dimension in one order; those of size 1 are repeated."""
    rank = max(len(left.layout.dims), len(right.layout.dims))
    sides = [_of_rank(side, rank) for side in (left, right)]
    shape = np.broadcast_shapes(*(side.layout.shape for side in sides))
    order = axes(lowering, node, max(sides, key=lambda side: len(side.layout.order))).order
    inputs = [axes(lowering, node, side, order) for side in sides]
    whole = np.broadcast_shapes(*(side.shape for side in inputs))
    activation, output = lowering.activation(node.outputs[0])
    made = Node(kind, [side.tensor for side in inputs], output, {"activation": activation}, place=node.place)
    bind_axes(lowering, output, lowering.emit(made, whole, output), shape, order)


def _of_rank(value: Value, rank: int) -> Value:
    """The value with dimensions of 1 before its own, as many as `rank` needs."""
    lead = ((),) * (rank - len(value.layout.dims))
    return Value(value.tensor, Layout((*lead, *value.layout.dims), value.layout.order))


def _later(lowering: Lowering, left: str, right: str) -> str:
    """The tensor made last: its shape is what the branch works in, so fewer RESHAPE are needed."""
    made = [node.output for node in lowering.nodes]
    return max(left, right, key=lambda name: made.index(name) if name in made else -1)


def _with_constant(lowering: Lowering, node: OnnxNode, kind: str, constant: Reals, side: int) -> None:
    """x + c, x - c, c - x and x c are scale x + shift, if c varies along one dimension at most."""
    value = lowering.value(node, 1 - side)
    shape = value.layout.shape
    if constant.ndim > len(shape):
        lowering.refuse(node, f"its constant of shape {constant.shape} adds dimensions")
    padded = constant.reshape((1,) * (len(shape) - constant.ndim) + constant.shape)
    if np.broadcast_shapes(padded.shape, shape) != shape:
        lowering.refuse(
            node, f"its constant of shape {constant.shape} repeats {shape}", "a constant per channel"
        )
    varying = [axis for axis, size in enumerate(padded.shape) if size != 1]
    axis = varying[0] if varying else value.layout.innermost
    if len(varying) > 1 or axis == 0:
        _with_tensor(lowering, node, kind, value, padded, side)
        return
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


def _with_tensor(
    lowering: Lowering, node: OnnxNode, kind: str, value: Value, constant: Reals, side: int
) -> None:
    """A constant that varies along several dimensions is an input of its own."""
    at = axes(lowering, node, value)
    lead = len(at.shape) - len(at.order)
    placed = constant.transpose(at.order).reshape(*(1,) * lead, *(constant.shape[dim] for dim in at.order))
    activation, output = lowering.activation(node.outputs[0])
    options = {"activation": activation, "constant": placed.astype(np.float32), "side": side}
    made = Node(kind, [at.tensor], output, options, place=node.place)
    tensor = lowering.emit(made, at.shape, output)
    bind_axes(lowering, output, tensor, value.layout.shape, at.order)


def _divide(lowering: Lowering, node: OnnxNode) -> None:
    divisor = lowering.constant(node, 1)
    if divisor is None or not divisor.all():
        lowering.refuse(node, "it divides by what is computed", "a multiplication")
    _with_constant(lowering, node, "MUL", 1 / divisor.astype(np.float64), 1)


def _negate(lowering: Lowering, node: OnnxNode) -> None:
    _with_constant(lowering, node, "MUL", np.array(-1.0), 1)


def _power(lowering: Lowering, node: OnnxNode) -> None:
    exponent = lowering.constant(node, 1)
    if exponent is None or exponent.size != 1 or float(exponent.reshape(-1)[0]) != 2.0:
        lowering.refuse(node, "its exponent is not 2", "products")
    value = lowering.value(node)
    _two_tensors(lowering, replace(node, inputs=node.inputs[:1] * 2), "MUL", value, value)


HANDLERS = {
    "Add": _binary("ADD"),
    "Div": _divide,
    "Mul": _binary("MUL"),
    "Neg": _negate,
    "Pow": _power,
    "Sub": _binary("SUB"),
}
REPLACEMENTS = {"Sum": "torch.add of two tensors", "Where": "arithmetic without branches"}
