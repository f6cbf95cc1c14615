# SPDX-License-Identifier: Apache-2.0
"""TFLite's operators in float, by torch: the oracle of the lowering."""

from __future__ import annotations

import torch
from torch.nn import functional

from edgegrf.export.lowered import Node

_ACTIVATIONS = {
    "NONE": lambda x: x,
    "RELU": functional.relu,
    "RELU6": functional.relu6,
    "RELU_N1_TO_1": lambda x: x.clamp(-1, 1),
}
_BINARY = {"ADD": torch.add, "SUB": torch.sub, "MUL": torch.mul}
_UNARY = {
    "ELU": functional.elu,
    "HARD_SWISH": functional.hardswish,
    "LOGISTIC": torch.sigmoid,
    "QUANTIZE": lambda x: x,
    "RELU": functional.relu,
    "SOFTMAX": lambda x: torch.softmax(x, -1),
    "TANH": torch.tanh,
}


def operate(node: Node, given: list[torch.Tensor]) -> torch.Tensor:
    """What `node` gives in float."""
    if "constant" in node.options:
        given.insert(node.options.get("side", 1), torch.tensor(node.options["constant"]))
    if node.kind in _BINARY:
        value = _BINARY[node.kind](*given)
    elif node.kind in _UNARY:
        value = _UNARY[node.kind](given[0])
    else:
        value = _MORE[node.kind](node, given)
    value = _ACTIVATIONS[node.options.get("activation", "NONE")](value)
    low, high = node.options.get("limits", (None, None))
    return value if low is high is None else value.clamp(low, high)


def _dense(node: Node, given: list[torch.Tensor]) -> torch.Tensor:
    return given[0] @ torch.tensor(node.weights).T + torch.tensor(node.bias)


def _pool(node: Node, given: list[torch.Tensor]) -> torch.Tensor:
    """Pools in NHWC; SAME leaves out what lies outside."""
    size, stride = node.options["filter"], node.options["stride"]
    x = given[0].permute(0, 3, 1, 2)
    if node.options["padding"] == "SAME":
        sides = _same(x, size, stride, (1, 1))
        inside = functional.pad(torch.ones_like(x), sides)
        if node.kind == "MAX_POOL_2D":
            y = functional.max_pool2d(functional.pad(x, sides, value=-1e9), size, stride)
        else:
            y = functional.avg_pool2d(functional.pad(x, sides), size, stride)
            y = y / functional.avg_pool2d(inside, size, stride)
    elif node.kind == "MAX_POOL_2D":
        y = functional.max_pool2d(x, size, stride)
    else:
        y = functional.avg_pool2d(x, size, stride)
    return y.permute(0, 2, 3, 1)


def _pad(node: Node, given: list[torch.Tensor]) -> torch.Tensor:
    widths = [n for side in reversed(node.options["pads"]) for n in side]
    return functional.pad(given[0], widths, value=-1e9 if node.kind == "PADV2" else 0.0)


def _mirror(node: Node, given: list[torch.Tensor]) -> torch.Tensor:
    value = given[0]
    for axis, (before, after) in enumerate(node.options["vectors"]["widths"]):
        size = value.shape[axis]
        index = [*range(before, 0, -1), *range(size), *range(size - 2, size - 2 - after, -1)]
        value = value.index_select(axis, torch.tensor(index))
    return value


def _slice(node: Node, given: list[torch.Tensor]) -> torch.Tensor:
    vectors = node.options["vectors"]
    return given[0][tuple(slice(b, b + n) for b, n in zip(vectors["begin"], vectors["size"], strict=True))]


def _strided(node: Node, given: list[torch.Tensor]) -> torch.Tensor:
    value, vectors = given[0], node.options["vectors"]
    for axis, triple in enumerate(zip(vectors["begin"], vectors["end"], vectors["strides"], strict=True)):
        taken = list(range(value.shape[axis])[slice(*triple)])
        value = value.index_select(axis, torch.tensor(taken))
    return value


def _resize(node: Node, given: list[torch.Tensor]) -> torch.Tensor:
    x = given[0].permute(0, 3, 1, 2)
    return functional.interpolate(x, tuple(node.options["vectors"]["size"])).permute(0, 2, 3, 1)


def _same(x: torch.Tensor, kernel, stride, dilation) -> list[int]:
    """The border of TFLite's SAME as functional.pad takes it; the odd one goes behind."""
    sides: list[int] = []
    for axis in (1, 0):
        size, span = x.shape[2 + axis], dilation[axis] * (kernel[axis] - 1) + 1
        zeros = max((-(-size // stride[axis]) - 1) * stride[axis] + span - size, 0)
        sides += [zeros // 2, zeros - zeros // 2]
    return sides


def _conv(node: Node, given: list[torch.Tensor]) -> torch.Tensor:
    """TFLite's convolution in NHWC."""
    x = given[0].permute(0, 3, 1, 2)
    weights = torch.tensor(node.weights)
    depthwise = node.kind == "DEPTHWISE_CONV_2D"
    weights = weights.permute(3, 0, 1, 2) if depthwise else weights.permute(0, 3, 1, 2)
    stride, dilation = node.options["stride"], node.options["dilation"]
    if node.options["padding"] == "SAME":
        x = functional.pad(x, _same(x, weights.shape[2:], stride, dilation))
    groups = x.shape[1] if depthwise else 1
    y = functional.conv2d(x, weights, torch.tensor(node.bias), stride, 0, dilation, groups=groups)
    return y.permute(0, 2, 3, 1)


_MORE = {
    "AVERAGE_POOL_2D": _pool,
    "CONCATENATION": lambda node, given: torch.cat(given, node.options["axis"]),
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _conv,
    "FULLY_CONNECTED": _dense,
    "LEAKY_RELU": lambda node, given: functional.leaky_relu(given[0], node.options["alpha"]),
    "MAX_POOL_2D": _pool,
    "MEAN": lambda node, given: given[0].mean(node.options["vectors"]["axes"], keepdim=True),
    "MIRROR_PAD": _mirror,
    "PAD": _pad,
    "PADV2": _pad,
    "PRELU": lambda node, given: torch.where(given[0] >= 0, given[0], given[0] * given[1]),
    "RESHAPE": lambda node, given: given[0].reshape(node.options["new_shape"]),
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    "SLICE": _slice,
    "STRIDED_SLICE": _strided,
    "TRANSPOSE": lambda node, given: given[0].permute(node.options["vectors"]["order"]),
}
