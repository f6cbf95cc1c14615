# SPDX-License-Identifier: Apache-2.0
"""ADD, SUB and MUL of two values, or of a value and a constant, with broadcasting."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edgegrf.compiler.arithmetic import Multiplier, activation_range, fits, multiplier, smaller_than_one
from edgegrf.compiler.lowering import Lowering, Node
from edgegrf.compiler.operators.align import align
from edgegrf.compiler.operators.dense import output_fields
from edgegrf.compiler.operators.packed import Fields, narrows, scale_fields
from edgegrf.compiler.operators.wide import HEADER
from edgegrf.compiler.plan import Array, Layer
from edgegrf.errors import ModelError, UnsupportedError

__all__ = ["Operand", "lower"]

_LOOPS = 4


@dataclass(frozen=True)
class Operand:
    """One side: a value with its time axis, or a constant's name; `shape` has the output's rank."""

    shape: tuple[int, ...]
    time: int | None
    value: int | None
    array: Array | None


def lower(lowering: Lowering, node: Node) -> None:
    a, b = _operand(lowering, node, 0), _operand(lowering, node, 1)
    if a.value is None and b.value is None:
        raise UnsupportedError(f"{node.place}: both inputs are constant", node=node.place, fix="fold it")
    if tuple(np.broadcast_shapes(*_compatible(node, a, b))) != node.out.shape:
        raise ModelError(f"{node.place}: {list(a.shape)} with {list(b.shape)} is not {list(node.out.shape)}")
    time = _time(lowering, node, a, b)
    if time is not None:
        a, b = _aligned(lowering, node, a, b)
    frames = 1 if time is None else node.out.shape[time]
    name = node.name(node.kind.lower())
    fast = None if lowering.wide else _packed(lowering, node, a, b)
    if fast is not None:
        count = ("count", math.prod(node.out.shape) // frames)
        call = f"{fast.struct}(&{{p}}, %d, {{in0}}, {{in1}}, {{out}})"
        layer = replace(fast, fields=(count, *fast.fields), window=call % frames, step=call % 1)
        lowering.finish(node, layer, time)
        return
    first, second = ("{in0}" if a.value is not None else _name(a)), _second(a, b)
    kernel = f"eg_{node.kind.lower()}{'16' if lowering.wide else ''}"
    file = "eg_mul.c" if node.kind == "MUL" else "eg_add.c"
    call = f"{kernel}(&{{p}}, %d, {first}, {second}, {{out}})"
    computed = [side for side in (a, b) if side.value is not None]
    full = [i for i, side in enumerate(computed) if side.shape == node.out.shape]
    layer = Layer(
        name=name,
        kind=node.kind,
        place=node.place,
        shape=node.out.shape,
        inputs=tuple(side.value for side in computed if side.value is not None),
        output=0,
        window=call % frames,
        step=call % 1,
        sources=("eg_binary16.c", HEADER) if lowering.wide else (file,),
        struct="eg_binary",
        fields=(*_loops(node, a, b, time), *_scales(lowering, node)),
        arrays=tuple(side.array for side in (a, b) if side.array is not None),
        in_place=tuple(full),
    )
    lowering.finish(node, layer, time)


def _packed(lowering: Lowering, node: Node, a: Operand, b: Operand) -> Layer | None:
    """The layer on eg_packed_add.h or eg_packed_mul.h but for its calls and the count of a frame.

    None where a side is not a whole value, or the outputs do not clamp to int8 alone.
    """
    if a.value is None or b.value is None or a.shape != b.shape:
        return None
    scale, zero_point = lowering.quantization(node.output)
    bounds = activation_range(node.options.get("activation", "NONE"), scale, zero_point, node.place)
    made = (_product if node.kind == "MUL" else _sum)(lowering, node) if bounds == (-128, 127) else None
    if made is None:
        return None
    struct, swapped, fields = made
    return Layer(
        name=node.name(node.kind.lower()),
        kind=node.kind,
        place=node.place,
        shape=node.out.shape,
        inputs=(b.value, a.value) if swapped else (a.value, b.value),
        output=0,
        window="",
        step="",
        sources=(f"{struct}.h",),
        struct=struct,
        fields=fields,
        in_place=(0, 1),
    )


def _sum(lowering: Lowering, node: Node) -> tuple[str, bool, Fields] | None:
    """Struct, whether the sides are swapped, and fields of ADD and SUB."""
    (scale_a, zero_a), (scale_b, zero_b) = (lowering.quantization(index) for index in node.inputs)
    scale, zero_point = lowering.quantization(node.output)
    by_a, by_b, by = _sum_multipliers(node, scale_a, scale_b, scale)
    sign_a, sign_b = 1, 1 if node.kind == "ADD" else -1
    swapped = bool(scale_b > scale_a)
    if swapped:
        by_b, zero_a, zero_b, sign_a, sign_b = by_a, zero_b, zero_a, sign_b, sign_a
    same = scale_a == scale_b
    if not narrows(by, 255 << 20) or not (same or narrows(by_b, 255 << 20)):
        return None
    other = scale_fields(by_b, 0) if not same else (("multiplier", 0), ("offset", 0), ("shift", 0))
    fields = (
        ("zero_a", -(zero_a << 20)),
        ("zero_b", -(zero_b << 21)),
        ("sign_a", sign_a),
        ("sign_b", sign_b),
        ("rectified", int(zero_point == -128)),
        ("b", other),
        ("out", scale_fields(by, zero_point)),
    )
    return "eg_packed_add", swapped, fields


def _product(lowering: Lowering, node: Node) -> tuple[str, bool, Fields] | None:
    """The same of MUL."""
    (scale_a, zero_a), (scale_b, zero_b) = (lowering.quantization(index) for index in node.inputs)
    scale, zero_point = lowering.quantization(node.output)
    by = multiplier(float(scale_a) * float(scale_b) / float(scale))
    if not narrows(by, lowering.most_apart**2):
        return None
    fields = (("zero_a", 2 * zero_a), ("zero_b", zero_b), ("out", scale_fields(by, zero_point)))
    return "eg_packed_mul", False, fields


def _aligned(lowering: Lowering, node: Node, a: Operand, b: Operand) -> tuple[Operand, Operand]:
    """Both sides in step with each other, where both are values."""
    if a.value is None or b.value is None:
        return a, b
    first, second = align(lowering, node, (a.value, b.value))
    return replace(a, value=first), replace(b, value=second)


def _name(side: Operand) -> str:
    assert side.array is not None  # a side is a value or an array
    return side.array.name


def _second(a: Operand, b: Operand) -> str:
    if b.value is None:
        return _name(b)
    return "{in0}" if a.value is None else "{in1}"


def _operand(lowering: Lowering, node: Node, slot: int) -> Operand:
    tensor = lowering.graph.tensors[node.inputs[slot]]
    rank = len(node.out.shape)
    if len(tensor.shape) > rank:
        raise ModelError(f"{node.place}: {list(tensor.shape)} in, {list(node.out.shape)} out")
    lead = rank - len(tensor.shape)
    shape = (1,) * lead + tensor.shape
    if node.inputs[slot] in lowering.views:
        view = lowering.view(node.inputs[slot])
        return Operand(shape, None if view.time is None else view.time + lead, view.value, None)
    name = f"{node.name(node.kind.lower())}_{'ab'[slot]}"
    return Operand(
        shape, None, None, Array(name, f"{lowering.dtype}_t", lowering.constant(node, slot, lowering.dtype))
    )


def _compatible(node: Node, a: Operand, b: Operand) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if any(x != y and 1 not in (x, y) for x, y in zip(a.shape, b.shape, strict=True)):
        raise ModelError(f"{node.place}: {list(a.shape)} cannot be broadcast with {list(b.shape)}")
    return a.shape, b.shape


def _time(lowering: Lowering, node: Node, a: Operand, b: Operand) -> int | None:
    """The output's time axis if both sides run along it, or are constant in time."""
    times = {side.time for side in (a, b) if side.value is not None}
    time = times.pop()
    if times or time is None:
        if times:
            lowering.refuse(f"{node.place}: its inputs run differently in time")
        return None
    if any(side.value is None and side.shape[time] != 1 for side in (a, b)):
        lowering.refuse(f"{node.place}: its constant changes with time")
        return None
    if any(side.value is not None and side.shape[time] != node.out.shape[time] for side in (a, b)):
        lowering.refuse(f"{node.place}: its inputs run differently in time")
        return None
    return time


def _loops(node: Node, a: Operand, b: Operand, time: int | None) -> tuple[tuple[str, Any], ...]:
    """Loop sizes and strides of one frame, neighbouring axes joined where both sides allow it."""
    inner = slice(0 if time is None else time + 1, None)
    pa, pb = a.shape[inner], b.shape[inner]
    size = [max(x, y) for x, y in zip(pa, pb, strict=True)]
    joined: list[tuple[int, int, int]] = []
    for n, sa, sb in zip(reversed(size), reversed(_strides(pa)), reversed(_strides(pb)), strict=True):
        if n == 1:
            continue
        if joined:
            m, ta, tb = joined[-1]
            if sa == ta * m and sb == tb * m:
                joined[-1] = (m * n, ta, tb)
                continue
        joined.append((n, sa, sb))
    if len(joined) > _LOOPS:
        raise UnsupportedError(
            f"{node.place}: broadcasts over {len(joined)} axes", node=node.place, why="at most 4"
        )
    joined += [(1, 0, 0)] * (_LOOPS - len(joined))
    sizes, strides_a, strides_b = (list(reversed(column)) for column in zip(*joined, strict=True))
    frame_a = math.prod(pa) if a.value is not None and time is not None else 0
    frame_b = math.prod(pb) if b.value is not None and time is not None else 0
    return (
        ("size", sizes),
        ("stride_a", strides_a),
        ("stride_b", strides_b),
        ("frame_a", frame_a),
        ("frame_b", frame_b),
    )


def _strides(shape: tuple[int, ...]) -> list[int]:
    """Steps through memory along each axis, 0 where it is repeated."""
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step if size != 1 else 0)
        step *= size
    return strides[::-1]


def _scales(lowering: Lowering, node: Node) -> tuple[tuple[str, Any], ...]:
    (scale_a, zero_a), (scale_b, zero_b) = (lowering.quantization(index) for index in node.inputs)
    scale, _ = lowering.quantization(node.output)
    if node.kind == "MUL":
        by = multiplier(float(scale_a) * float(scale_b) / float(scale))
        fits(lowering.most_apart**2, by, node.place)
        by_a = by_b = Multiplier(0, 0)
    else:
        by_a, by_b, by = _sum_multipliers(node, scale_a, scale_b, scale, 15 if lowering.wide else 20)
    return (
        ("zero_point_a", zero_a),
        ("zero_point_b", zero_b),
        ("multiplier_a", by_a.mantissa),
        ("multiplier_b", by_b.mantissa),
        ("multiplier", by.mantissa),
        ("shift_a", by_a.shift),
        ("shift_b", by_b.shift),
        ("shift", by.shift),
        *output_fields(lowering, node),
    )


def _sum_multipliers(
    node: Node, a: np.float32, b: np.float32, out: np.float32, bits: int = 20
) -> tuple[Multiplier, ...]:
    """The rescalings of both sides and of their sum, whose ratios TFLite Micro takes in double."""
    twice = 2 * float(max(a, b))
    ratios = [float(a) / twice, float(b) / twice, twice / ((1 << bits) * float(out))]
    if not all(map(math.isfinite, ratios)):
        raise ModelError(f"{node.place}: the scales cannot be combined")
    return tuple(smaller_than_one(ratio, node.place) for ratio in ratios)
