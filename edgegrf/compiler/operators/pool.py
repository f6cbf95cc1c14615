# SPDX-License-Identifier: Apache-2.0
"""AVERAGE_POOL_2D within a frame, or over time in window mode."""

from __future__ import annotations

from edgegrf.compiler.lowering import Lowering, Node
from edgegrf.compiler.operators.dense import output_fields
from edgegrf.compiler.operators.geometry import windows
from edgegrf.compiler.operators.wide import HEADER
from edgegrf.compiler.plan import Layer
from edgegrf.errors import ModelError, UnsupportedError

__all__ = ["lower"]


def lower(lowering: Lowering, node: Node) -> None:
    source = lowering.view(node.inputs[0])
    scale, zero_point = lowering.quantization(node.inputs[0])
    out_scale, out_zero = lowering.quantization(node.output)
    if zero_point != out_zero or abs(float(scale) - float(out_scale)) > 1e-6:
        raise UnsupportedError(
            f"{node.place}: changes the scale", node=node.place, fix="quantise the model again"
        )
    height, width = node.options["filter"]
    geometry = windows(lowering, node, source, (height, width))
    if source.shape[-1] != node.out.shape[-1]:
        raise ModelError(f"{node.place}: {source.shape[-1]} channels in, {node.out.shape[-1]} out")
    time = lowering.locate(node.out.shape) if source.time is not None else None
    if geometry.rows_are_time:
        lowering.refuse(f"{node.place} pools over {geometry.rows.kernel} time steps")
        time = None
    act = tuple(field for field in output_fields(lowering, node) if field[0] != "output_zero_point")
    kernel, header = ("eg_pool16", (HEADER,)) if lowering.wide else ("eg_pool", ())
    layer = Layer(
        name=node.name("pool"),
        kind=node.kind,
        place=node.place,
        shape=node.out.shape,
        inputs=(source.value,),
        output=0,
        window=f"{kernel}(&{{p}}, {geometry.frames}, {{in0}}, {{out}})",
        step=f"{kernel}(&{{p}}, 1, {{in0}}, {{out}})",
        sources=(f"{kernel}.c", *header),
        struct="eg_pool",
        fields=(("geometry", geometry.fields(zero_point)), *act),
    )
    lowering.finish(node, layer, time)
