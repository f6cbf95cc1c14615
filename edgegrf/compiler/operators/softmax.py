# SPDX-License-Identifier: Apache-2.0
"""SOFTMAX over the last axis, from a table of exponentials."""

from __future__ import annotations

import math

from edgegrf.compiler.fixed_point import exp_table
from edgegrf.compiler.lowering import Lowering, Node
from edgegrf.compiler.operators.lookup import insist
from edgegrf.compiler.plan import Array, Layer
from edgegrf.errors import ModelError, UnsupportedError

__all__ = ["lower"]

_MOST = 511  # larger sums leave the reference kernel with nothing to shift


def lower(lowering: Lowering, node: Node) -> None:
    source = lowering.view(node.inputs[0])
    if source.shape != node.out.shape or not source.shape:
        raise ModelError(f"{node.place}: {list(source.shape)} in, {list(node.out.shape)} out")
    scale, _ = lowering.quantization(node.inputs[0])
    out_scale, out_zero = lowering.quantization(node.output)
    insist(node, float(out_scale), out_zero, 1 / 256, -128)
    count = source.shape[-1]
    if count > _MOST:
        raise UnsupportedError(f"{node.place}: {count} values", node=node.place, why=f"at most {_MOST}")
    time = source.time
    if time == len(source.shape) - 1:
        lowering.refuse(f"{node.place} mixes time steps")
        time = None
    rows = math.prod(source.shape) // count
    per_step = rows if time is None else rows // source.shape[time]
    name = node.name("softmax")
    table = Array(f"{name}_exp", "int32_t", exp_table(float(scale) * node.options["beta"], node.place))
    call = f"eg_softmax({table.name}, %d, {count}, {{in0}}, {{out}})"
    layer = Layer(
        name=name,
        kind=node.kind,
        place=node.place,
        shape=node.out.shape,
        inputs=(source.value,),
        output=0,
        window=call % rows,
        step=call % per_step,
        sources=("eg_softmax.c",),
        arrays=(table,),
        in_place=(0,),
    )
    lowering.finish(node, layer, time)
