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

__all__ = ["SAME_SCALE", "Lowered", "Node"]

#: operators whose output has the scale and zero point of their input
SAME_SCALE = frozenset({"AVERAGE_POOL_2D", "PAD", "RESHAPE"})


@dataclass
class Node:
    """One TFLite operator in float.

    `weights` are in TFLite's order: CONV_2D [out, h, w, in], DEPTHWISE_CONV_2D [1, h, w, out],
    FULLY_CONNECTED [out, in]; PAD has options["pads"], [[before, after], ...]; `place` is for people.
    """

    kind: str
    inputs: list[str]
    output: str
    options: dict[str, Any] = field(default_factory=dict)
    weights: NDArray[np.float32] | None = None
    bias: NDArray[np.float32] | None = None
    place: str = ""


@dataclass(frozen=True)
class Lowered:
    """Nodes in execution order; every tensor has its shape, and most an ONNX value that `observed` names."""

    nodes: tuple[Node, ...]
    shapes: Mapping[str, tuple[int, ...]]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    observed: Mapping[str, str]  # tensor -> the ONNX value with the same content
    layouts: Mapping[str, Layout]  # ONNX value -> how it lies in those tensors

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
