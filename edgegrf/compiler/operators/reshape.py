# SPDX-License-Identifier: Apache-2.0
"""RESHAPE: the same values in memory, seen in another shape.

Where it cuts each time step into several, a stream gives those out one by one, as often as they are due.
"""

from __future__ import annotations

import math

from edgegrf.compiler.lowering import Lowering, Node, View, squeeze
from edgegrf.compiler.plan import Layer, Ring
from edgegrf.errors import ModelError

__all__ = ["lower"]


def lower(lowering: Lowering, node: Node) -> None:
    source = lowering.waiting(node.inputs[0])
    before, after = source.padded, node.out.shape
    if math.prod(before) != math.prod(after):
        raise ModelError(f"{node.place}: {list(before)} cannot become {list(after)}")
    moved = _with_pads(source, after)
    if moved is None:
        source = lowering.view(node.inputs[0])
        time = None if source.time is None else lowering.locate(after, source.frames())
        moved = View(source.value, after, time)
        if source.time is not None and time is None:
            moved = _spread(lowering, node, source) or moved
    lowering.views[node.output] = moved


def _with_pads(source: View, after: tuple[int, ...]) -> View | None:
    """The view in shape `after` with its padding still waiting, where only axes of length 1 come or go."""
    before = source.padded
    old, new = squeeze(before), squeeze(after)
    if not source.pads or [before[axis] for axis in old] != [after[axis] for axis in new]:
        return None
    shape, pads = [1] * len(after), [(0, 0)] * len(after)
    for a, b in zip(old, new, strict=True):
        shape[b], pads[b] = source.shape[a], source.pads[a]
    time = None if source.time is None else new[old.index(source.time)]
    return View(source.value, tuple(shape), time, tuple(pads))


def _spread(lowering: Lowering, node: Node, source: View) -> View | None:
    """The view in which each time step has become several; refuses what a stream cannot follow."""
    after, rows = node.out.shape, source.frames()
    parts = next((size // rows for size in after if size != 1), 0)
    time = lowering.locate(after, parts * rows)
    value = lowering.values[source.value]
    if time is None or value.step % parts or value.timing.clock.period % parts:
        lowering.refuse(f"{node.place} mixes time steps: {list(source.shape)} becomes {list(after)}")
        return None
    step, timing = value.step // parts, value.timing.spread(parts)
    spread = lowering.copy(source.value, parts=parts, label=node.out.name, timing=timing)
    out = "(int8_t *)({out})"
    lowering.layers.append(
        Layer(
            name=node.name("spread"),
            kind=node.kind,
            place=node.place,
            shape=after,
            inputs=(source.value,),
            output=spread,
            window="",
            step=f"eg_spread({parts}, {step}, {{ring}}, {{head}}, (const int8_t *)({{in0}}), {out})",
            hold=f"eg_spread_next({step}, {{ring}}, {{head}}, {out})",
            sources=("eg_delay.c",),
            ring=Ring(1, value.step, 0),
            clock=timing.clock,
            source=value.timing.clock,
        )
    )
    return View(spread, after, time)
