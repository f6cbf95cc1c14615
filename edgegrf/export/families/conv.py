# SPDX-License-Identifier: Apache-2.0
"""Conv 1d and 2d: CONV_2D and DEPTHWISE_CONV_2D, with padding as SAME where that gives the same."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.export.arrange import Axes, channels_last
from edgegrf.export.families.geometry import Geometry, pad
from edgegrf.export.families.joining import join
from edgegrf.export.families.slicing import cut, end_crop
from edgegrf.export.layout import Atom
from edgegrf.export.lowered import Node
from edgegrf.export.lowering import Lowering, OnnxNode, Value

__all__ = ["HANDLERS", "REPLACEMENTS"]


_MOST_GROUPS = 10  # that TFLite Micro's CONCATENATION can join


def _conv(lowering: Lowering, node: OnnxNode) -> None:
    weights, bias = _weights(lowering, node)
    geometry = Geometry.of(lowering, node, weights.shape[2:])
    groups = int(node.attributes.get("group", 1))
    value, source, (batch, height, width, channels) = channels_last(
        lowering, node, lowering.value(node), logical=groups > 1
    )
    output = _take_crop(lowering, node.outputs[0], geometry)
    activation, output = lowering.activation(output)
    weights, bias = _prefold(lowering, node, weights, bias)
    shape = (batch, *geometry.output((height, width)), weights.shape[0])
    if min(shape) < 1:
        lowering.refuse(node, f"its output would have shape {shape}", "a longer window")
    padding = "SAME" if geometry.is_same((height, width)) else "VALID"
    options: dict[str, Any] = {
        "padding": padding,
        "stride": geometry.stride,
        "dilation": geometry.dilation,
        "activation": activation,
    }
    depthwise = groups > 1 and groups == channels
    if groups > _MOST_GROUPS and not depthwise:
        weights = _with_zeros(weights, groups)
    elif groups > 1 and not depthwise:
        tensor = _grouped(lowering, node, source, geometry, (weights, bias), options, shape, output)
        _bind(lowering, tensor, output, value, shape)
        return
    if depthwise:
        options["depth_multiplier"] = weights.shape[0] // channels
        placed = weights.transpose(1, 2, 3, 0)
    else:
        placed = weights[:, value.layout.indices(1)].transpose(0, 2, 3, 1)
    source = source if padding == "SAME" else pad(lowering, source, geometry)
    kind = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
    made = Node(kind, [source], output, options, np.ascontiguousarray(placed), bias, node.place)
    _bind(lowering, lowering.emit(made, shape, output), output, value, shape)


def _grouped(
    lowering: Lowering,
    node: OnnxNode,
    source: str,
    geometry: Geometry,
    layer: tuple[NDArray[np.float32], NDArray[np.float32]],
    options: dict[str, Any],
    shape: tuple[int, ...],
    output: str,
) -> str:
    """A convolution for each group of channels, and what they give one behind the other."""
    weights, bias = layer
    outputs, depth = weights.shape[:2]
    groups = lowering.shapes[source][3] // depth
    each, at = outputs // groups, Axes(source, lowering.shapes[source], (0, 1, 2, 3))
    parts = []
    for group in range(groups):
        channels = cut(lowering, node, at, 3, group * depth, (group + 1) * depth)
        lowering.observed[channels] = lowering.observed[source]
        lowering.parts[channels] = (group * depth, (group + 1) * depth, at.shape[3])
        channels = channels if options["padding"] == "SAME" else pad(lowering, channels, geometry)
        rows = slice(group * each, (group + 1) * each)
        placed = np.ascontiguousarray(weights[rows].transpose(0, 2, 3, 1))
        name = f"{output}/group{group}"
        made = Node("CONV_2D", [channels], name, dict(options), placed, bias[rows], node.place)
        parts.append(lowering.emit(made, (*shape[:3], each), output))
        lowering.parts[name] = (group * each, (group + 1) * each, outputs)
    return join(lowering, node, parts, 3, shape, output)


def _with_zeros(weights: NDArray[np.float32], groups: int) -> NDArray[np.float32]:
    """The weights of many small groups as those of one, zeros between them."""
    outputs, depth, *kernel = weights.shape
    whole = np.zeros((outputs, depth * groups, *kernel), np.float32)
    for group in range(groups):
        rows = slice(group * outputs // groups, (group + 1) * outputs // groups)
        whole[rows, group * depth : (group + 1) * depth] = weights[rows]
    return whole


def _weights(lowering: Lowering, node: OnnxNode) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights as [out, in, h, w] and bias [out]."""
    weights = lowering.constant(node, 1)
    if weights is None:
        lowering.refuse(node, "its weights are computed", "a Conv with parameters of its own")
    if weights.ndim == 3:
        weights = weights[:, :, None]
    if weights.ndim != 4:
        lowering.refuse(node, f"it is {weights.ndim - 2}-dimensional", "Conv1d or Conv2d")
    bias = lowering.constant(node, 2)
    return weights, np.zeros(len(weights), np.float32) if bias is None else bias


def _take_crop(lowering: Lowering, output: str, geometry: Geometry) -> str:
    """Conv padded on both sides, then cut at its end ("chomp"), is Conv padded less: take the Slice in."""
    reader = lowering.only_consumer(output)
    cut = end_crop(lowering, reader) if reader is not None else 0
    zeros = cut * geometry.stride[1]
    if reader is None or cut == 0 or zeros > geometry.after[1]:
        return output
    lowering.absorb(reader)
    geometry.after = (geometry.after[0], geometry.after[1] - zeros)
    return reader.outputs[0]


def _prefold(
    lowering: Lowering, node: OnnxNode, weights: NDArray[np.float32], bias: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Take a preceding scale and shift a channel into the weights; exact because nothing is padded."""
    if node.inputs[0] not in lowering.prefolded:
        return weights, bias
    scale, shift = lowering.prefolded[node.inputs[0]]
    if node.attributes.get("group", 1) == 1:
        folded = weights * scale[None, :, None, None]
        return folded, bias + np.einsum("oihw,i->o", weights, shift)
    each = len(weights) // len(scale)
    scales, shifts = np.repeat(scale, each), np.repeat(shift, each)
    return weights * scales[:, None, None, None], bias + weights.sum((1, 2, 3)) * shifts


def _bind(lowering: Lowering, tensor: str, output: str, value: Value, shape: tuple[int, ...]) -> None:
    rank = len(value.layout.dims)
    spatial = [Atom(size) for size in shape[1:3][4 - rank :]]
    channel = Atom(shape[3])
    batch = value.layout.dims[0]
    dims = [batch, (channel,), *((atom,) for atom in spatial)]
    lowering.bind(output, tensor, dims, [*value.layout.real(0), *spatial, channel])


HANDLERS = {"Conv": _conv}
REPLACEMENTS = {"ConvInteger": "the float model"}
