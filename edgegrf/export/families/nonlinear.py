# SPDX-License-Identifier: Apache-2.0
"""Sigmoid and Tanh: tables of 256 entries in int8, with the output scales that TFLite prescribes."""

from __future__ import annotations

from edgegrf.export.lowered import Node
from edgegrf.export.lowering import Handler, Lowering, OnnxNode, Value

__all__ = ["HANDLERS", "REPLACEMENTS"]

_USE_RELU = "nn.ReLU or nn.ReLU6"


def _unary(kind: str) -> Handler:
    def handler(lowering: Lowering, node: OnnxNode) -> None:
        value = lowering.value(node)
        made = Node(kind, [value.tensor], node.outputs[0], place=node.place)
        tensor = lowering.emit(made, lowering.shapes[value.tensor], node.outputs[0])
        lowering.values[node.outputs[0]] = Value(tensor, value.layout)

    return handler


HANDLERS = {"Sigmoid": _unary("LOGISTIC"), "Tanh": _unary("TANH")}
REPLACEMENTS = dict.fromkeys(
    (
        "Celu",
        "Elu",
        "Erf",
        "Gelu",
        "HardSigmoid",
        "HardSwish",
        "LeakyRelu",
        "Mish",
        "PRelu",
        "Selu",
        "Softplus",
        "Swish",
        "ThresholdedRelu",
    ),
    _USE_RELU,
) | {"Softmax": "leave it to the host: a force is no probability", "Exp": _USE_RELU}
