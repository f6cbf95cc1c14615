# SPDX-License-Identifier: Apache-2.0
"""RESHAPE: the same values in memory, seen in another shape."""

from __future__ import annotations

import math

from edgegrf.compiler.lowering import Lowering, Node, View, squeeze
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
        time = lowering.locate(after) if source.time is not None else None
        moved = View(source.value, after, time)
        if source.time is not None and time is None:
            lowering.refuse(f"{node.place} mixes time steps: {list(before)} becomes {list(after)}")
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
