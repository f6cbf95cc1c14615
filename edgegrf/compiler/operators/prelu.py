# SPDX-License-Identifier: Apache-2.0
"""PRELU: a slope below 0 for each channel."""

from __future__ import annotations

import math

import numpy as np

from edgegrf.compiler.arithmetic import fits, multiplier
from edgegrf.compiler.lowering import Lowering, Node
from edgegrf.compiler.plan import Array, Layer
from edgegrf.errors import ModelError, UnsupportedError

__all__ = ["lower"]


def lower(lowering: Lowering, node: Node) -> None:
    source = lowering.view(node.inputs[0])
    if source.shape != node.out.shape or not source.shape:
        raise ModelError(f"{node.place}: {list(source.shape)} in, {list(node.out.shape)} out")
    channels = source.shape[-1]
    array = _slopes(lowering, node, channels)
    time = source.time
    if time == len(source.shape) - 1:
        lowering.refuse(f"{node.place}: its slopes change with time")
        time = None
    positions = math.prod(source.shape) // channels
    call = "eg_prelu(&{p}, %d, {in0}, {out})"
    layer = Layer(
        name=node.name("prelu"),
        kind=node.kind,
        place=node.place,
        shape=node.out.shape,
        inputs=(source.value,),
        output=0,
        window=call % positions,
        step=call % (positions if time is None else positions // source.shape[time]),
        sources=("eg_prelu.c",),
        struct="eg_prelu",
        fields=(("alpha", array.name), ("channels", channels), *_scales(lowering, node)),
        arrays=(array,),
        in_place=(0,),
    )
    lowering.finish(node, layer, time)


def _slopes(lowering: Lowering, node: Node, channels: int) -> Array:
    alpha = lowering.constant(node, 1, "int8")
    if alpha.size != channels or alpha.shape[-1:] != (channels,):
        raise UnsupportedError(
            f"{node.place}: slopes of shape {list(alpha.shape)} for {channels} channels",
            node=node.place,
            fix="a slope per channel",
        )
    return Array(f"{node.name('prelu')}_alpha", "int8_t", np.ravel(alpha))


def _scales(lowering: Lowering, node: Node) -> tuple[tuple[str, int], ...]:
    """Zero points and rescalings, proven to fit."""
    (scale, zero), (slope, slope_zero) = (lowering.quantization(index) for index in node.inputs)
    out_scale, out_zero = lowering.quantization(node.output)
    same = multiplier(float(scale) / float(out_scale))
    less = multiplier(float(scale) * float(slope) / float(out_scale))
    fits(255, same, node.place)
    fits(255 * 255, less, node.place)
    return (
        ("zero_point", zero),
        ("alpha_zero_point", slope_zero),
        ("output_zero_point", out_zero),
        ("multiplier", same.mantissa),
        ("multiplier_alpha", less.mantissa),
        ("shift", same.shift),
        ("shift_alpha", less.shift),
    )
