# SPDX-License-Identifier: Apache-2.0
"""The lowered operators on real numbers in torch, several windows at once: the first dimension is times N."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from edgegrf.export.lowered import Node

__all__ = ["OPERATORS", "activate", "keeps_batch", "patches"]

_LOWEST = -1e9  # clipped to the least code

Operator = Callable[..., Tensor]


def activate(value: Tensor, activation: str) -> Tensor:
    """`value` after a fused activation."""
    bounds = {"RELU": (0.0, None), "RELU6": (0.0, 6.0), "RELU_N1_TO_1": (-1.0, 1.0)}
    return torch.clamp(value, *bounds[activation]) if activation in bounds else value


def keeps_batch(node: Node, shapes: Mapping[str, tuple[int, ...]]) -> bool:
    """True if `node` leaves the first dimension alone, so that it may be times N."""
    if len({shapes[name][0] for name in (*node.inputs, node.output)}) > 1:
        return node.kind == "RESHAPE"
    vectors = node.options.get("vectors", {})
    moves = node.kind == "TRANSPOSE" and vectors["order"][0] != 0
    return not moves and node.options.get("axis") != 0


def _conv(node: Node, given: list[Tensor], weights: Tensor, bias: Tensor) -> Tensor:
    """TFLite's convolutions in NHWC."""
    x = _padded(node, given[0].permute(0, 3, 1, 2), tuple(weights.shape[1:3]))
    depthwise = node.kind == "DEPTHWISE_CONV_2D"
    kernel = weights.permute(3, 0, 1, 2) if depthwise else weights.permute(0, 3, 1, 2)
    groups = x.shape[1] if depthwise else 1
    y = functional.conv2d(x, kernel, bias, node.options["stride"], 0, node.options["dilation"], groups)
    return y.permute(0, 2, 3, 1)


def _padded(node: Node, x: Tensor, kernel: tuple[int, ...]) -> Tensor:
    """[N, C, H, W] with the zeros that SAME means; the odd one comes behind."""
    if node.options["padding"] != "SAME":
        return x
    sides: list[int] = []
    for axis in (1, 0):
        size, stride = x.shape[2 + axis], node.options["stride"][axis]
        span = node.options.get("dilation", (1, 1))[axis] * (kernel[axis] - 1) + 1
        zeros = max((-(-size // stride) - 1) * stride + span - size, 0)
        sides += [zeros // 2, zeros - zeros // 2]
    return functional.pad(x, sides)


def patches(node: Node, x: Tensor) -> Tensor:
    """What each output of a weighted layer looks at: [positions, taps x channels], channels innermost."""
    assert node.weights is not None
    if node.kind == "FULLY_CONNECTED":
        return x.reshape(-1, node.weights.shape[1])
    kernel = tuple(node.weights.shape[1:3])
    x = _padded(node, x.permute(0, 3, 1, 2), kernel)
    columns = functional.unfold(x, kernel, node.options["dilation"], 0, node.options["stride"])
    shaped = columns.reshape(len(x), x.shape[1], kernel[0] * kernel[1], -1)
    return shaped.permute(0, 3, 2, 1).reshape(-1, kernel[0] * kernel[1] * x.shape[1])


def _dense(node: Node, given: list[Tensor], weights: Tensor, bias: Tensor) -> Tensor:
    return given[0] @ weights.T + bias


def _pool(node: Node, given: list[Tensor]) -> Tensor:
    """The mean over what lies inside the input."""
    size, stride = node.options["filter"], node.options["stride"]
    x = given[0].permute(0, 3, 1, 2)
    total = functional.avg_pool2d(_padded(node, x, size), size, stride, divisor_override=1)
    inside = functional.avg_pool2d(_padded(node, torch.ones_like(x), size), size, stride, divisor_override=1)
    return (total / inside).permute(0, 2, 3, 1)


def _pad(node: Node, given: list[Tensor]) -> Tensor:
    """With zeros, or with what no code lies below."""
    widths = [width for side in reversed(node.options["pads"]) for width in side]
    return functional.pad(given[0], widths, value=_LOWEST if node.kind == "PADV2" else 0.0)


def _reshape(node: Node, given: list[Tensor]) -> Tensor:
    return given[0].reshape(-1, *node.options["new_shape"][1:])


def _max_pool(node: Node, given: list[Tensor]) -> Tensor:
    size, stride = node.options["filter"], node.options["stride"]
    x = given[0].permute(0, 3, 1, 2)
    lowest = float(x.detach().min()) - 1
    return functional.max_pool2d(_padded(node, x - lowest, size) + lowest, size, stride).permute(0, 2, 3, 1)


def _slice(node: Node, given: list[Tensor]) -> Tensor:
    begins, sizes = node.options["vectors"]["begin"][1:], node.options["vectors"]["size"][1:]
    spans = (slice(begin, begin + size) for begin, size in zip(begins, sizes, strict=True))
    return given[0][(slice(None), *spans)]


def _strided(node: Node, given: list[Tensor]) -> Tensor:
    value, vectors = given[0], node.options["vectors"]
    spans = list(zip(vectors["begin"], vectors["end"], vectors["strides"], strict=True))
    for axis, (begin, end, stride) in list(enumerate(spans))[1:]:
        taken = list(range(value.shape[axis])[begin:end:stride])
        value = value.index_select(axis, torch.tensor(taken))
    return value


def _prelu(node: Node, given: list[Tensor]) -> Tensor:
    """Slopes as int8 has them."""
    slopes = torch.tensor(node.options["constant"], dtype=given[0].dtype)
    step = slopes.abs().max() / 128
    coded = torch.round(slopes / step).clamp(-128, 127) * step
    return torch.where(given[0] >= 0, given[0], given[0] * coded)


def _mirror(node: Node, given: list[Tensor]) -> Tensor:
    value = given[0]
    for axis, (before, after) in enumerate(node.options["vectors"]["widths"]):
        size = value.shape[axis]
        index = [*range(before, 0, -1), *range(size), *range(size - 2, size - 2 - after, -1)]
        value = value.index_select(axis, torch.tensor(index))
    return value


def _resize(node: Node, given: list[Tensor]) -> Tensor:
    x = given[0].permute(0, 3, 1, 2)
    size: list[int] = list(node.options["vectors"]["size"])
    return functional.interpolate(x, size).permute(0, 2, 3, 1)


#: kind -> function of (node, inputs, weights and bias where it has them), before the fused activation
OPERATORS: Mapping[str, Operator] = {
    "ADD": lambda node, given: given[0] + given[1],
    "AVERAGE_POOL_2D": _pool,
    "CONCATENATION": lambda node, given: torch.cat(given, node.options["axis"]),
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _conv,
    "ELU": lambda node, given: functional.elu(given[0]),
    "FULLY_CONNECTED": _dense,
    "HARD_SWISH": lambda node, given: functional.hardswish(given[0]),
    "LEAKY_RELU": lambda node, given: functional.leaky_relu(given[0], node.options["alpha"]),
    "LOGISTIC": lambda node, given: torch.sigmoid(given[0]),
    "MAX_POOL_2D": _max_pool,
    "MEAN": lambda node, given: given[0].mean(node.options["vectors"]["axes"], keepdim=True),
    "MIRROR_PAD": _mirror,
    "MUL": lambda node, given: given[0] * given[1],
    "PAD": _pad,
    "PADV2": _pad,
    "PRELU": _prelu,
    "QUANTIZE": lambda node, given: given[0],
    "RELU": lambda node, given: torch.relu(given[0]),
    "RESHAPE": _reshape,
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    "SLICE": _slice,
    "SOFTMAX": lambda node, given: torch.softmax(given[0], -1),
    "STRIDED_SLICE": _strided,
    "SUB": lambda node, given: given[0] - given[1],
    "TANH": lambda node, given: torch.tanh(given[0]),
    "TRANSPOSE": lambda node, given: given[0].permute(*node.options["vectors"]["order"]),
}
