# SPDX-License-Identifier: Apache-2.0
"""Is a graph one that can run: every tensor defined once before its use, of a known type and size?"""

from __future__ import annotations

import math

import numpy as np

from edgegrf.errors import ModelError, UnsupportedError
from edgegrf.graph.model import NEXT_SUFFIX, STATE_PREFIX, Graph, Operator, Tensor

__all__ = ["LARGEST_TENSOR", "MOST_OPERATORS", "MOST_TENSORS", "check_graph"]

LARGEST_TENSOR = 1 << 22
MOST_OPERATORS = 4096
MOST_TENSORS = 16384

_RUNTIME = ("int8", "int16")
#: kind -> (least, most) inputs, where it is not one
_INPUTS = {
    "ADD": (2, 2),
    "CONCATENATION": (1, 10),  # TFLite Micro takes no more
    "CONV_2D": (2, 3),
    "DEPTHWISE_CONV_2D": (2, 3),
    "FULLY_CONNECTED": (2, 3),
    "MEAN": (2, 2),
    "MIRROR_PAD": (2, 2),
    "MUL": (2, 2),
    "PAD": (2, 2),
    "PADV2": (3, 3),
    "PRELU": (2, 2),
    "RESHAPE": (1, 2),
    "RESIZE_NEAREST_NEIGHBOR": (2, 2),
    "SLICE": (3, 3),
    "STRIDED_SLICE": (4, 4),
    "SUB": (2, 2),
    "TRANSPOSE": (2, 2),
}
#: kinds whose third input may be absent
_OPTIONAL = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def check_graph(graph: Graph) -> None:
    """Raise ModelError (UnsupportedError for float) where `graph` cannot be run as it stands."""
    if not graph.operators or not graph.inputs or not graph.outputs:
        raise ModelError("a model without operators, inputs or outputs")
    _check_indices(graph)
    defined = set(graph.inputs)
    if len(defined) != len(graph.inputs) or any(graph.tensors[i].data is not None for i in defined):
        raise ModelError("a model input is listed twice or is a constant")
    for index in graph.inputs:
        _check_activation(graph.tensors[index])
    for position, operator in enumerate(graph.operators):
        _check_operator(graph, position, operator, defined)
        _check_activation(graph.tensors[operator.outputs[0]])
        defined.update(operator.outputs)
    for index in graph.outputs:
        if index not in defined:
            raise ModelError(f"model output '{graph.tensors[index].name}' is computed by no operator")
    _check_states(graph)


def _check_indices(graph: Graph) -> None:
    count = len(graph.tensors)
    ends = [*graph.inputs, *graph.outputs, *(i for operator in graph.operators for i in operator.outputs)]
    optional = [i for operator in graph.operators for i in operator.inputs]
    for index in ends + optional:
        if not -1 <= index < count:
            raise ModelError(f"tensor {index} of {count}", why="an index leaves the table")
    if -1 in ends:
        raise ModelError("a tensor is missing where the model needs one")


def _check_operator(graph: Graph, position: int, operator: Operator, defined: set[int]) -> None:
    least, most = _INPUTS.get(operator.kind, (1, 1))
    place = f"{operator.kind} (operator {position})"
    if not least <= len(operator.inputs) <= most or len(operator.outputs) != 1:
        raise ModelError(f"{place} has {len(operator.inputs)} inputs and {len(operator.outputs)} outputs")
    for slot, index in enumerate(operator.inputs):
        if index == -1 and (slot < 2 or operator.kind not in _OPTIONAL):
            raise ModelError(f"{place} lacks its input {slot}")
        if index >= 0 and index not in defined and graph.tensors[index].data is None:
            raise ModelError(
                f"{place} uses '{graph.tensors[index].name}' before it is computed",
                why="the operators are out of order or form a cycle",
            )
    target = operator.outputs[0]
    if target in defined or graph.tensors[target].data is not None:
        raise ModelError(f"{place} computes '{graph.tensors[target].name}' a second time")


def _check_activation(tensor: Tensor) -> None:
    if tensor.dtype not in _RUNTIME:
        raise UnsupportedError(
            f"tensor '{tensor.name}' is {tensor.dtype}",
            node=tensor.name,
            why="only fully quantised int8 models run here",
            fix="edgegrf export --quantize int8",
        )
    quantization = tensor.quantization
    if quantization is None or len(quantization.scales) != 1:
        raise ModelError(f"activation '{tensor.name}' needs one scale and one zero point")
    info = np.iinfo(np.dtype(tensor.dtype))
    if not info.min <= int(quantization.zero_points[0]) <= info.max:
        raise ModelError(f"tensor '{tensor.name}' has the zero point {int(quantization.zero_points[0])}")


def _check_states(graph: Graph) -> None:
    names = [graph.tensors[index].name for index in graph.outputs]
    for index in graph.inputs:
        state = graph.tensors[index]
        if not state.name.startswith(STATE_PREFIX):
            continue
        if names.count(state.name + NEXT_SUFFIX) != 1:
            raise ModelError(f"state '{state.name}' has no one output '{state.name}{NEXT_SUFFIX}'")
        after = graph.tensors[graph.outputs[names.index(state.name + NEXT_SUFFIX)]]
        if math.prod(after.shape) != math.prod(state.shape) or after.dtype != state.dtype:
            raise ModelError(f"state '{state.name}' changes its shape from step to step")
        assert state.quantization is not None and after.quantization is not None  # checked above
        if (
            state.quantization.scales[0] != after.quantization.scales[0]
            or state.quantization.zero_points[0] != after.quantization.zero_points[0]
        ):
            raise ModelError(f"state '{state.name}' changes its scale from step to step")
