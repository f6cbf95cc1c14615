# SPDX-License-Identifier: Apache-2.0
"""Pad on its own: of zeros, mirrored, of the outermost value, or going round."""

from __future__ import annotations

from dataclasses import replace

from edgegrf.export.arrange import Axes, axes, bind_axes
from edgegrf.export.families.joining import join
from edgegrf.export.families.slicing import cut
from edgegrf.export.lowered import Node
from edgegrf.export.lowering import Lowering, OnnxNode

__all__ = ["HANDLERS", "REPLACEMENTS"]


def _pad(lowering: Lowering, node: OnnxNode) -> None:
    value = lowering.value(node)
    shape = value.layout.shape
    pads = _pads(lowering, node, len(shape))
    mode = node.attributes.get("mode", b"constant").decode()
    constant = lowering.constant(node, 2)
    if mode == "constant" and constant is not None and constant.any():
        lowering.refuse(node, f"it pads with {float(constant.reshape(-1)[0]):.9g}", "padding with zeros")
    at = axes(lowering, node, value)
    if mode in ("edge", "wrap"):
        for dim, (before, after) in enumerate(pads):
            if before or after:
                at = _extended(lowering, node, at, at.place[dim], (before, after), mode)
        tensor = at.tensor
    else:
        tensor = _bordered(lowering, node, at, pads, mode)
    wide = [size + sum(sides) for size, sides in zip(shape, pads, strict=True)]
    bind_axes(lowering, node.outputs[0], tensor, wide, at.order)


def _bordered(lowering: Lowering, node: OnnxNode, at: Axes, sides: list[tuple[int, int]], mode: str) -> str:
    """PAD, or MIRROR_PAD, which does not repeat the outermost value."""
    if len(at.shape) > 4:
        lowering.refuse(node, f"it pads one of {len(at.shape)} dimensions", "[batch, channels, time]")
    pads = [(0, 0)] * len(at.shape)
    for dim, axis in at.place.items():
        pads[axis] = sides[dim]
    padded = [size + sum(widths) for size, widths in zip(at.shape, pads, strict=True)]
    options = {"mode": "REFLECT", "vectors": {"widths": pads}} if mode == "reflect" else {"pads": pads}
    kind = "MIRROR_PAD" if mode == "reflect" else "PAD"
    made = Node(kind, [at.tensor], node.outputs[0], options, place=node.place)
    return lowering.emit(made, padded, node.outputs[0])


def _extended(
    lowering: Lowering, node: OnnxNode, at: Axes, axis: int, widths: tuple[int, int], mode: str
) -> Axes:
    """An axis with a piece of itself before and behind: of that edge ("edge"), of the other end ("wrap")."""
    size, (before, after) = at.shape[axis], widths
    if mode == "wrap":
        head = [cut(lowering, node, at, axis, size - before, size)] if before else []
        tail = [cut(lowering, node, at, axis, 0, after)] if after else []
    else:
        head = [cut(lowering, node, at, axis, 0, 1)] * before
        tail = [cut(lowering, node, at, axis, size - 1, size)] * after
    shape = list(at.shape)
    shape[axis] += before + after
    tensor = join(
        lowering, node, [*head, at.tensor, *tail], axis, shape, f"{node.outputs[0]}/{axis}", node.outputs[0]
    )
    return replace(at, tensor=tensor, shape=tuple(shape))


def _pads(lowering: Lowering, node: OnnxNode, rank: int) -> list[tuple[int, int]]:
    """(before, after) of every ONNX dimension."""
    given = lowering.constant(node, 1)
    numbers = list(node.attributes.get("pads", [])) if given is None else [int(n) for n in given]
    axes = lowering.constant(node, 3)
    chosen = range(rank) if axes is None else [int(axis) % rank for axis in axes]
    pads = [(0, 0)] * rank
    half = len(numbers) // 2
    if half != len(chosen):
        lowering.refuse(node, "its widths are computed", "a constant padding")
    for place, axis in enumerate(chosen):
        pads[axis] = numbers[place], numbers[half + place]
    if any(width < 0 for sides in pads for width in sides):
        lowering.refuse(node, "it crops", "a slice, or a Conv with less padding")
    if any(pads[0]):
        lowering.refuse(node, "it pads the batch", "padding of time, of channels or of the frame")
    return pads


HANDLERS = {"Pad": _pad}
REPLACEMENTS: dict[str, str] = {}
