# SPDX-License-Identifier: Apache-2.0
"""Conv 1d and 2d: CONV_2D and DEPTHWISE_CONV_2D, with padding as SAME where that gives the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.export.layout import Atom
from edgegrf.export.lowered import Node
from edgegrf.export.lowering import Lowering, OnnxNode, Value

__all__ = ["HANDLERS", "REPLACEMENTS"]


@dataclass
class _Geometry:
    """Of a 2-D convolution, each (h, w); `before` and `after` are the zeros put around the input."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    before: tuple[int, int]
    after: tuple[int, int]

    def output(self, size: tuple[int, int]) -> tuple[int, int]:
        """(height, width) of the output for an input of `size`."""
        height, width = (self._output(size[axis], axis) for axis in (0, 1))
        return height, width

    def _output(self, size: int, axis: int) -> int:
        room = size + self.before[axis] + self.after[axis] - self.dilation[axis] * (self.kernel[axis] - 1)
        return (room - 1) // self.stride[axis] + 1

    def is_same(self, size: tuple[int, int]) -> bool:
        """True if TFLite's SAME puts the very same zeros around an input of `size`."""
        for axis in (0, 1):
            outputs = -(-size[axis] // self.stride[axis])
            span = (outputs - 1) * self.stride[axis] + self.dilation[axis] * (self.kernel[axis] - 1) + 1
            zeros = max(span - size[axis], 0)
            if (self.before[axis], self.after[axis]) != (zeros // 2, zeros - zeros // 2):
                return False
        return True


def _conv(lowering: Lowering, node: OnnxNode) -> None:
    value = lowering.value(node)
    weights, bias = _weights(lowering, node)
    geometry = _geometry(lowering, node, weights.shape[2:])
    source, (batch, height, width, channels) = lowering.channels_last(node, value)
    output = _take_crop(lowering, node.outputs[0], geometry)
    activation, output = lowering.activation(output)
    weights, bias = _prefold(lowering, node, weights, bias)
    depthwise = node.attributes.get("group", 1) != 1
    order = value.layout.indices(1)
    if depthwise:
        tensor_weights = _depthwise_weights(lowering, node, weights, channels, order)
    else:
        tensor_weights = weights[:, order].transpose(0, 2, 3, 1)
    shape = (batch, *geometry.output((height, width)), weights.shape[0])
    if min(shape) < 1:
        lowering.refuse(node, f"its output would have shape {shape}", "a longer window")
    source, padding = _pad(lowering, source, geometry, (batch, height, width, channels))
    options: dict[str, Any] = {
        "padding": padding,
        "stride": geometry.stride,
        "dilation": geometry.dilation,
        "activation": activation,
    }
    if depthwise:
        options["depth_multiplier"] = weights.shape[0] // channels
    kind = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
    made = Node(kind, [source], output, options, np.ascontiguousarray(tensor_weights), bias, node.place)
    _bind(lowering, lowering.emit(made, shape, output), output, value, shape)


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


def _geometry(lowering: Lowering, node: OnnxNode, kernel: tuple[int, ...]) -> _Geometry:
    if node.attributes.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        lowering.refuse(node, "its padding is automatic", "explicit padding")
    rank = len(node.attributes.get("kernel_shape", kernel))
    pads = list(node.attributes.get("pads", [0] * 2 * rank))

    def pair(values: list[int], fill: int) -> tuple[int, int]:
        height, width = [fill] * (2 - len(values)) + list(values)
        return height, width

    return _Geometry(
        (kernel[0], kernel[1]),
        pair(node.attributes.get("strides", [1] * rank), 1),
        pair(node.attributes.get("dilations", [1] * rank), 1),
        pair(pads[:rank], 0),
        pair(pads[rank:], 0),
    )


def _take_crop(lowering: Lowering, output: str, geometry: _Geometry) -> str:
    """Conv padded on both sides, then cut at its end ("chomp"), is Conv padded less: take the Slice in."""
    from edgegrf.export.families.slicing import end_crop

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


def _depthwise_weights(
    lowering: Lowering, node: OnnxNode, weights: NDArray[np.float32], channels: int, order: NDArray[np.int64]
) -> NDArray[np.float32]:
    if node.attributes["group"] != channels or weights.shape[1] != 1:
        lowering.refuse(
            node,
            f"{node.attributes['group']} groups over {channels} channels",
            "groups=1, or groups=channels (depthwise)",
        )
    if np.any(order != np.arange(channels)):
        lowering.refuse(node, "its channels lie in another order in memory", "a 1x1 Conv before it")
    return weights.transpose(1, 2, 3, 0)


def _pad(
    lowering: Lowering, source: str, geometry: _Geometry, shape: tuple[int, int, int, int]
) -> tuple[str, str]:
    """(tensor to convolve, padding): SAME where it reproduces the zeros, else PAD and VALID."""
    batch, height, width, channels = shape
    if not any((*geometry.before, *geometry.after)):
        return source, "VALID"
    if geometry.is_same((height, width)):
        return source, "SAME"
    sides = list(zip(geometry.before, geometry.after, strict=True))
    pads = [[0, 0], list(sides[0]), list(sides[1]), [0, 0]]
    padded = (batch, height + sum(sides[0]), width + sum(sides[1]), channels)
    name = f"{source}/pad{'_'.join(str(n) for side in sides for n in side)}"
    if name not in lowering.shapes:
        lowering.emit(Node("PAD", [source], name, {"pads": pads}), padded, lowering.observed[source])
    return name, "VALID"


def _bind(lowering: Lowering, tensor: str, output: str, value: Value, shape: tuple[int, ...]) -> None:
    rank = len(value.layout.dims)
    spatial = [Atom(size) for size in shape[1:3][4 - rank :]]
    channel = Atom(shape[3])
    batch = value.layout.dims[0]
    dims = [batch, (channel,), *((atom,) for atom in spatial)]
    lowering.bind(output, tensor, dims, [*value.layout.real(0), *spatial, channel])


HANDLERS = {"Conv": _conv}
REPLACEMENTS = {"ConvTranspose": "a Conv on the samples as they come", "ConvInteger": "the float model"}
