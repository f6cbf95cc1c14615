# SPDX-License-Identifier: Apache-2.0
"""Slice and Split: rows of the weights before them, or a crop that a convolution takes in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgegrf.export.layout import Atom
from edgegrf.export.lowered import Node
from edgegrf.export.lowering import Lowering, OnnxNode

__all__ = ["HANDLERS", "REPLACEMENTS", "end_crop"]

_FIX = "slices of the channels that a Linear or Conv1d gives"


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
        _rows(lowering, node, output, axis, start, stop)
        start = stop


def _slice(lowering: Lowering, node: OnnxNode) -> None:
    value = lowering.value(node)
    shape = value.layout.shape
    parts = [lowering.constant(node, index) for index in range(1, 5)]
    starts, ends = parts[0], parts[1]
    if starts is None or ends is None or starts.size != 1:
        lowering.refuse(node, "it cuts several dimensions, or at computed places", _FIX)
    axis = int(parts[2][0]) % len(shape) if parts[2] is not None else 0
    step = int(parts[3][0]) if parts[3] is not None else 1
    start, stop, step = slice(int(starts[0]), int(ends[0]), step).indices(shape[axis])
    if (start, stop, step) == (0, shape[axis], 1):
        lowering.values[node.outputs[0]] = value
    elif step == 1:
        _rows(lowering, node, node.outputs[0], axis, start, stop)
    else:
        lowering.refuse(node, f"it takes every {step}th", "a Conv with a stride")


def _rows(lowering: Lowering, node: OnnxNode, output: str, axis: int, start: int, stop: int) -> None:
    """Channels start..stop of a linear layer or convolution: the same layer with those rows only."""
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
    ):
        lowering.refuse(node, "it cuts time, or something that is no layer's output", _FIX)
    activation, output = lowering.activation(output)
    if activation != "NONE" and layer.options["activation"] != "NONE":
        lowering.refuse(node, "an activation before it and one after it", "one activation")
    rows = slice(start, stop)
    options = dict(layer.options)
    if activation != "NONE":
        options["activation"] = activation
    made: Node = replace(
        layer,
        output=output,
        options=options,
        weights=np.ascontiguousarray(layer.weights[rows]),
        bias=layer.bias[rows],
        place=node.place or layer.place,
    )
    shape = (*lowering.shapes[value.tensor][:-1], stop - start)
    channel = Atom(stop - start)
    dims = [(channel,) if index == axis else dim for index, dim in enumerate(value.layout.dims)]
    lowering.bind(output, lowering.emit(made, shape, output), dims, [*value.layout.order[:-1], channel])


HANDLERS = {"Slice": _slice, "Split": _split}
REPLACEMENTS = {"Concat": "a sum (torch.add) of two branches", "Gather": _FIX, "GatherND": _FIX}
