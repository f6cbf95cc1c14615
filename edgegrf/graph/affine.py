# SPDX-License-Identifier: Apache-2.0
"""The affine code of int8 tensors: real = scale * (q - zero_point), as in TFLite's 8-bit specification."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import ModelError
from edgegrf.graph.model import STATE_PREFIX, Graph

__all__ = ["dequantize", "force_code", "pressure_code", "quantize"]


def quantize(x: NDArray[np.floating[Any]], scale: float, zero_point: int) -> tuple[NDArray[np.int8], int]:
    """`x` as int8, q = round(x / scale) + zero_point with halves to even, and how many values were clipped.

    Source: Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference", eq. 1.
    """
    q = np.rint(np.asarray(x, np.float64) / scale) + zero_point
    kept = np.clip(q, -128, 127)
    return kept.astype(np.int8), int(np.count_nonzero(q != kept))


def dequantize(q: NDArray[np.int8], scale: float, zero_point: int) -> NDArray[np.float64]:
    """The real values scale * (q - zero_point)."""
    return scale * (q.astype(np.float64) - zero_point)


def pressure_code(graph: Graph) -> tuple[float, int]:
    """Scale and zero point of the input that is not a state; raises ModelError if it is not quantised."""
    return _code(graph, graph.inputs)


def force_code(graph: Graph) -> tuple[float, int]:
    """Scale and zero point of the output that is not a state; raises ModelError if it is not quantised."""
    return _code(graph, graph.outputs)


def _code(graph: Graph, indices: tuple[int, ...]) -> tuple[float, int]:
    for index in indices:
        tensor = graph.tensors[index]
        if not tensor.name.startswith(STATE_PREFIX):
            if tensor.quantization is None:
                raise ModelError(
                    f"tensor '{tensor.name}' is not quantised", fix="edgegrf export --quantize int8"
                )
            return float(tensor.quantization.scales[0]), int(tensor.quantization.zero_points[0])
    raise ModelError("the model has nothing but states")
