# SPDX-License-Identifier: Apache-2.0
"""Pad on its own: zeros around time or a frame."""

from __future__ import annotations

from edgegrf.export.layout import Atom
from edgegrf.export.lowered import Node
from edgegrf.export.lowering import Lowering, OnnxNode

__all__ = ["HANDLERS", "REPLACEMENTS"]


def _pad(lowering: Lowering, node: OnnxNode) -> None:
    value = lowering.value(node)
    rank = len(value.layout.dims)
    pads = _pads(lowering, node, rank)
    constant = lowering.constant(node, 2)
    if node.attributes.get("mode", b"constant") != b"constant" or (constant is not None and constant.any()):
        lowering.refuse(node, "it does not pad with zeros", "torch.nn.functional.pad(x, (n, 0))")
    if rank < 3 or any(pads[0] + pads[1]):
        lowering.refuse(node, "it pads the batch or the channels", "padding of time or of the frame only")
    source, shape = lowering.channels_last(node, value)
    sides = [[0, 0]] * (4 - rank) + pads[2:]
    padded = tuple(size + sum(side) for size, side in zip(shape, [[0, 0], *sides, [0, 0]], strict=True))
    made = Node("PAD", [source], node.outputs[0], {"pads": [[0, 0], *sides, [0, 0]]}, place=node.place)
    spatial = [Atom(size) for size in padded[1:3][4 - rank :]]
    channels = value.layout.dims[1]
    dims = [value.layout.dims[0], channels, *((atom,) for atom in spatial)]
    tail = [atom for atom in value.layout.order if atom in channels]
    tensor = lowering.emit(made, padded, node.outputs[0])
    lowering.bind(node.outputs[0], tensor, dims, [*value.layout.real(0), *spatial, *tail])


def _pads(lowering: Lowering, node: OnnxNode, rank: int) -> list[list[int]]:
    """[[before, after], ...] per ONNX dimension."""
    given = lowering.constant(node, 1)
    numbers = list(node.attributes.get("pads", [])) if given is None else [int(n) for n in given]
    axes = lowering.constant(node, 3)
    chosen = range(rank) if axes is None else [int(axis) % rank for axis in axes]
    pads = [[0, 0] for _ in range(rank)]
    half = len(numbers) // 2
    if half != len(chosen):
        lowering.refuse(node, "its widths are computed", "a constant padding")
    for place, axis in enumerate(chosen):
        pads[axis] = [numbers[place], numbers[half + place]]
    if any(width < 0 for side in pads for width in side):
        lowering.refuse(node, "it crops", "a Conv with less padding")
    return pads


HANDLERS = {"Pad": _pad}
REPLACEMENTS: dict[str, str] = {}
