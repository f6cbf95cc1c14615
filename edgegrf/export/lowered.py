# SPDX-License-Identifier: Apache-2.0
"""The lowered graph: channels-last operators on float tensors, before any quantisation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.export.layout import Layout

__all__ = ["SAME_SCALE", "Content", "Lowered", "Node"]

#: operators whose output has the scale and zero point of their inputs
SAME_SCALE = frozenset(
    {
        "AVERAGE_POOL_2D",
        "CONCATENATION",
        "MAX_POOL_2D",
        "MIRROR_PAD",
        "PAD",
        "PADV2",
        "RESHAPE",
        "RESIZE_NEAREST_NEIGHBOR",
        "SLICE",
        "STRIDED_SLICE",
        "TRANSPOSE",
    }
)


@dataclass
class Node:
    """One TFLite operator in float.

    `weights` are in TFLite's order: CONV_2D [out, h, w, in], DEPTHWISE_CONV_2D [1, h, w, out],
    FULLY_CONNECTED [out, in].  options["vectors"] are int32 inputs after the others: {name: values};
    options["constant"] is a float input of ADD, SUB, MUL (at place options["side"]) or PRELU's slopes;
    options["limits"] are what an output without activation is clipped to, (low, high) around 0, None for
    open.  `place` is for people.  `scales` are those of the int8 weights, one an output, if chosen already.
    """

    kind: str
    inputs: list[str]
    output: str
    options: dict[str, Any] = field(default_factory=dict)
    weights: NDArray[np.float32] | None = None
    bias: NDArray[np.float32] | None = None
    place: str = ""
    scales: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Content:
    """What a tensor holds: `gain` times an ONNX value that lies as `layout` says.

    `part` = (start, stop, of): of every `of` values that follow each other in memory, only those.
    """

    value: str
    layout: Layout
    gain: float = 1.0
    part: tuple[int, int, int] | None = None


@dataclass(frozen=True)
class Lowered:
    """Nodes in execution order; every tensor has its shape and what it holds, bar borders of zeros."""

    nodes: tuple[Node, ...]
    shapes: Mapping[str, tuple[int, ...]]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    observed: Mapping[str, Content]

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one invocation."""
        total = 0
        for node in self.nodes:
            if node.weights is not None:
                output = math.prod(self.shapes[node.output])
                per_output = node.weights.size // node.bias.size if node.bias is not None else 0
                total += output * per_output
        return total
