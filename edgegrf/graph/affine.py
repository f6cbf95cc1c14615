# SPDX-License-Identifier: Apache-2.0
"""The affine code of integer tensors: real = scale * (q - zero_point), as in TFLite's specification."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import ModelError
from edgegrf.graph.model import STATE_PREFIX, Graph

__all__ = ["Codes", "code_type", "dequantize", "force_code", "pressure_code", "quantize"]

#: int8, or int16 of an int16x8 model
Codes = NDArray[np.signedinteger[Any]]


def quantize(
    x: NDArray[np.floating[Any]], scale: float, zero_point: int, dtype: Any = np.int8
) -> tuple[Codes, int]:
    """`x` as integers, round(x / scale) + zero_point with halves to even, and how many were clipped.

    Source: Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference", eq. 1.
    """
    ends = np.iinfo(dtype)
    q = np.rint(np.asarray(x, np.float64) / scale) + zero_point
    kept = np.clip(q, ends.min, ends.max)
    return kept.astype(dtype), int(np.count_nonzero(q != kept))


def dequantize(q: Codes, scale: float, zero_point: int) -> NDArray[np.float64]:
    """The real values scale * (q - zero_point)."""
    return scale * (q.astype(np.float64) - zero_point)


def code_type(graph: Graph) -> Any:
    """The dtype of what goes into a model and comes out: int8, or int16 of an int16x8 model."""
    return np.dtype(graph.tensors[graph.inputs[0]].dtype)


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
