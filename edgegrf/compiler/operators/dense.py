# SPDX-License-Identifier: Apache-2.0
"""Dot products with int8 weights: FULLY_CONNECTED, and the part that convolutions share with it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.compiler.arithmetic import Multiplier, activation_range, multiplier
from edgegrf.compiler.lowering import Lowering, Node, View
from edgegrf.compiler.operators import packed, wide
from edgegrf.compiler.operators.folding import Folded, fold
from edgegrf.compiler.plan import Head, Layer
from edgegrf.errors import ModelError, UnsupportedError

__all__ = ["emit", "lower", "output_fields", "weight_scales", "weights"]

Int8 = NDArray[np.int8]


def lower(lowering: Lowering, node: Node) -> None:
    """FULLY_CONNECTED over the last axis: [..., depth] -> [..., outputs]."""
    matrix = weights(lowering, node)
    if matrix.ndim != 2:
        raise ModelError(f"{node.place}: weights of shape {list(matrix.shape)}")
    outputs, depth = matrix.shape
    source = lowering.view(node.inputs[0])
    size = math.prod(source.shape)
    fits_input = size % depth == 0 and math.prod(node.out.shape) == size // depth * outputs
    if not fits_input or node.out.shape[-1:] != (outputs,):
        raise ModelError(
            f"{node.place}: {list(source.shape)} times {list(matrix.shape)} is not {list(node.out.shape)}"
        )
    scales = weight_scales(lowering, node, 0, outputs)
    in_scale, _ = lowering.quantization(node.inputs[0])
    out_scale, _ = lowering.quantization(node.output)
    if len(scales) > 1:
        factors = [float(in_scale) * float(s) / float(out_scale) for s in scales]
    else:  # TFLite multiplies the two scales in float32 here
        with np.errstate(over="ignore"):
            product = float(np.float32(in_scale) * np.float32(scales[0]))
        _check_bias_scale(lowering, node, product, float(out_scale))
        factors = [product / float(out_scale)] * outputs
    emit(lowering, node, source, matrix, [multiplier(factor) for factor in factors])


def emit(lowering: Lowering, node: Node, source: View, matrix: Int8, by: list[Multiplier]) -> None:
    """Add the dense layer of `matrix` [outputs, depth] at every position of `source`."""
    depth = matrix.shape[1]
    positions = math.prod(source.shape) // depth
    time = lowering.follow(node, source)
    if time is not None and math.prod(source.frame()) % depth:
        lowering.refuse(f"{node.place} mixes time steps")
        time = None
    per_step = positions if time is None else positions // source.frames()
    name = node.name("dense")
    layer = Layer(
        name=name,
        kind=node.kind,
        place=node.place,
        shape=node.out.shape,
        inputs=(source.value,),
        output=0,
        window="",
        step="",
        sources=(),
        macs=positions * matrix.size,
        step_macs=per_step * matrix.size,
    )
    layer, call = _with_kernel(lowering, node, layer, matrix, by, per_step)
    layer = replace(layer, window=call % positions, step=call % per_step)
    lowering.finish(node, layer, time)


def _with_kernel(
    lowering: Lowering, node: Node, layer: Layer, matrix: Int8, by: list[Multiplier], per_step: int
) -> tuple[Layer, str]:
    """The layer with its constants, and the call of its kernel but for the number of positions."""
    sources: tuple[str, ...] = ("eg_dense.c",)
    struct = "eg_dense"
    if lowering.wide:
        fields, arrays = wide.weighted(lowering, node, layer.name, matrix, by).dense()
        sources, struct = (wide.HEADER, "eg_dense16.c"), "eg_dense16"
    else:
        folded = fold(lowering, node, layer.name, matrix, by)
        fast = packed.dense(folded, per_step)
        if fast:
            layer = replace(fast.complete(layer), head=_head(node, folded))
            return layer, "eg_packed_dense(&{p}, %d, {in0}, {words}, {out})"
        fields, arrays = folded.generic()
    layer = replace(layer, fields=fields, arrays=arrays, sources=sources, struct=struct)
    return layer, f"{struct}(&{{p}}, %d, {{in0}}, {{out}})"


def _head(node: Node, folded: Folded) -> Head | None:
    """What stands for the layer where it is the model's last; None without biases."""
    if len(node.inputs) < 3:
        return None
    matrix, by = folded.matrix.astype(np.int64), folded.by
    bias = folded.bias + folded.input_zero_point * matrix.sum(1)
    scales = np.stack([bias, [one.mantissa for one in by], [one.shift for one in by]], axis=1)
    return Head(
        weights=folded.matrix,
        scales=scales.astype(np.int32),
        input_zero_point=folded.input_zero_point,
        output_zero_point=folded.zero_point,
        source=node.inputs[0],
        weight_tensor=node.inputs[1],
        bias_tensor=node.inputs[2],
        target=node.output,
    )


def weights(lowering: Lowering, node: Node) -> Int8:
    """The constant int8 weights of `node`, whose zero points must be 0."""
    tensor = lowering.graph.tensors[node.inputs[1]]
    if tensor.quantization is None or np.any(tensor.quantization.zero_points != 0):
        raise UnsupportedError(
            f"{node.place}: weights must be symmetric", node=node.place, fix="quantise the model again"
        )
    matrix: Int8 = lowering.constant(node, 1, "int8")
    return matrix


def weight_scales(lowering: Lowering, node: Node, axis: int, channels: int) -> NDArray[np.float32]:
    """The weights' scales: one, or one per output channel along `axis`."""
    quantization = lowering.graph.tensors[node.inputs[1]].quantization
    assert quantization is not None  # weights() insists
    if len(quantization.scales) != 1 and (len(quantization.scales) != channels or quantization.axis != axis):
        raise ModelError(f"{node.place}: {len(quantization.scales)} weight scales for {channels} channels")
    return quantization.scales


def output_fields(lowering: Lowering, node: Node) -> tuple[tuple[str, Any], ...]:
    """The zero point of the output and the range of the fused activation."""
    scale, zero_point = lowering.quantization(node.output)
    activation, ends = node.options.get("activation", "NONE"), (lowering.least, lowering.most)
    least, most = activation_range(activation, scale, zero_point, node.place, ends)
    return ("output_zero_point", zero_point), ("activation_min", least), ("activation_max", most)


def _check_bias_scale(lowering: Lowering, node: Node, product: float, out_scale: float) -> None:
    if len(node.inputs) < 3:
        return
    quantization = lowering.graph.tensors[node.inputs[2]].quantization
    scale = float(quantization.scales[0]) if quantization is not None else 0.0
    if abs(product - scale) / out_scale > 0.02:
        raise ModelError(f"{node.place}: the bias has another scale than input times weights")
