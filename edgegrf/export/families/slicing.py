# SPDX-License-Identifier: Apache-2.0
"""Slice and Split: rows of the weights before them, a crop that a convolution takes in, or SLICE."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from edgegrf.export.arrange import Axes, axes, bind_axes
from edgegrf.export.layout import Atom
from edgegrf.export.lowered import Node
from edgegrf.export.lowering import Lowering, OnnxNode

__all__ = ["HANDLERS", "REPLACEMENTS", "cut", "end_crop"]

_FIX = "slices at fixed places"


def end_crop(lowering: Lowering, node: OnnxNode) -> int:
    """How many samples a Slice takes off the end of the last dimension of a convolution; 0 if it does not."""
    if node.kind != "Slice":
        return 0
    parts = [lowering.constant(node, index) for index in range(1, 5)]
    if parts[0] is None or parts[1] is None or parts[0].size != 1 or parts[0][0] != 0:
        return 0
    axes, steps = parts[2], parts[3]
    if axes is None or axes[0] not in (-1, 2) or (steps is not None and steps[0] != 1):
        return 0
    end = int(parts[1][0])
    return -end if end < 0 else 0


def _split(lowering: Lowering, node: OnnxNode) -> None:
    value = lowering.value(node)
    rank = len(value.layout.dims)
    axis = node.attributes.get("axis", 0) % rank
    size = value.layout.shape[axis]
    given = lowering.constant(node, 1)
    count = len(node.outputs)
    sizes = [-(-size // count)] * count if given is None else [int(part) for part in given]
    start = 0
    for output, part in zip(node.outputs, sizes, strict=True):
        stop = min(start + part, size)
        _taken(lowering, node, output, axis, range(start, stop))
        start = stop


def _slice(lowering: Lowering, node: OnnxNode) -> None:
    shape = lowering.value(node).layout.shape
    parts = [lowering.constant(node, index) for index in range(1, 5)]
    starts, ends = parts[0], parts[1]
    if starts is None or ends is None or starts.size != 1:
        lowering.refuse(node, "it cuts several dimensions, or at computed places", _FIX)
    axis = int(parts[2][0]) % len(shape) if parts[2] is not None else 0
    step = int(parts[3][0]) if parts[3] is not None else 1
    _taken(lowering, node, node.outputs[0], axis, range(shape[axis])[int(starts[0]) : int(ends[0]) : step])


def _taken(lowering: Lowering, node: OnnxNode, output: str, dim: int, taken: range) -> None:
    """The indices `taken` of a dimension, in the cheapest way."""
    value = lowering.value(node)
    if not len(taken):
        lowering.refuse(node, "it leaves nothing", "a longer window")
    if taken == range(value.layout.shape[dim]):
        lowering.values[output] = value
    elif not _rows(lowering, node, output, dim, taken):
        at = axes(lowering, node, value)
        shape = [len(taken) if other == dim else size for other, size in enumerate(value.layout.shape)]
        axis = at.place[dim]
        tensor = cut(lowering, node, at, axis, taken.start, taken.stop, taken.step, output)
        bind_axes(lowering, output, tensor, shape, at.order)


def cut(
    lowering: Lowering,
    node: OnnxNode,
    at: Axes,
    axis: int,
    start: int,
    stop: int,
    step: int = 1,
    name: str = "",
) -> str:
    """The tensor `at` from `start` to before `stop` along `axis`: SLICE, or STRIDED_SLICE where it skips."""
    name = name or f"{at.tensor}/{axis}_{start}_{stop}"
    if name in lowering.shapes:
        return name
    rank, size = len(at.shape), len(range(start, stop, step))
    shape = tuple(size if other == axis else full for other, full in enumerate(at.shape))
    begin = [start if other == axis else 0 for other in range(rank)]
    if step == 1:
        kind, options = "SLICE", dict[str, Any](vectors={"begin": begin, "size": list(shape)})
    else:
        before = stop if stop >= 0 else -at.shape[axis] - 1  # a stop of -1 would mean the last
        end = [before if other == axis else full for other, full in enumerate(at.shape)]
        steps = [step if other == axis else 1 for other in range(rank)]
        masks = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
        vectors = {"begin": begin, "end": end, "strides": steps}
        kind, options = "STRIDED_SLICE", {"vectors": vectors, **dict.fromkeys(masks, 0)}
    made = Node(kind, [at.tensor], name, options, place=node.place)
    return lowering.emit(made, shape, name if name in node.outputs else node.outputs[0])


def _rows(lowering: Lowering, node: OnnxNode, output: str, axis: int, taken: range) -> bool:
    """Channels of a linear layer or convolution that nobody takes whole: the layer with those rows only."""
    value = lowering.value(node)
    layer = lowering.producer(value.tensor)
    atoms = value.layout.real(axis)
    if (
        layer is None
        or layer.weights is None
        or layer.bias is None
        or layer.kind not in ("CONV_2D", "FULLY_CONNECTED")
        or len(atoms) != 1
        or value.layout.order[-1] is not atoms[0]
        or node.inputs[0] in lowering.results
        or any(reader.kind not in ("Slice", "Split") for reader in lowering.consumers(node.inputs[0]))
    ):
        return False
    options = dict(layer.options)
    if options["activation"] == "NONE":
        options["activation"], output = lowering.activation(output)
    rows = slice(taken.start, taken.stop if taken.stop >= 0 else None, taken.step)
    made: Node = replace(
        layer,
        output=output,
        options=options,
        weights=np.ascontiguousarray(layer.weights[rows]),
        bias=layer.bias[rows],
        place=node.place or layer.place,
    )
    shape = (*lowering.shapes[value.tensor][:-1], len(taken))
    channel = Atom(len(taken))
    dims = [(channel,) if index == axis else dim for index, dim in enumerate(value.layout.dims)]
    lowering.bind(output, lowering.emit(made, shape, output), dims, [*value.layout.order[:-1], channel])
    return True


HANDLERS = {"Slice": _slice, "Split": _split}
REPLACEMENTS = {
    "Gather": _FIX,
    "GatherElements": _FIX,
    "GatherND": "slices at fixed places, nearest upsampling, adaptive pooling to a size that divides",
}
