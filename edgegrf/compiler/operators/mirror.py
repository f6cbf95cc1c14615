# SPDX-License-Identifier: Apache-2.0
"""MIRROR_PAD: a border of what lies inside it, within a frame, or over time in window mode."""

from __future__ import annotations

import numpy as np

from edgegrf.compiler.lowering import Lowering, Node
from edgegrf.compiler.plan import Layer
from edgegrf.errors import ModelError, UnsupportedError

__all__ = ["lower"]

_AXES = 5


def lower(lowering: Lowering, node: Node) -> None:
    source = lowering.view(node.inputs[0])
    if lowering.quantization(node.inputs[0]) != lowering.quantization(node.output):
        raise UnsupportedError(
            f"{node.place}: changes the scale", node=node.place, fix="quantise the model again"
        )
    edge = 1 if node.options["mode"] == "REFLECT" else 0
    pads = _pads(lowering, node, source.shape, edge)
    time = source.time
    if time is not None and any(map(any, pads[: time + 1])):
        lowering.refuse(f"{node.place} mirrors time")
        time = None
    first = 0 if time is None else time + 1
    inner, sides = source.shape[first:], pads[first:]
    lead = _AXES - len(inner)
    frames = source.shape[time] if time is not None else 1
    layer = Layer(
        name=node.name("mirror"),
        kind=node.kind,
        place=node.place,
        shape=node.out.shape,
        inputs=(source.value,),
        output=0,
        window=f"eg_mirror_pad(&{{p}}, {frames}, {{in0}}, {{out}})",
        step="eg_mirror_pad(&{p}, 1, {in0}, {out})",
        sources=("eg_mirror_pad.c",),
        struct="eg_mirror_pad",
        fields=(
            ("in", [1] * lead + list(inner)),
            ("before", [0] * lead + [before for before, _ in sides]),
            ("out", [1] * lead + list(node.out.shape[first:])),
            ("edge", edge),
        ),
    )
    lowering.finish(node, layer, time)


def _pads(lowering: Lowering, node: Node, shape: tuple[int, ...], edge: int) -> list[tuple[int, int]]:
    """(before, after) of every axis, no wider than what there is to mirror."""
    amounts = np.ravel(lowering.constant(node, 1, "int32"))
    if len(amounts) != 2 * len(shape) or len(shape) > _AXES:
        raise ModelError(f"{node.place}: its paddings do not fit a shape of {len(shape)} axes")
    pads = [(int(before), int(after)) for before, after in amounts.reshape(-1, 2)]
    for n, sides in zip(shape, pads, strict=True):
        if any(not 0 <= width <= n - edge for width in sides):
            raise ModelError(f"{node.place}: mirrors {max(sides)} of {n} values")
    if tuple(n + sum(sides) for n, sides in zip(shape, pads, strict=True)) != node.out.shape:
        raise ModelError(f"{node.place}: {list(shape)} padded is not {list(node.out.shape)}")
    return pads
