# SPDX-License-Identifier: Apache-2.0
"""Averages and maxima: AVERAGE_POOL_2D and MAX_POOL_2D over windows; MEAN, at its own scale, of all."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from edgegrf.export.arrange import channels_last, rearranged
from edgegrf.export.families.geometry import Geometry, pad
from edgegrf.export.families.scale import scale_shift
from edgegrf.export.layout import Atom
from edgegrf.export.lowered import Node
from edgegrf.export.lowering import Handler, Lowering, OnnxNode, Value

__all__ = ["HANDLERS", "REPLACEMENTS"]


def _windowed(kind: str) -> Handler:
    def handler(lowering: Lowering, node: OnnxNode) -> None:
        value, source, (batch, height, width, channels) = channels_last(lowering, node, lowering.value(node))
        geometry = _geometry(lowering, node, (height, width))
        sizes = geometry.output((height, width))
        shape = (batch, *sizes, channels)
        if min(shape) < 1:
            lowering.refuse(node, f"its output would have shape {shape}", "a longer window")
        source, padding = _padded(lowering, node, source, geometry, kind)
        tensor = _emit(lowering, node, source, geometry.kernel, geometry.stride, shape, kind, padding)
        rank = len(value.layout.dims)
        spatial = [Atom(size) for size in sizes[4 - rank :]]
        inner = value.layout.dims[1]
        dims = [value.layout.dims[0], inner, *((atom,) for atom in spatial)]
        tail = [atom for atom in value.layout.order if atom in inner]
        lowering.bind(node.outputs[0], tensor, dims, [*value.layout.real(0), *spatial, *tail])

    return handler


def _geometry(lowering: Lowering, node: OnnxNode, size: tuple[int, int]) -> Geometry:
    kernel = [1] * (2 - len(node.attributes["kernel_shape"])) + list(node.attributes["kernel_shape"])
    if any(step != 1 for step in node.attributes.get("dilations", [])):
        lowering.refuse(node, "it is dilated", "a plain pool")
    if len(node.outputs) > 1 and any(lowering.consumers(output) for output in node.outputs[1:]):
        lowering.refuse(node, "it also gives the places of its maxima", "return_indices=False")
    geometry = Geometry.of(lowering, node, kernel)
    if node.attributes.get("ceil_mode", 0):
        geometry.after = tuple(  # type: ignore[assignment]
            _after(size[axis], geometry, axis) for axis in (0, 1)
        )
    return geometry


def _after(size: int, geometry: Geometry, axis: int) -> int:
    """The padding behind that a pool which rounds up amounts to; no window begins behind the input."""
    kernel, stride, before = geometry.kernel[axis], geometry.stride[axis], geometry.before[axis]
    count = -(-(size + before + geometry.after[axis] - kernel) // stride) + 1
    if (count - 1) * stride >= size + before:
        count -= 1
    return max((count - 1) * stride + kernel - size - before, geometry.after[axis])


def _padded(
    lowering: Lowering, node: OnnxNode, source: str, geometry: Geometry, kind: str
) -> tuple[str, str]:
    """(tensor to pool, padding): SAME, which leaves out what lies outside, where that is what is meant."""
    if not any((*geometry.before, *geometry.after)):
        return source, "VALID"
    if kind == "AVERAGE_POOL_2D" and node.attributes.get("count_include_pad", 0):
        if node.attributes.get("ceil_mode", 0):
            lowering.refuse(node, "it rounds up and counts its padding", "ceil_mode=False")
        return pad(lowering, source, geometry), "VALID"
    if geometry.is_same(lowering.shapes[source][1:3]):  # type: ignore[arg-type]
        return source, "SAME"
    if kind == "AVERAGE_POOL_2D":
        fix = "count_include_pad=True, or a window that the stride divides"
        lowering.refuse(node, "it leaves out a padding that no SAME has", fix)
    return pad(lowering, source, geometry, "PADV2"), "VALID"


def _global(kind: str) -> Handler:
    def handler(lowering: Lowering, node: OnnxNode) -> None:
        dims = range(2, len(lowering.value(node).layout.dims))
        _reduced(lowering, node, lowering.value(node), dims, keep=True, kind=kind, output=node.outputs[0])

    return handler


def _reduce(kind: str) -> Handler:
    def handler(lowering: Lowering, node: OnnxNode) -> None:
        value, output = lowering.value(node), node.outputs[0]
        axes, keep = _axes(lowering, node), bool(node.attributes.get("keepdims", 1))
        _reduced(lowering, node, value, axes, keep=keep, kind=kind, output=output)

    return handler


def _reduce_sum(lowering: Lowering, node: OnnxNode) -> None:
    """A mean, times how many there are."""
    value, axes = lowering.value(node), _axes(lowering, node)
    rank = len(value.layout.dims)
    count = math.prod(value.layout.shape[axis] for axis in {axis % rank for axis in axes})
    mean = f"{node.outputs[0]}/mean"
    keep = bool(node.attributes.get("keepdims", 1))
    found = _reduced(lowering, node, value, axes, keep=keep, kind="MEAN", output=mean)
    lowering.observed[found.tensor] = node.outputs[0]
    lowering.gains[found.tensor] = 1 / count
    lowering.layouts[found.tensor] = found.layout
    axis = found.layout.innermost
    each = np.full(found.layout.shape[axis], float(count))
    scale_shift(lowering, node, found, each, 0.0 * each, axis)


def _axes(lowering: Lowering, node: OnnxNode) -> list[int]:
    given = lowering.constant(node, 1)
    axes = node.attributes.get("axes") if given is None else [int(axis) for axis in given]
    if not axes:
        lowering.refuse(node, "it reduces everything", "x.mean(dim=-1)")
    return list(axes)


def _reduced(
    lowering: Lowering,
    node: OnnxNode,
    value: Value,
    axes: Sequence[int],
    *,
    keep: bool,
    kind: str,
    output: str,
) -> Value:
    """One pool over [lead, 1, reduced, kept] of dimensions that lie together in memory."""
    rank = len(value.layout.dims)
    gone = {axis % rank for axis in axes}
    reduced = [atom for axis in gone for atom in value.layout.real(axis)]
    order = list(value.layout.order)
    start = min((order.index(atom) for atom in reduced), default=0)
    if set(order[start : start + len(reduced)]) != set(reduced):
        order = [*order[:start], *reduced, *(atom for atom in order[start:] if atom not in reduced)]
        value = rearranged(lowering, node, value, order)
    lead, kept = order[:start], order[start + len(reduced) :]
    sizes = [math.prod(atom.size for atom in group) for group in (lead, reduced, kept)]
    source = lowering.view(value.tensor, (sizes[0], 1, sizes[1], sizes[2]))
    shape = (sizes[0], 1, 1, sizes[2])
    if kind == "MEAN":
        options = {"vectors": {"axes": [2]}, "keep_dims": 1}
        made = Node(kind, [source], output, options, place=node.place)
        tensor = lowering.emit(made, shape, output)
    else:
        tensor = _emit(lowering, node, source, (1, sizes[1]), (1, 1), shape, kind, "VALID", output)
    dims = [
        () if axis in gone else dim for axis, dim in enumerate(value.layout.dims) if keep or axis not in gone
    ]
    lowering.bind(output, tensor, dims, [*lead, *kept])
    return lowering.values[output]


def _emit(
    lowering: Lowering,
    node: OnnxNode,
    source: str,
    filters: tuple[int, int],
    strides: tuple[int, int],
    shape: Sequence[int],
    kind: str,
    padding: str,
    output: str = "",
) -> str:
    options = {"padding": padding, "filter": filters, "stride": strides, "activation": "NONE"}
    output = output or node.outputs[0]
    return lowering.emit(Node(kind, [source], output, options, place=node.place), shape, output)


HANDLERS = {
    "AveragePool": _windowed("AVERAGE_POOL_2D"),
    "GlobalAveragePool": _global("MEAN"),
    "GlobalMaxPool": _global("MAX_POOL_2D"),
    "MaxPool": _windowed("MAX_POOL_2D"),
    "ReduceMax": _reduce("MAX_POOL_2D"),
    "ReduceMean": _reduce("MEAN"),
    "ReduceSum": _reduce_sum,
}
REPLACEMENTS = {
    "LpPool": "AvgPool1d or MaxPool1d",
    "ReduceL2": "a mean over time",
    "ReduceMin": "a maximum of what is negated",
}
