# SPDX-License-Identifier: Apache-2.0
"""Functions of one value, of a channel, of a row: tables of 256 entries in int8, or little more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgegrf.export.arrange import axes, bind_axes
from edgegrf.export.families.scale import scale_shift
from edgegrf.export.lowered import Node
from edgegrf.export.lowering import Handler, Lowering, OnnxNode, Value

__all__ = ["HANDLERS", "REPLACEMENTS"]

_USE = "nn.Hardswish, nn.LeakyReLU, nn.ELU or nn.ReLU"
#: x sigmoid(1.702 x) is off x Phi(x) by 0.0203 at most (Hendrycks and Gimpel 2016, arXiv:1606.08415)
_GELU = 1.702


def _unary(kind: str) -> Handler:
    def handler(lowering: Lowering, node: OnnxNode) -> None:
        _emit(lowering, node, lowering.value(node), kind, {})

    return handler


def _emit(lowering: Lowering, node: OnnxNode, value: Value, kind: str, options: dict[str, object]) -> None:
    made = Node(kind, [value.tensor], node.outputs[0], options, place=node.place)
    tensor = lowering.emit(made, lowering.shapes[value.tensor], node.outputs[0])
    lowering.values[node.outputs[0]] = Value(tensor, value.layout)


def _leaky_relu(lowering: Lowering, node: OnnxNode) -> None:
    alpha = float(node.attributes.get("alpha", 0.01))
    _leaky(lowering, node, lowering.value(node), alpha)


def _leaky(lowering: Lowering, node: OnnxNode, value: Value, alpha: float) -> None:
    if not 0 <= alpha <= 1:
        lowering.refuse(node, f"its slope below 0 is {alpha:.9g}", "a slope of 0 to 1")
    _emit(lowering, node, value, "LEAKY_RELU", {"alpha": alpha})


def _prelu(lowering: Lowering, node: OnnxNode) -> None:
    """A slope for all, or one for each index of the dimension that is innermost in memory."""
    value, slopes = lowering.value(node), lowering.constant(node, 1)
    if slopes is None:
        lowering.refuse(node, "its slopes are computed", "nn.PReLU")
    if slopes.size == 1:
        _leaky(lowering, node, value, float(slopes.reshape(-1)[0]))
        return
    shape = value.layout.shape
    whole = slopes.reshape((1,) * (len(shape) - slopes.ndim) + slopes.shape)
    dim = next(axis for axis, size in enumerate(whole.shape) if size != 1)
    at = axes(lowering, node, value)
    if whole.size != shape[dim] or at.order[-1] != dim:
        lowering.refuse(
            node, f"its slopes have the shape {slopes.shape}", "nn.PReLU with a slope per channel"
        )
    options = {"constant": whole.reshape((1,) * (len(at.shape) - 2) + (-1,)).astype(np.float32)}
    made = Node("PRELU", [at.tensor], node.outputs[0], options, place=node.place)
    bind_axes(lowering, node.outputs[0], lowering.emit(made, at.shape, node.outputs[0]), shape, at.order)


def _elu(lowering: Lowering, node: OnnxNode) -> None:
    if node.attributes.get("alpha", 1.0) != 1.0:
        lowering.refuse(node, f"its alpha is {node.attributes['alpha']:.9g}", "nn.ELU() with alpha 1")
    _emit(lowering, node, lowering.value(node), "ELU", {})


def _hard_sigmoid(lowering: Lowering, node: OnnxNode) -> None:
    """alpha x + beta within 0..1, which the codes of its output cover."""
    value = lowering.value(node)
    axis = value.layout.innermost
    ones = np.ones(value.layout.shape[axis])
    slope, start = node.attributes.get("alpha", 0.2), node.attributes.get("beta", 0.5)
    scale_shift(lowering, node, value, slope * ones, start * ones, axis, (0.0, 1.0))


def _gelu(lowering: Lowering, node: OnnxNode) -> None:
    """x sigmoid(1.702 x): int8 kernels know no error function."""
    value, output = lowering.value(node), node.outputs[0]
    axis = value.layout.innermost
    each = np.full(value.layout.shape[axis], _GELU)
    steep, gate = f"{output}/steep", f"{output}/gate"
    scale_shift(lowering, replace(node, outputs=(steep,)), value, each, 0.0 * each, axis)
    found = lowering.values[steep]
    lowering.observed[found.tensor] = node.inputs[0]
    lowering.gains[found.tensor] = _GELU
    lowering.layouts[found.tensor] = found.layout
    shape = lowering.shapes[found.tensor]
    lowering.emit(Node("LOGISTIC", [found.tensor], gate, place=node.place), shape, node.inputs[0])
    inputs = [lowering.view(value.tensor, shape), gate]
    made = Node("MUL", inputs, output, {"activation": "NONE"}, place=node.place)
    lowering.values[output] = Value(lowering.emit(made, shape, output), value.layout)


def _softmax(lowering: Lowering, node: OnnxNode) -> None:
    value = lowering.value(node)
    shape = value.layout.shape
    dim = node.attributes.get("axis", -1) % len(shape)
    at = axes(lowering, node, value)
    if at.order[-1] != dim:
        at = axes(lowering, node, value, [*(d for d in at.order if d != dim), dim])
    made = Node("SOFTMAX", [at.tensor], node.outputs[0], {"beta": 1.0}, place=node.place)
    bind_axes(lowering, node.outputs[0], lowering.emit(made, at.shape, node.outputs[0]), shape, at.order)


HANDLERS = {
    "Elu": _elu,
    "Gelu": _gelu,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _unary("HARD_SWISH"),
    "LeakyRelu": _leaky_relu,
    "PRelu": _prelu,
    "Sigmoid": _unary("LOGISTIC"),
    "Softmax": _softmax,
    "Tanh": _unary("TANH"),
}
REPLACEMENTS = dict.fromkeys(
    (
        "Abs",
        "Celu",
        "Erf",
        "Exp",
        "Log",
        "LogSoftmax",
        "Mish",
        "Reciprocal",
        "Selu",
        "Softplus",
        "Softsign",
        "Sqrt",
        "ThresholdedRelu",
    ),
    _USE,
)
