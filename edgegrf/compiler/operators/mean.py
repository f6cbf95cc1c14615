# SPDX-License-Identifier: Apache-2.0
"""MEAN over axes that lie together, at a scale of its own; within a frame, or over time in a window."""

from __future__ import annotations

import math

import numpy as np

from edgegrf.compiler.arithmetic import Multiplier, fits, multiplier
from edgegrf.compiler.lowering import Lowering, Node
from edgegrf.compiler.operators.wide import HEADER
from edgegrf.compiler.plan import Layer
from edgegrf.errors import ModelError, UnsupportedError

__all__ = ["lower"]


def lower(lowering: Lowering, node: Node) -> None:
    source = lowering.view(node.inputs[0])
    shape = source.shape
    axes = _axes(lowering, node, shape)
    lead, inner = math.prod(shape[: axes[0]]), math.prod(shape[axes[-1] + 1 :])
    count = math.prod(shape[axes[0] : axes[-1] + 1])
    time = source.time
    if time is not None and time >= axes[0]:
        lowering.refuse(f"{node.place} averages over time")
        time = None
    elif time is not None:
        time = lowering.locate(node.out.shape, source.shape[time])
    (scale, zero_point), (out_scale, out_zero) = (
        lowering.quantization(index) for index in (node.inputs[0], node.output)
    )
    by = _divided(multiplier(float(scale) / float(out_scale)), count)
    fits((65535 if lowering.wide else 255) * count, by, node.place)
    kernel, sources = ("eg_mean16", ("eg_mean16.c", HEADER)) if lowering.wide else ("eg_mean", ("eg_mean.c",))
    call = f"{kernel}(&{{p}}, %d, {{in0}}, {{out}})"
    layer = Layer(
        name=node.name("mean"),
        kind=node.kind,
        place=node.place,
        shape=node.out.shape,
        inputs=(source.value,),
        output=0,
        window=call % lead,
        step=call % (lead if time is None else lead // node.out.shape[time]),
        sources=sources,
        struct="eg_mean",
        fields=(
            ("count", count),
            ("inner", inner),
            ("zero_points", zero_point * count),
            ("multiplier", by.mantissa),
            ("shift", by.shift),
            ("output_zero_point", out_zero),
        ),
    )
    lowering.finish(node, layer, time)


def _axes(lowering: Lowering, node: Node, shape: tuple[int, ...]) -> range:
    """The axes that are averaged, from the first to the last; those of size 1 come along for nothing."""
    rank = len(shape)
    given = [int(axis) for axis in np.ravel(lowering.constant(node, 1, "int32"))]
    if not given or any(not -rank <= axis < rank for axis in given):
        raise ModelError(f"{node.place}: averages axes {given} of {rank}")
    gone = {axis % rank for axis in given}
    kept = [1 if axis in gone else size for axis, size in enumerate(shape)]
    if not node.options["keep_dims"]:
        kept = [size for axis, size in enumerate(shape) if axis not in gone]
    if tuple(kept) != node.out.shape:
        raise ModelError(f"{node.place}: gives {kept}, not {list(node.out.shape)}")
    span = range(min(gone), max(gone) + 1)
    if any(shape[axis] != 1 and axis not in gone for axis in span):
        raise UnsupportedError(f"{node.place}: axes {given} lie apart", node=node.place, fix="a TRANSPOSE")
    return span


def _divided(by: Multiplier, count: int) -> Multiplier:
    """`by` over `count`, its mantissa cut as the reference kernel does."""
    shift = min(count.bit_length() - 1, 32, 31 + by.shift)
    return Multiplier((by.mantissa << shift) // count, by.shift - shift)
