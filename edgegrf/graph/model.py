# SPDX-License-Identifier: Apache-2.0
"""The quantised graph that export writes and the compiler reads: a `.tflite` without its encoding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Graph", "Operator", "Quantization", "Tensor"]

STATE_PREFIX = "state:"
NEXT_SUFFIX = ":next"


@dataclass(frozen=True)
class Quantization:
    """real = scale * (q - zero_point), per tensor (one entry) or per channel along `axis`."""

    scales: NDArray[np.float32]  # [1] or [channels]
    zero_points: NDArray[np.int64]  # [1] or [channels]
    axis: int = 0


@dataclass(frozen=True)
class Tensor:
    """A tensor in TFLite's layout: channels last, batch first; `data` is set for constants."""

    name: str
    shape: tuple[int, ...]
    dtype: str  # int8, int16, int32, int64
    quantization: Quantization | None = None
    data: NDArray[Any] | None = None


@dataclass(frozen=True)
class Operator:
    """One TFLite builtin operator; tensors by index, -1 for an absent optional input.

    `options`, where the operator has them: padding ("SAME" or "VALID"), stride (h, w), dilation (h, w),
    activation ("NONE", "RELU", "RELU6", "RELU_N1_TO_1"), depth_multiplier, filter (h, w), new_shape, axis,
    alpha, beta, mode ("REFLECT" or "SYMMETRIC"), align_corners, half_pixel_centers, keep_dims, begin_mask and
    its like.
    """

    kind: str  # TFLite's name: CONV_2D, DEPTHWISE_CONV_2D, ...
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    version: int = 1


@dataclass(frozen=True)
class Graph:
    """A model: operators in execution order.

    A step model (a recurrent student) keeps state: an input named "state:NAME" takes, at the next
    step, the bits of the output named "state:NAME:next"; both have one scale and zero point.
    """

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    description: str = ""

    @property
    def states(self) -> tuple[tuple[int, int], ...]:
        """(input tensor, output tensor) of each state, in the order of the inputs."""
        by_name = {self.tensors[index].name: index for index in self.outputs}
        return tuple(
            (index, by_name[self.tensors[index].name + NEXT_SUFFIX])
            for index in self.inputs
            if self.tensors[index].name.startswith(STATE_PREFIX)
        )
