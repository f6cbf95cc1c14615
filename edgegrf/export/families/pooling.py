# SPDX-License-Identifier: Apache-2.0
"""Averages: AveragePool, GlobalAveragePool and ReduceMean as AVERAGE_POOL_2D, where they map exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence

from edgegrf.export.layout import Atom
from edgegrf.export.lowered import Node
from edgegrf.export.lowering import Lowering, OnnxNode

__all__ = ["HANDLERS", "REPLACEMENTS"]


def _average_pool(lowering: Lowering, node: OnnxNode) -> None:
    value = lowering.value(node)
    kernel = list(node.attributes["kernel_shape"])
    stride = list(node.attributes.get("strides", [1] * len(kernel)))
    if any(node.attributes.get("pads", [])) or node.attributes.get("ceil_mode", 0):
        lowering.refuse(node, "it pads or rounds up", "AvgPool1d(n) on a window that n divides")
    if any(size != 1 for size in node.attributes.get("dilations", [])):
        lowering.refuse(node, "it is dilated", "a plain average")
    source, (batch, height, width, channels) = lowering.channels_last(node, value)
    filters = [1] * (2 - len(kernel)) + kernel
    strides = [1] * (2 - len(kernel)) + stride
    sizes = [(size - k) // s + 1 for size, k, s in zip((height, width), filters, strides, strict=True)]
    shape = (batch, *sizes, channels)
    tensor = _emit(lowering, node, source, filters, strides, shape)
    spatial = [Atom(size) for size in sizes[2 - len(kernel) :]]
    inner = value.layout.dims[1]
    dims = [value.layout.dims[0], inner, *((atom,) for atom in spatial)]
    tail = [atom for atom in value.layout.order if atom in inner]
    lowering.bind(node.outputs[0], tensor, dims, [*value.layout.real(0), *spatial, *tail])


def _global_average(lowering: Lowering, node: OnnxNode) -> None:
    _mean(lowering, node, range(2, len(lowering.value(node).layout.dims)), keep=True)


def _reduce_mean(lowering: Lowering, node: OnnxNode) -> None:
    given = lowering.constant(node, 1)
    axes = node.attributes.get("axes") if given is None else [int(axis) for axis in given]
    if not axes:
        lowering.refuse(node, "it averages over everything", "x.mean(dim=-1)")
    _mean(lowering, node, axes, keep=bool(node.attributes.get("keepdims", 1)))


def _mean(lowering: Lowering, node: OnnxNode, axes: Sequence[int], *, keep: bool) -> None:
    """Average over dimensions that lie together in memory: one pool over [lead, 1, averaged, kept]."""
    value = lowering.value(node)
    rank = len(value.layout.dims)
    gone = {axis % rank for axis in axes}
    averaged = [atom for axis in gone for atom in value.layout.real(axis)]
    order = list(value.layout.order)
    start = min((order.index(atom) for atom in averaged), default=0)
    lead, kept = order[:start], order[start + len(averaged) :]
    if set(order[start : start + len(averaged)]) != set(averaged):
        lowering.refuse(node, "what it averages is scattered in memory", "an average over time or the frame")
    sizes = [math.prod(atom.size for atom in group) for group in (lead, averaged, kept)]
    source = lowering.view(value.tensor, (sizes[0], 1, sizes[1], sizes[2]))
    tensor = _emit(lowering, node, source, [1, sizes[1]], [1, 1], (sizes[0], 1, 1, sizes[2]))
    dims = [
        () if axis in gone else dim for axis, dim in enumerate(value.layout.dims) if keep or axis not in gone
    ]
    lowering.bind(node.outputs[0], tensor, dims, [*lead, *kept])


def _emit(
    lowering: Lowering,
    node: OnnxNode,
    source: str,
    filters: list[int],
    strides: list[int],
    shape: Sequence[int],
) -> str:
    options = {"padding": "VALID", "filter": tuple(filters), "stride": tuple(strides), "activation": "NONE"}
    made = Node("AVERAGE_POOL_2D", [source], node.outputs[0], options, place=node.place)
    return lowering.emit(made, shape, node.outputs[0])


HANDLERS = {
    "AveragePool": _average_pool,
    "GlobalAveragePool": _global_average,
    "ReduceMean": _reduce_mean,
}
REPLACEMENTS = {
    "MaxPool": "AvgPool1d, or a Conv with a stride",
    "GlobalMaxPool": "a mean over time",
    "ReduceMax": "a mean over time",
    "ReduceSum": "a mean over time",
}
