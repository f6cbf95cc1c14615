# SPDX-License-Identifier: Apache-2.0
"""The lowered operators on real numbers in torch, several windows at once: the first dimension is times N."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from edgegrf.export.lowered import Node

__all__ = ["OPERATORS", "activate", "patches"]

Operator = Callable[..., Tensor]


def activate(value: Tensor, activation: str) -> Tensor:
    """`value` after a fused activation."""
    bounds = {"RELU": (0.0, None), "RELU6": (0.0, 6.0), "RELU_N1_TO_1": (-1.0, 1.0)}
    return torch.clamp(value, *bounds[activation]) if activation in bounds else value


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
    return functional.pad(given[0], [zeros for side in reversed(node.options["pads"]) for zeros in side])


def _reshape(node: Node, given: list[Tensor]) -> Tensor:
    return given[0].reshape(-1, *node.options["new_shape"][1:])


#: kind -> function of (node, inputs, weights and bias where it has them), before the fused activation
OPERATORS: Mapping[str, Operator] = {
    "ADD": lambda node, given: given[0] + given[1],
    "AVERAGE_POOL_2D": _pool,
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _conv,
    "FULLY_CONNECTED": _dense,
    "LOGISTIC": lambda node, given: torch.sigmoid(given[0]),
    "MUL": lambda node, given: given[0] * given[1],
    "PAD": _pad,
    "RESHAPE": _reshape,
    "SUB": lambda node, given: given[0] - given[1],
    "TANH": lambda node, given: torch.tanh(given[0]),
}
