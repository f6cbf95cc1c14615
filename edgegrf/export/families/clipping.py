# SPDX-License-Identifier: Apache-2.0
"""Relu, Clip, Max and Min with numbers: of the layer before where it can, else RELU or QUANTIZE.

Any other bounds than those of a fused activation are those of the output's int8 codes, which saturate there.
"""

from __future__ import annotations

import numpy as np

from edgegrf.export.families.scale import Limits, changeable
from edgegrf.export.lowered import Node
from edgegrf.export.lowering import Handler, Lowering, OnnxNode, Value

__all__ = ["HANDLERS", "REPLACEMENTS"]


def _relu(lowering: Lowering, node: OnnxNode) -> None:
    _alone(lowering, node, lowering.value(node), "RELU", {})


def _clip(lowering: Lowering, node: OnnxNode) -> None:
    bounds = [lowering.constant(node, index) for index in (1, 2)]
    if any(bound is None and name for bound, name in zip(bounds, node.inputs[1:], strict=False)):
        lowering.refuse(node, "its bounds are computed", "fixed bounds")
    low, high = (
        None if bound is None or not np.isfinite(bound).all() else float(bound.item()) for bound in bounds
    )
    _limit(lowering, node, lowering.value(node), (low, high))


def _one_sided(side: int) -> Handler:
    """Max or Min of a value and a number."""

    def handler(lowering: Lowering, node: OnnxNode) -> None:
        constants = [lowering.constant(node, index) for index in range(len(node.inputs))]
        if len(constants) == 1:
            lowering.values[node.outputs[0]] = lowering.value(node)
            return
        number = next((constant for constant in constants if constant is not None), None)
        if len(constants) != 2 or number is None or number.size != 1:
            lowering.refuse(node, "it compares two tensors", "torch.clamp with numbers")
        bound = float(number.reshape(-1)[0])
        value = lowering.value(node, 1 if constants[0] is not None else 0)
        _limit(lowering, node, value, (bound, None) if side == 0 else (None, bound))

    return handler


def _limit(lowering: Lowering, node: OnnxNode, value: Value, limits: Limits) -> None:
    low, high = limits
    if limits == (0.0, None):
        _alone(lowering, node, value, "RELU", {})
        return
    if (low or 0.0) > 0 or (high or 0.0) < 0:
        lowering.refuse(node, f"it clips to {low}..{high}", "bounds with 0 between them")
    layer = changeable(lowering, node, value)
    if layer is not None:
        lowering.values[node.outputs[0]] = value
        lowering.rename(value.tensor, node.outputs[0])
        layer.options["limits"] = limits
        return
    _alone(lowering, node, value, "QUANTIZE", {"limits": limits})


def _alone(lowering: Lowering, node: OnnxNode, value: Value, kind: str, options: dict[str, object]) -> None:
    """An operator of its own, which no layer before took in."""
    made = Node(kind, [value.tensor], node.outputs[0], options, place=node.place)
    tensor = lowering.emit(made, lowering.shapes[value.tensor], node.outputs[0])
    lowering.values[node.outputs[0]] = Value(tensor, value.layout)


HANDLERS = {"Clip": _clip, "Max": _one_sided(0), "Min": _one_sided(1), "Relu": _relu}
REPLACEMENTS: dict[str, str] = {}
