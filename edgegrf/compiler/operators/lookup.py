# SPDX-License-Identifier: Apache-2.0
"""Functions of one int8 value, as tables of 256: LOGISTIC, TANH, RELU and its like; int16 is wide.py's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.compiler.arithmetic import activation_range, fits, multiplier, requantise, round_ratio
from edgegrf.compiler.fixed_point import logistic_table, tanh_table
from edgegrf.compiler.lowering import Lowering, Node
from edgegrf.compiler.operators import wide
from edgegrf.compiler.operators.curves import elu_table, hard_swish_table, leaky_relu_table, rescaled_table
from edgegrf.compiler.plan import Array, Layer
from edgegrf.errors import ModelError, UnsupportedError

__all__ = ["insist", "lower"]


def lower(lowering: Lowering, node: Node) -> None:
    if lowering.wide:
        wide.curve(lowering, node) if node.kind in ("LOGISTIC", "TANH") else wide.relu(lowering, node)
        return
    source = lowering.view(node.inputs[0])
    if source.shape != node.out.shape:
        raise ModelError(f"{node.place}: {list(source.shape)} in, {list(node.out.shape)} out")
    table = Array(node.name(node.kind.lower()), "int8_t", _table(lowering, node))
    step = math.prod(source.frame())
    call = "eg_lookup({p}, %d, {in0}, {out})"
    layer = Layer(
        name=table.name,
        kind=node.kind,
        place=node.place,
        shape=node.out.shape,
        inputs=(source.value,),
        output=0,
        window=call % (step * source.frames()),
        step=call % step,
        sources=("eg_lookup.c",),
        arrays=(table,),
        in_place=(0,),
    )
    lowering.finish(node, layer, source.time)


def _table(lowering: Lowering, node: Node) -> NDArray[np.int8]:
    scale, zero_point = lowering.quantization(node.inputs[0])
    out_scale, out_zero = lowering.quantization(node.output)
    if node.kind == "LOGISTIC":
        insist(node, float(out_scale), out_zero, 1 / 256, -128)
        return logistic_table(float(scale), zero_point, node.place)
    if node.kind == "TANH":
        insist(node, float(out_scale), out_zero, 1 / 128, 0)
        return tanh_table(float(scale), zero_point, node.place)
    source, target = (scale, zero_point), (out_scale, out_zero)
    if node.kind == "ELU":
        return elu_table(source, target, node.place)
    if node.kind == "HARD_SWISH":
        return hard_swish_table(source, target, node.place)
    if node.kind == "LEAKY_RELU":
        return leaky_relu_table(source, target, node.options["alpha"], node.place)
    if node.kind == "QUANTIZE":
        return rescaled_table(source, target, node.place)
    if node.kind == "RELU6":  # clamps the codes as they are, without another scale
        if (out_scale, out_zero) != (scale, zero_point):
            raise UnsupportedError(f"{node.place}: changes the scale", node=node.place, fix="fuse it")
        six = min(127, round_ratio(6.0, scale) + zero_point)
        return np.clip(np.arange(-128, 128), zero_point, max(six, zero_point)).astype(np.int8)
    return _relu(node, scale, zero_point, out_scale, out_zero)


def _relu(node: Node, scale: Any, zero_point: int, out_scale: Any, out_zero: int) -> NDArray[np.int8]:
    with np.errstate(over="ignore"):
        by = multiplier(float(np.float32(scale) / np.float32(out_scale)))
    fits(255, by, node.place)
    least, most = activation_range("RELU", out_scale, out_zero, node.place)
    centred = np.arange(-128, 128, dtype=np.int64) - zero_point
    return np.clip(requantise(centred, by) + out_zero, least, most).astype(np.int8)


def insist(node: Node, scale: float, zero_point: int, want_scale: float, want_zero: int) -> None:
    """Refuse an output whose code is not the one that TFLite prescribes for `node`."""
    if scale != want_scale or zero_point != want_zero:
        raise UnsupportedError(
            f"{node.place}: its output has scale {scale:.9g} and zero point {zero_point}",
            node=node.place,
            why=f"TFLite defines it for {want_scale:.9g} and {want_zero}",
            fix="quantise the model again",
        )
