# SPDX-License-Identifier: Apache-2.0
"""PAD: waits in the view for a convolution to take it; otherwise, and PADV2, copies into a larger buffer."""

from __future__ import annotations

import math

import numpy as np

from edgegrf.compiler.lowering import Lowering, Node, View
from edgegrf.compiler.plan import Layer
from edgegrf.errors import ModelError, UnsupportedError

__all__ = ["lower", "materialise"]

_AXES = 5


def lower(lowering: Lowering, node: Node) -> None:
    source = lowering.view(node.inputs[0])
    amounts = np.asarray(lowering.constant(node, 1, "int32"))
    sane = amounts.min(initial=0) >= 0 and amounts.max(initial=0) <= 1 << 20
    if amounts.size != 2 * len(source.shape) or not sane:
        raise ModelError(f"{node.place}: its paddings do not fit a shape of {len(source.shape)} axes")
    pads = tuple((int(a), int(b)) for a, b in amounts.reshape(-1, 2))
    view = View(source.value, source.shape, source.time, pads if any(map(any, pads)) else ())
    if view.padded != node.out.shape:
        raise ModelError(f"{node.place}: {list(source.shape)} padded is not {list(node.out.shape)}")
    if len(source.shape) > 4:
        raise UnsupportedError(f"{node.place}: {len(source.shape)} axes", node=node.place, why="at most 4")
    code = lowering.quantization(node.output)
    if node.kind == "PADV2":  # of any value: no convolution takes that for zeros
        fill = lowering.constant(node, 2, "int8")
        if fill.size != 1 or lowering.quantization(node.inputs[2]) != code:
            raise ModelError(f"{node.place}: its value has a shape or a scale of its own")
        view = materialise(lowering, node.output, view, int(fill.item())) if view.pads else view
    lowering.views[node.output] = view


def materialise(lowering: Lowering, tensor: int, view: View, fill: int | None = None) -> View:
    """Carry out the padding that waits in `view` of `tensor`, with its zero point unless `fill` says another
    value; returns the padded view."""
    record = lowering.graph.tensors[tensor]
    time = view.time
    place = f"{'PAD' if fill is None else 'PADV2'} '{record.name}'"
    if time is not None and view.pads[time] != (0, 0):
        lowering.refuse(f"{place} pads time for an operator that is no convolution")
        time = None
    first = 0 if time is None else time + 1
    inner, pads = view.shape[first:], view.pads[first:]
    lead = _AXES - len(inner)
    before = [0] * lead + [a for a, _ in pads]
    size = [1] * lead + list(inner)
    after = [1] * lead + [n + a + b for n, (a, b) in zip(inner, pads, strict=True)]
    value_around = lowering.quantization(tensor)[1] if fill is None else fill
    frames = 1 if time is None else view.shape[time]
    step = math.prod(after)
    call = "eg_pad(&{p}, %d, {in0}, {out})"
    if lowering.wide:  # copies bytes, and a zero is a zero
        call = "eg_pad(&{p}, %d, (const int8_t *)({in0}), (int8_t *)({out}))"
        before[-1], size[-1], after[-1] = 2 * before[-1], 2 * size[-1], 2 * after[-1]
    value = lowering.value("inner", frames * step, step, record.name, lowering.timing(view))
    lowering.layers.append(
        Layer(
            name=f"pad_{value}",
            kind="PAD",
            place=place,
            shape=view.padded,
            inputs=(view.value,),
            output=value,
            window=call % frames,
            step=call % 1,
            sources=("eg_pad.c",),
            struct="eg_pad",
            fields=(("in", size), ("before", before), ("out", after), ("value", value_around)),
        )
    )
    return View(value, view.padded, time)
