# SPDX-License-Identifier: Apache-2.0
"""How large an arena TFLite Micro needs for a model, computed from the model.

The arena holds tensors and scratch at its head and persistent records at its tail (TFLite Micro,
docs/memory_management.md).  The head is planned here as its GreedyMemoryPlanner does, buffer by buffer; the
tail is counted with the sizes that its structures have on a 64-bit host, which a 32-bit chip's never exceed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from edgegrf.graph.model import Graph, Operator, Tensor

__all__ = ["KERNELS", "Arena", "arena_of"]

_ALIGNMENT = 16
_BYTES = {"int8": 1, "uint8": 1, "bool": 1, "int16": 2, "int32": 4, "float32": 4, "int64": 8}

#: bytes on a 64-bit host; measured with the tflite-micro wheel's print_allocations()
_EVAL_TENSOR, _NODE, _BUILTIN_DATA, _KERNEL_DATA = 24, 64, 40, 96
_TENSOR_IN_OR_OUT, _ALLOCATORS = 112, 640
_PER_CHANNEL, _PER_CHANNEL_ARRAYS = 8, 16  # multiplier and shift, and the alignment of their two arrays
_BORROWED_TENSOR, _SCRATCH_REQUESTS = 112, 192  # and 4 a channel
_INDICES = 64  # scratch of kernels that walk over axes
#: the planner's own records, which lie in the arena while it plans
_PLANNED_TENSOR, _PLANNED_BUFFER = 32, 40
_MULTIPLYING = {"CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "TRANSPOSE_CONV": 0, "FULLY_CONNECTED": 0}


@dataclass(frozen=True)
class Arena:
    """Bytes: `tensors` as the reference kernels need them, `scratch` that optimised kernels add, `persistent`
    records, `margin`; `total` is what to reserve."""

    tensors: int
    scratch: int
    persistent: int
    margin: int

    @property
    def total(self) -> int:
        return self.tensors + self.scratch + self.persistent + self.margin


@dataclass(frozen=True)
class _Buffer:
    size: int
    first: int  # operators between which it is alive, both included; 0: before the first
    last: int


def arena_of(graph: Graph, *, kernels: str = "reference", margin: int = 1024) -> Arena:
    """The arena of `graph` with TFLite Micro's `kernels`, one of KERNELS.

    `margin` is for releases whose records are larger than those counted.
    """
    asked = KERNELS[kernels]
    tensors = _tensors(graph)
    head = _planned(tensors)
    scratch = [
        _Buffer(_aligned(size), step, step)
        for step, operator in enumerate(graph.operators, 1)
        if (size := asked(graph, operator))
    ]
    planning = _PLANNED_TENSOR * len(graph.tensors) + _PLANNED_BUFFER * (len(tensors) + len(scratch))
    plain = max(head, _aligned(planning), _aligned(_preparing(graph)))
    with_scratch = max(plain, _planned(tensors + scratch))
    return Arena(plain, with_scratch - plain, _aligned(_persistent(graph)), margin)


def _tensors(graph: Graph) -> list[_Buffer]:
    """Each tensor that is no constant, with its life: from the operator that writes it to the last reader."""
    first = dict.fromkeys(graph.inputs, 0)
    last = dict(first)
    for step, operator in enumerate(graph.operators, 1):
        for index in operator.outputs:
            first.setdefault(index, step)
            last[index] = step
        for index in operator.inputs:
            if index in first:
                last[index] = step
    last.update(dict.fromkeys(graph.outputs, len(graph.operators)))
    return [
        _Buffer(_aligned(_size(graph, index)), first[index], last[index])
        for index, tensor in enumerate(graph.tensors)
        if index in first and tensor.data is None
    ]


def _planned(buffers: list[_Buffer]) -> int:
    """Bytes of the greedy plan: the largest buffer first, of equals the last one first, each in the first gap
    among those that live at the same time."""
    placed: list[tuple[int, _Buffer]] = []
    for _, buffer in sorted(enumerate(buffers), key=lambda each: (-each[1].size, -each[0])):
        offset = 0
        for start, other in sorted(placed, key=lambda each: each[0]):
            if other.first > buffer.last or buffer.first > other.last:
                continue
            if start - offset >= buffer.size:
                break
            offset = max(offset, start + other.size)
        placed.append((offset, buffer))
    return max((offset + buffer.size for offset, buffer in placed), default=0)


def _persistent(graph: Graph) -> int:
    channels = sum(_channels(graph, operator) for operator in graph.operators)
    arrays = sum(_channels(graph, operator) > 0 for operator in graph.operators)
    in_and_out = len(graph.inputs) + len(graph.outputs)
    return (
        _ALLOCATORS
        + _EVAL_TENSOR * len(graph.tensors)
        + (_NODE + _BUILTIN_DATA + _KERNEL_DATA) * len(graph.operators)
        + _PER_CHANNEL * channels
        + _PER_CHANNEL_ARRAYS * arrays
        + _TENSOR_IN_OR_OUT * in_and_out
        + _lookup_tables(graph)
    )


def _channels(graph: Graph, operator: Operator) -> int:
    """Output channels of an operator with weights, for each of which a multiplier and a shift are kept."""
    if operator.kind not in _MULTIPLYING:
        return 0
    return int(graph.tensors[operator.inputs[1]].shape[_MULTIPLYING[operator.kind]])


def _lookup_tables(graph: Graph) -> int:
    """Tables that kernels fill when prepared: ELU's 256 values in int8, SOFTMAX's two of 513 in int16."""
    dtypes = [(operator.kind, graph.tensors[operator.inputs[0]].dtype) for operator in graph.operators]
    softmax = 2 * (2 * 513 + _ALIGNMENT)
    return 256 * dtypes.count(("ELU", "int8")) + softmax * dtypes.count(("SOFTMAX", "int16"))


def _preparing(graph: Graph) -> int:
    """What an operator's kernel borrows of the head while it is prepared: records of all its tensors."""
    needs = (
        sum(_borrowed(graph.tensors[index]) for index in (*operator.inputs, *operator.outputs) if index >= 0)
        for operator in graph.operators
    )
    return _SCRATCH_REQUESTS + max(needs, default=0)


def _borrowed(tensor: Tensor) -> int:
    return _BORROWED_TENSOR + (4 * len(tensor.quantization.scales) if tensor.quantization else 0)


def _reference(graph: Graph, operator: Operator) -> int:
    """Sums of MEAN in 32 bits; a few indices."""
    if operator.kind == "MEAN":
        return 4 * math.prod(graph.tensors[operator.outputs[0]].shape) + _INDICES
    return _INDICES if operator.kind == "MIRROR_PAD" else 0


def _cmsis_nn(graph: Graph, operator: Operator) -> int:
    """The most that CMSIS-NN asks for beside the tensors: two rows of im2col in int16, 32-bit sums."""
    if operator.kind in ("AVERAGE_POOL_2D", "FULLY_CONNECTED"):
        return 4 * int(graph.tensors[operator.outputs[0]].shape[-1])
    if operator.kind not in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        return _reference(graph, operator)
    channels = graph.tensors[operator.inputs[0]].shape[-1]
    filters = graph.tensors[operator.inputs[1]].shape
    return 4 * channels * math.prod(filters[1:3]) + 4 * filters[0 if operator.kind == "CONV_2D" else 3]


def _esp_nn_s3(graph: Graph, operator: Operator) -> int:
    """The most that ESP-NN asks for on an ESP32-S3: copies of the padded input and of the aligned filter."""
    if operator.kind == "SOFTMAX":
        return 4 * int(graph.tensors[operator.inputs[0]].shape[-1]) + 64
    if operator.kind not in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        return _reference(graph, operator)
    taken, filters, given = (graph.tensors[i].shape for i in (*operator.inputs[:2], operator.outputs[0]))
    channels = -(-taken[-1] // 16) * 16
    taps, outputs = math.prod(filters[1:3]), given[-1]
    padded = (taken[1] + filters[1]) * (taken[2] + filters[2]) * channels
    weights = (channels if operator.kind == "CONV_2D" else 1) * outputs * taps
    aligned = -(-filters[2] * taken[-1] // 16) * 16 * filters[1] * outputs
    return padded + weights + aligned + 4 * outputs + 192


#: what a set of kernels asks for beside the tensors, in bytes per operator
KERNELS = {
    "reference": _reference,
    "cmsis-nn": _cmsis_nn,
    "esp-nn": _reference,  # ESP32, C3, C6: plain C
    "esp-nn-s3": _esp_nn_s3,
}


def _size(graph: Graph, index: int) -> int:
    tensor = graph.tensors[index]
    return math.prod(tensor.shape) * _BYTES[tensor.dtype]


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT
