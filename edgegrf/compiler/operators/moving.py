# SPDX-License-Identifier: Apache-2.0
"""SLICE, STRIDED_SLICE, TRANSPOSE and RESIZE_NEAREST_NEIGHBOR: values moved, none computed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edgegrf.compiler.lowering import Lowering, Node, View
from edgegrf.compiler.plan import Layer, Ring
from edgegrf.compiler.timing import Timing
from edgegrf.errors import ModelError, UnsupportedError

__all__ = ["lower"]

_LOOPS = 5


@dataclass(frozen=True)
class _Axis:
    """One axis of the output: its size, and the step through the input's memory."""

    size: int
    stride: int


#: where the output starts in the input, its axes in the input's memory, and its shape
_Moved = tuple[int, list[_Axis], list[int]]


def lower(lowering: Lowering, node: Node) -> None:
    source = lowering.view(node.inputs[0])
    if lowering.quantization(node.inputs[0]) != lowering.quantization(node.output):
        what = f"{node.place}: changes the scale"
        raise UnsupportedError(what, node=node.place, fix="quantise the model again")
    start, axes, shape = _KINDS[node.kind](lowering, node, source.shape)
    if tuple(shape) != node.out.shape:
        raise ModelError(f"{node.place}: gives {list(shape)}, not {list(node.out.shape)}")
    if source.time is None:
        loops, time = _Loops(1, start, math.prod(source.shape), axes), None
    else:
        loops, time = _over_time(lowering, node, source, start, axes)
    each, given, out = (
        lowering.value_bytes,
        lowering.bytes_of("{in0}"),
        lowering.bytes_of("{out}", "int8_t *"),
    )
    layer = Layer(
        name=node.name("copy"),
        kind=node.kind,
        place=node.place,
        shape=node.out.shape,
        inputs=(source.value,),
        output=0,
        window=f"eg_copy(&{{p}}, {loops.frames}, {given} + {each * loops.skipped}, {out})",
        step=f"eg_copy(&{{p}}, 1, {given}, {out})",
        sources=("eg_copy.c",),
        struct="eg_copy",
        fields=loops.fields(node, each),
    )
    if loops.repeats > 1:
        size = each * math.prod(source.frame())
        copies = (f"memcpy({{{to}}}, {{{of}}}, {size})" for to, of in (("ring", "in0"), ("out", "in0")))
        layer = replace(
            layer,
            step="; ".join(copies),
            hold=f"memcpy({{out}}, {{ring}}, {size})",
            ring=Ring(1, size, 0),
        )
    lowering.finish(node, layer, time, timing=loops.timing)


@dataclass(frozen=True)
class _Loops:
    """How a layer copies: `frames` times `axes`, `frame` values further each time, `skipped` values at first.

    In a stream its rows come by `timing`, each `repeats` times.
    """

    frames: int
    start: int
    frame: int
    axes: Sequence[_Axis]
    skipped: int = 0
    timing: Timing | None = None
    repeats: int = 1

    def fields(self, node: Node, each: int) -> tuple[tuple[str, Any], ...]:
        """The initialisers of struct eg_copy, which moves bytes, `each` so many of a value."""
        axes = [_Axis(axis.size, each * axis.stride) for axis in self.axes]
        loops = _joined(node, [*axes, _Axis(each, 1)])
        return (
            ("size", [loop.size for loop in loops]),
            ("stride", [loop.stride for loop in loops]),
            ("start", each * self.start),
            ("frame", each * self.frame),
        )


def _over_time(
    lowering: Lowering, node: Node, source: View, start: int, axes: list[_Axis]
) -> tuple[_Loops, int | None]:
    """The copy of a tensor whose rows are time steps, and the output's time axis.

    Rows may be left out at both ends, taken with a stride, or repeated, if all of time passes in order before
    anything else.
    """
    row, timing = math.prod(source.frame()), lowering.timing(source)
    lead = next((place for place, axis in enumerate(axes) if axis.size != 1), len(axes) - 1)
    rows, inner = axes[lead], axes[lead + 1 :]
    whole = _Loops(1, start, math.prod(source.shape), axes)
    repeats = inner[0].size if inner and inner[0].stride == 0 and inner[0].size > 1 else 1
    time = lowering.locate(node.out.shape, rows.size * repeats)
    if rows.stride < row or rows.stride % row or time is None:
        lowering.refuse(f"{node.place} moves time among other axes, or leaves one time step of it")
        return whole, None
    if repeats > 1:
        sideways = any(axis.stride == 0 and axis.size > 1 for axis in inner[1:])
        if timing.clock.period % repeats or sideways:
            what = (
                "time and columns at once"
                if sideways
                else f"rows that come every {timing.clock.period} samples"
            )
            lowering.refuse(f"{node.place} repeats {what} {repeats} times")
            return whole, None
        return replace(whole, timing=timing.spread(repeats), repeats=repeats), time
    begin, stride = start // row, rows.stride // row
    cut = timing.cut(begin, stride, rows.size)
    return _Loops(rows.size, start % row, rows.stride, inner, begin * row, cut), time


def _joined(node: Node, axes: Sequence[_Axis]) -> list[_Axis]:
    """The axes as five loops, neighbours that follow each other in memory joined."""
    loops: list[_Axis] = []
    for axis in reversed(axes):
        if axis.size == 1:
            continue
        if loops and axis.stride == loops[-1].size * loops[-1].stride:
            loops[-1] = _Axis(loops[-1].size * axis.size, loops[-1].stride)
        else:
            loops.append(axis)
    if len(loops) > _LOOPS:
        raise UnsupportedError(
            f"{node.place}: moves {len(loops)} axes", node=node.place, why=f"at most {_LOOPS}"
        )
    loops += [_Axis(1, 0)] * (_LOOPS - len(loops))
    return loops[::-1]


def _strides(shape: Sequence[int]) -> list[int]:
    return [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]


def _numbers(lowering: Lowering, node: Node, slot: int, count: int) -> list[int]:
    """The constant int32 vector at an input, `count` long."""
    values = np.ravel(lowering.constant(node, slot, "int32"))
    if len(values) != count:
        raise ModelError(f"{node.place}: {len(values)} numbers at input {slot}, {count} expected")
    return [int(value) for value in values]


def _slice(lowering: Lowering, node: Node, shape: tuple[int, ...]) -> _Moved:
    begins = _numbers(lowering, node, 1, len(shape))
    sizes = _numbers(lowering, node, 2, len(shape))
    sizes = [n - begin if size == -1 else size for n, begin, size in zip(shape, begins, sizes, strict=True)]
    for n, begin, size in zip(shape, begins, sizes, strict=True):
        if begin < 0 or size < 1 or begin + size > n:
            raise ModelError(f"{node.place}: {size} from {begin} on of {n}")
    strides = _strides(shape)
    start = sum(begin * stride for begin, stride in zip(begins, strides, strict=True))
    return start, [_Axis(size, stride) for size, stride in zip(sizes, strides, strict=True)], sizes


def _strided_slice(lowering: Lowering, node: Node, shape: tuple[int, ...]) -> _Moved:
    if node.options["ellipsis_mask"] or node.options["new_axis_mask"]:
        raise UnsupportedError(f"{node.place}: adds axes", node=node.place, fix="a RESHAPE")
    vectors = [_numbers(lowering, node, slot, len(shape)) for slot in (1, 2, 3)]
    start, axes, kept = 0, [], []
    for axis, (n, begin, end, step) in enumerate(zip(shape, *vectors, strict=True)):
        if step == 0 or not -n <= begin <= n:
            raise ModelError(f"{node.place}: begins at {begin} of {n} with stride {step}")
        shrinks = node.options["shrink_axis_mask"] >> axis & 1
        first: int | None = None if node.options["begin_mask"] >> axis & 1 else begin
        last: int | None = None if node.options["end_mask"] >> axis & 1 else end
        if shrinks:
            first, last, step = begin, begin + 1 if begin != -1 else None, 1
        taken = range(n)[first:last:step]
        if not len(taken):
            raise ModelError(f"{node.place}: takes nothing of axis {axis}")
        stride = math.prod(shape[axis + 1 :])
        start += taken[0] * stride
        axes.append(_Axis(len(taken), taken.step * stride))
        kept += [] if shrinks else [len(taken)]
    return start, axes, kept


def _transpose(lowering: Lowering, node: Node, shape: tuple[int, ...]) -> _Moved:
    order = _numbers(lowering, node, 1, len(shape))
    if sorted(order) != list(range(len(shape))):
        raise ModelError(f"{node.place}: {order} is no order of {len(shape)} axes")
    strides = _strides(shape)
    return 0, [_Axis(shape[axis], strides[axis]) for axis in order], [shape[axis] for axis in order]


def _resize(lowering: Lowering, node: Node, shape: tuple[int, ...]) -> _Moved:
    sizes = _numbers(lowering, node, 1, 2)
    if len(shape) != 4 or any(size < 1 for size in sizes):
        raise ModelError(f"{node.place}: {list(shape)} to {sizes}")
    factors = [size // n for size, n in zip(sizes, shape[1:3], strict=True)]
    whole = all(factor * n == size for factor, n, size in zip(factors, shape[1:3], sizes, strict=True))
    if not whole or node.options["align_corners"]:
        raise UnsupportedError(
            f"{node.place}: {list(shape[1:3])} to {sizes}", node=node.place, why="whole factors are compiled"
        )
    n, h, w, c = (_Axis(size, stride) for size, stride in zip(shape, _strides(shape), strict=True))
    return 0, [n, h, _Axis(factors[0], 0), w, _Axis(factors[1], 0), c], [shape[0], *sizes, shape[3]]


_KINDS = {
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    "SLICE": _slice,
    "STRIDED_SLICE": _strided_slice,
    "TRANSPOSE": _transpose,
}
