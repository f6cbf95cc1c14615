# SPDX-License-Identifier: Apache-2.0
"""AVERAGE_POOL_2D and MAX_POOL_2D, within a frame, over time, or both.

A border that TFLite's SAME makes does not count; zero points that a PAD before the pool makes do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from edgegrf.compiler.lowering import Lowering, Node
from edgegrf.compiler.operators.dense import output_fields
from edgegrf.compiler.operators.geometry import take_padding, timed, windows
from edgegrf.compiler.operators.wide import HEADER
from edgegrf.compiler.plan import Layer
from edgegrf.errors import ModelError, UnsupportedError

__all__ = ["lower"]

_KERNELS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "AVERAGE_POOL_2D": ("eg_average_pool", ("eg_pool.c",)),
    "MAX_POOL_2D": ("eg_max_pool", ("eg_pool.c",)),
}


def lower(lowering: Lowering, node: Node) -> None:
    source = lowering.view(node.inputs[0]) if lowering.wide else take_padding(lowering, node)
    scale, zero_point = lowering.quantization(node.inputs[0])
    out_scale, out_zero = lowering.quantization(node.output)
    if zero_point != out_zero or abs(float(scale) - float(out_scale)) > 1e-6:
        raise UnsupportedError(
            f"{node.place}: changes the scale", node=node.place, fix="quantise the model again"
        )
    geometry = windows(lowering, node, source, node.options["filter"])
    if source.shape[-1] != node.out.shape[-1]:
        raise ModelError(f"{node.place}: {source.shape[-1]} channels in, {node.out.shape[-1]} out")
    time, timing = timed(lowering, node, source, geometry)
    act = tuple(field for field in output_fields(lowering, node) if field[0] != "output_zero_point")
    kernel, sources = _KERNELS[node.kind] if not lowering.wide else ("eg_pool16", ("eg_pool16.c", HEADER))
    if lowering.wide and geometry.rows_are_time:
        lowering.refuse(f"{node.place} pools over time in int16")
    layer = Layer(
        name=node.name("pool"),
        kind=node.kind,
        place=node.place,
        shape=node.out.shape,
        inputs=(source.value,),
        output=0,
        window=f"{kernel}(&{{p}}, {geometry.frames}, {{in0}}, {{out}})",
        step=f"{kernel}(&{{p}}, 1, {{in0}}, {{out}})",
        sources=sources,
        struct="eg_pool",
        fields=(
            ("geometry", geometry.fields(zero_point)),
            ("counted_rows", list(geometry.rows.counted)),
            ("counted_columns", list(geometry.columns.counted)),
            *act,
        ),
    )
    if geometry.rows_are_time and time is not None:
        step = f"{kernel}_step(&{{p}}, {{ring}}, {{head}}, {{in0}}, {{out}})"
        keep = "eg_pool_push(&{p}, {ring}, {head}, {in0})"
        layer = replace(layer, step=step, keep=keep, ring=geometry.ring(lowering.value_bytes, zero_point))
    lowering.finish(node, layer, time, timing=timing)
