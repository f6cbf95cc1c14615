# SPDX-License-Identifier: Apache-2.0
"""CONCATENATION along any axis; row by row where that is not time."""

from __future__ import annotations

import math

import numpy as np

from edgegrf.compiler.lowering import Lowering, Node, View
from edgegrf.compiler.operators.align import align
from edgegrf.compiler.plan import Array, Layer
from edgegrf.errors import ModelError, UnsupportedError

__all__ = ["lower"]


def lower(lowering: Lowering, node: Node) -> None:
    name = node.name("concat")
    shapes = [lowering.graph.tensors[index].shape for index in node.inputs]
    axis = _axis(node, shapes)
    for index in node.inputs:
        _same_code(lowering, node, index)
    views, fixed = _sources(lowering, node, name)
    time = _time(lowering, node, list(views.values()), axis, constant=bool(fixed))
    values = tuple(view.value for view in views.values())
    frames = 1 if time is None else node.out.shape[time]
    sizes = [lowering.value_bytes * math.prod(shape[axis:]) for shape in shapes]
    array = Array(f"{name}_sizes", "int32_t", np.array(sizes, np.int32))
    computed = iter(f"{{in{place}}}" for place in range(len(values)))
    parts = (fixed[slot].name if slot in fixed else next(computed) for slot in range(len(shapes)))
    pointers = ", ".join(map(lowering.bytes_of, parts))
    out = lowering.bytes_of("{out}", to="int8_t *")
    call = f"eg_concat(&{{p}}, %d, (const int8_t *const[]){{{{ {pointers} }}}}, {out})"
    layer = Layer(
        name=name,
        kind=node.kind,
        place=node.place,
        shape=node.out.shape,
        inputs=align(lowering, node, values) if time is not None else values,
        output=0,
        window=call % frames,
        step=call % 1,
        sources=("eg_concat.c",),
        struct="eg_concat",
        fields=(
            ("size", array.name),
            ("parts", len(shapes)),
            ("outer", math.prod(node.out.shape[:axis]) // frames),
        ),
        arrays=(array, *fixed.values()),
    )
    lowering.finish(node, layer, time)


def _sources(lowering: Lowering, node: Node, name: str) -> tuple[dict[int, View], dict[int, Array]]:
    """The computed inputs and the constant ones, by their place."""
    views = {slot: lowering.view(i) for slot, i in enumerate(node.inputs) if i in lowering.views}
    if not views:
        raise UnsupportedError(f"{node.place}: all inputs are constant", node=node.place, fix="fold it")
    fixed = {
        slot: Array(f"{name}_{slot}", f"{lowering.dtype}_t", lowering.constant(node, slot, lowering.dtype))
        for slot in range(len(node.inputs))
        if slot not in views
    }
    return views, fixed


def _axis(node: Node, shapes: list[tuple[int, ...]]) -> int:
    """The axis along which shapes add up to the output's."""
    rank, axis = len(node.out.shape), int(node.options["axis"])
    axis += rank if axis < 0 else 0
    if not 0 <= axis < rank or any(len(shape) != rank for shape in shapes):
        raise ModelError(f"{node.place}: axis {node.options['axis']} of {[list(shape) for shape in shapes]}")
    whole = (*shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :])
    alike = all(shape[:axis] == whole[:axis] and shape[axis + 1 :] == whole[axis + 1 :] for shape in shapes)
    if not alike or whole != node.out.shape:
        raise ModelError(
            f"{node.place}: {[list(shape) for shape in shapes]} do not make {list(node.out.shape)}"
        )
    if node.options["activation"] != "NONE":
        raise UnsupportedError(f"{node.place}: a fused activation", node=node.place, fix="a RELU after it")
    return axis


def _same_code(lowering: Lowering, node: Node, index: int) -> None:
    if lowering.quantization(index) != lowering.quantization(node.output):
        raise UnsupportedError(
            f"{node.place}: '{lowering.graph.tensors[index].name}' has another scale than the result",
            node=node.place,
            fix="quantise the model again",
        )


def _time(lowering: Lowering, node: Node, views: list[View], axis: int, *, constant: bool) -> int | None:
    """The output's time axis where every input runs along it."""
    if constant and lowering.samples > 1:
        lowering.refuse(f"{node.place} joins what is computed and what is constant")
        return None
    times = {view.time for view in views}
    if times == {None}:
        return None
    time = times.pop()
    if times or time is None or time >= axis:
        joins = time is not None and not times
        lowering.refuse(
            f"{node.place} {'joins pieces of time' if joins else 'joins what runs differently in time'}"
        )
        return None
    return time
