# SPDX-License-Identifier: Apache-2.0
"""A scale and shift per channel: BatchNormalization and its like, into a neighbour where one takes it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgegrf.export.arrange import channels_last
from edgegrf.export.layout import Layout
from edgegrf.export.lowered import Node
from edgegrf.export.lowering import Lowering, OnnxNode, Value

__all__ = ["HANDLERS", "REPLACEMENTS", "Limits", "changeable", "scale_shift"]

Affine = tuple[NDArray[np.float64], NDArray[np.float64], int]  # scale, shift, and the axis they go along
_OWN_SCALE = ("ADD", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "MUL", "SUB")
#: what an output is clipped to, None for open
Limits = tuple[float | None, float | None]


def _batch_normalization(lowering: Lowering, node: OnnxNode) -> None:
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta (Ioffe and Szegedy 2015)."""
    parameters = [lowering.constant(node, index) for index in range(1, 5)]
    if any(parameter is None for parameter in parameters) or node.attributes.get("training_mode", 0):
        lowering.refuse(node, "it normalises by the batch", "model.eval() before exporting")
    gamma, beta, mean, variance = (np.asarray(parameter, np.float64) for parameter in parameters)
    scale = gamma / np.sqrt(variance + node.attributes.get("epsilon", 1e-5))
    scale_shift(lowering, node, lowering.value(node), scale, beta - mean * scale)


def scale_shift(
    lowering: Lowering,
    node: OnnxNode,
    value: Value,
    scale: NDArray[np.float64],
    shift: NDArray[np.float64],
    axis: int = 1,
    limits: Limits | None = None,
) -> None:
    """Lower y = scale x + shift, per index of `axis`, clipped to `limits`: into a neighbour, else as a
    depthwise 1x1 Conv."""
    if limits is None and axis == 1 and _into_next(lowering, node, value, scale, shift):
        return
    layer = changeable(lowering, node, value)
    if layer is None or not _into_previous(lowering, layer, node, value, (scale, shift, axis)):
        _emit(lowering, node, value, (scale, shift, axis))
        layer = lowering.nodes[-1]
    if limits is not None:
        layer.options["limits"] = limits
        return
    layer.options["activation"], output = lowering.activation(node.outputs[0])
    lowering.rename(node.outputs[0], output)


def changeable(lowering: Lowering, node: OnnxNode, value: Value) -> Node | None:
    """What makes `value`, if it does so for `node` alone and clamps nothing yet."""
    names = [name for name, other in lowering.values.items() if other.tensor == value.tensor]
    layer = lowering.producer(value.tensor)
    alone = len(names) == 1 and lowering.only_consumer(names[0]) is node
    read = any(value.tensor in other.inputs for other in lowering.nodes)
    if layer is None or layer.kind not in _OWN_SCALE or read or not alone:
        return None
    return layer if layer.options["activation"] == "NONE" and "limits" not in layer.options else None


def _into_previous(lowering: Lowering, layer: Node, node: OnnxNode, value: Value, affine: Affine) -> bool:
    """Scale and shift what `layer` gives by its weights and its bias, if it has them for each index."""
    scale, shift, axis = affine
    atoms = value.layout.real(axis)
    last = value.layout.order[len(value.layout.order) - len(atoms) :]
    if (
        layer.weights is None
        or layer.bias is None
        or set(last) != set(atoms)
        or layer.bias.size != scale.size
    ):
        return False
    order = value.layout.indices(axis)
    factors = scale[order].astype(np.float32)
    along = (
        factors if layer.kind == "DEPTHWISE_CONV_2D" else factors.reshape(-1, *[1] * (layer.weights.ndim - 1))
    )
    layer.weights = np.ascontiguousarray(layer.weights * along)
    layer.bias = (layer.bias * scale[order] + shift[order]).astype(np.float32)
    lowering.values[node.outputs[0]] = value
    lowering.rename(value.tensor, node.outputs[0])
    return True


def _emit(lowering: Lowering, node: OnnxNode, value: Value, affine: Affine) -> None:
    scale, shift, axis = affine
    rank = len(value.layout.dims)
    others = [other for other in range(1, rank) if other != axis]
    named = value.layout.transpose([0, axis, *others])  # the same memory, `axis` called the channels
    found, source, shape = channels_last(lowering, node, Value(value.tensor, named))
    order = found.layout.indices(1)
    options = {
        "padding": "VALID",
        "stride": (1, 1),
        "dilation": (1, 1),
        "activation": "NONE",
        "depth_multiplier": 1,
    }
    weights = scale.astype(np.float32)[order].reshape(1, 1, 1, -1)
    bias = shift.astype(np.float32)[order]
    output = node.outputs[0]
    made = Node("DEPTHWISE_CONV_2D", [source], output, options, weights, bias, node.place)
    lies = Layout(value.layout.dims, found.layout.order)
    lowering.values[output] = Value(lowering.emit(made, shape, output), lies)


def _into_next(
    lowering: Lowering, node: OnnxNode, value: Value, scale: NDArray[np.float64], shift: NDArray[np.float64]
) -> bool:
    """Leave it to the convolution that alone reads the result, if it pads nothing: a shift is no zero."""
    reader = lowering.only_consumer(node.outputs[0])
    if reader is None or reader.kind != "Conv" or any(reader.attributes.get("pads", [])):
        return False
    if reader.inputs[0] != node.outputs[0] or reader.attributes.get("group", 1) not in (1, len(scale)):
        return False
    lowering.values[node.outputs[0]] = value
    lowering.prefolded[node.outputs[0]] = scale.astype(np.float32), shift.astype(np.float32)
    return True


HANDLERS = {"BatchNormalization": _batch_normalization}
REPLACEMENTS = dict.fromkeys(
    ("GroupNormalization", "InstanceNormalization", "LayerNormalization", "RMSNormalization"),
    "BatchNorm1d, which folds into its neighbour: a norm of the sample itself has no int8 kernel",
)
