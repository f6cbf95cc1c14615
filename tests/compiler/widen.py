# SPDX-License-Identifier: Apache-2.0
"""A random int8 model as an int16x8 one: the same operators and weights, 256 times as fine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgegrf.export.lowered import SAME_SCALE
from edgegrf.export.scheme import INT16X8
from edgegrf.graph.model import Graph, Quantization, Tensor

_FINER = 256
_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def widen(graph: Graph) -> Graph:
    """The int16x8 model; every weighted layer has a bias, as TFLite Micro wants one of int64 there."""
    tensors, operators = list(graph.tensors), []
    for index in graph.inputs:
        tensors[index] = _activation(tensors[index])
    for operator in graph.operators:
        if operator.kind == "MAX_POOL_2D":  # not in int16
            operator = replace(operator, kind="AVERAGE_POOL_2D")
        inputs = list(operator.inputs)
        if operator.kind in _WEIGHTED:
            inputs = _with_bias(tensors, inputs, tensors[operator.outputs[0]].shape[-1])
        else:
            for index in inputs:
                if tensors[index].dtype == "int8":
                    tensors[index] = _activation(tensors[index])
        output = _activation(tensors[operator.outputs[0]])
        if operator.kind in INT16X8.fixed:
            output = replace(output, quantization=INT16X8.per_tensor(*INT16X8.fixed[operator.kind]))
        elif operator.kind in (*SAME_SCALE, "RELU6"):
            output = replace(output, quantization=tensors[inputs[0]].quantization)
        tensors[operator.outputs[0]] = output
        version = INT16X8.version(operator.kind)
        operators.append(replace(operator, inputs=tuple(inputs), version=version))
    return replace(graph, tensors=tuple(tensors), operators=tuple(operators))


def _activation(tensor: Tensor) -> Tensor:
    scales = (tensor.quantization.scales / _FINER).astype(np.float32)
    data = None if tensor.data is None else (tensor.data.astype(np.int16) * 255)
    return replace(tensor, dtype="int16", quantization=_symmetric(scales), data=data)


def _symmetric(scales, axis=0):
    return Quantization(scales, np.zeros(len(scales), np.int64), axis)


def _with_bias(tensors: list[Tensor], inputs: list[int], channels: int) -> list[int]:
    """The inputs of a weighted operator whose bias is int64, one of zeros where there was none."""
    scales = tensors[inputs[1]].quantization.scales * tensors[inputs[0]].quantization.scales[0]
    if len(inputs) < 3:
        bias = np.zeros(channels, np.int64)
        inputs.append(len(tensors))
        tensors.append(Tensor(f"t{len(tensors)}", bias.shape, "int64", _symmetric(scales), bias))
    else:
        bias = tensors[inputs[2]].data.astype(np.int64) * _FINER
        tensors[inputs[2]] = replace(
            tensors[inputs[2]], dtype="int64", quantization=_symmetric(scales), data=bias
        )
    return inputs
