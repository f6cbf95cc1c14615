# SPDX-License-Identifier: Apache-2.0
"""Concat along any dimension; what comes at a scale that it cannot leave is requantised first."""

from __future__ import annotations

from collections.abc import Sequence

from edgegrf.export.arrange import axes, bind_axes
from edgegrf.export.lowered import Node
from edgegrf.export.lowering import Lowering, OnnxNode

__all__ = ["HANDLERS", "REPLACEMENTS", "join"]

_MOST = 10  # of TFLite Micro's CONCATENATION


def _concat(lowering: Lowering, node: OnnxNode) -> None:
    values = [lowering.value(node, index) for index in range(len(node.inputs))]
    shapes = [value.layout.shape for value in values]
    dim = node.attributes["axis"] % len(shapes[0])
    first = max(values, key=lambda value: len(value.layout.order))  # the one that tells most about the order
    order = axes(lowering, node, first).order
    parts = [axes(lowering, node, value, order) for value in values]
    axis = parts[0].place[dim]
    shape = [*parts[0].shape]
    shape[axis] = sum(part.shape[axis] for part in parts)
    tensor = join(lowering, node, [part.tensor for part in parts], axis, shape, node.outputs[0])
    whole = [*shapes[0]]
    whole[dim] = shape[axis]
    bind_axes(lowering, node.outputs[0], tensor, whole, order)


def join(
    lowering: Lowering,
    node: OnnxNode,
    tensors: Sequence[str],
    axis: int,
    shape: Sequence[int],
    name: str,
    observed: str = "",
) -> str:
    """Tensors one behind the other along `axis`, together of `shape`; they hold `observed`, else `name`."""
    if len(tensors) > _MOST:
        lowering.refuse(
            node, f"it joins {len(tensors)} pieces, and TFLite Micro takes {_MOST}", "fewer at once"
        )
    options = {"axis": axis, "activation": "NONE"}
    made = Node("CONCATENATION", list(tensors), name, options, place=node.place)
    return lowering.emit(made, shape, observed or name)


HANDLERS = {"Concat": _concat}
REPLACEMENTS: dict[str, str] = {}
