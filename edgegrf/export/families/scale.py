# SPDX-License-Identifier: Apache-2.0
"""A scale and shift per channel: BatchNormalization, arithmetic with constants, and a Relu on its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgegrf.export.lowered import Node
from edgegrf.export.lowering import Lowering, OnnxNode, Value

__all__ = ["HANDLERS", "REPLACEMENTS", "scale_shift"]


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
) -> None:
    """Lower y = scale x + shift, per index of `axis`: into a neighbour, else as a depthwise 1x1 Conv."""
    if axis == 1 and _into_next(lowering, node, value, scale, shift):
        return
    activation, output = lowering.activation(node.outputs[0])
    _emit(lowering, node, value, (scale, shift, axis), activation, output)


def _emit(
    lowering: Lowering,
    node: OnnxNode,
    value: Value,
    affine: tuple[NDArray[np.float64], NDArray[np.float64], int],
    activation: str,
    output: str,
) -> None:
    scale, shift, axis = affine
    rank = len(value.layout.dims)
    others = [other for other in range(1, rank) if other != axis]
    named = value.layout.transpose([0, axis, *others])  # the same memory, `axis` called the channels
    source, shape = lowering.channels_last(node, Value(value.tensor, named))
    order = named.indices(1)
    options = {
        "padding": "VALID",
        "stride": (1, 1),
        "dilation": (1, 1),
        "activation": activation,
        "depth_multiplier": 1,
    }
    weights = scale.astype(np.float32)[order].reshape(1, 1, 1, -1)
    bias = shift.astype(np.float32)[order]
    made = Node("DEPTHWISE_CONV_2D", [source], output, options, weights, bias, node.place)
    lowering.values[output] = Value(lowering.emit(made, shape, output), value.layout)


def _into_next(
    lowering: Lowering, node: OnnxNode, value: Value, scale: NDArray[np.float64], shift: NDArray[np.float64]
) -> bool:
    """Leave it to the convolution that alone reads the result, if it pads nothing: a shift is no zero."""
    reader = lowering.only_consumer(node.outputs[0])
    if reader is None or reader.kind != "Conv" or any(reader.attributes.get("pads", [])):
        return False
    lowering.values[node.outputs[0]] = value
    lowering.prefolded[node.outputs[0]] = scale.astype(np.float32), shift.astype(np.float32)
    return True


def _clamp(lowering: Lowering, node: OnnxNode) -> None:
    """A Relu that no layer took in: a depthwise 1x1 Conv of weight 1 carries it."""
    activation = lowering.activation_of(node)
    if activation is None:
        lowering.refuse(node, "its bounds are not those of a fused activation", "ReLU or ReLU6")
    value = lowering.value(node)
    axis = value.layout.innermost
    ones = np.ones(value.layout.shape[axis])
    _emit(lowering, node, value, (ones, 0 * ones, axis), activation, node.outputs[0])


HANDLERS = {"BatchNormalization": _batch_normalization, "Clip": _clamp, "Relu": _clamp}
REPLACEMENTS = {
    "LayerNormalization": "BatchNorm1d, which folds into its neighbour",
    "InstanceNormalization": "BatchNorm1d, which folds into its neighbour",
    "GroupNormalization": "BatchNorm1d, which folds into its neighbour",
}
