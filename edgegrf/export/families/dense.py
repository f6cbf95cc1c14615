# SPDX-License-Identifier: Apache-2.0
"""Linear layers: FULLY_CONNECTED on one vector, a 1x1 CONV_2D where they run at every sample."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.export.arrange import rearranged
from edgegrf.export.layout import Atom
from edgegrf.export.lowered import Node
from edgegrf.export.lowering import Lowering, OnnxNode

__all__ = ["HANDLERS", "REPLACEMENTS"]


def _gemm(lowering: Lowering, node: OnnxNode) -> None:
    factors = node.attributes.get("alpha", 1.0), node.attributes.get("beta", 1.0)
    if factors != (1.0, 1.0) or node.attributes.get("transA", 0):
        lowering.refuse(node, "it scales or transposes its input", "nn.Linear")
    weights, bias = lowering.constant(node, 1), lowering.constant(node, 2)
    if weights is None:
        lowering.refuse(node, "its weights are computed", "nn.Linear")
    if not node.attributes.get("transB", 0):
        weights = weights.T
    filled = np.zeros(len(weights), np.float32)
    if bias is not None:
        filled += bias.reshape(-1)
    _linear(lowering, node, weights, filled, node.outputs[0])


def _matmul(lowering: Lowering, node: OnnxNode) -> None:
    weights = lowering.constant(node, 1)
    if weights is None or weights.ndim != 2:
        lowering.refuse(node, "it multiplies two computed tensors", "nn.Linear")
    bias, output = _added(lowering, node.outputs[0], weights.shape[1])
    _linear(lowering, node, weights.T, bias, output)


def _added(lowering: Lowering, output: str, size: int) -> tuple[NDArray[np.float32], str]:
    """The bias that a following Add brings, and the ONNX value after it."""
    reader = lowering.only_consumer(output)
    if reader is not None and reader.kind == "Add":
        side = 1 if reader.inputs[0] == output else 0
        bias = lowering.constant(reader, side)
        if bias is not None and bias.shape[-1:] == (size,) and bias.size == size:
            lowering.absorb(reader)
            return bias.reshape(-1), reader.outputs[0]
    return np.zeros(size, np.float32), output


def _linear(
    lowering: Lowering, node: OnnxNode, weights: NDArray[np.float32], bias: NDArray[np.float32], output: str
) -> None:
    """y = W x + b on the last dimension; weights [out, in]."""
    value = lowering.value(node)
    last = len(value.layout.dims) - 1
    lead = [atom for axis in range(last) for atom in value.layout.real(axis)]
    if list(value.layout.order[: len(lead)]) != lead:
        inner = [atom for atom in value.layout.order if atom in value.layout.real(last)]
        value = rearranged(lowering, node, value, [*lead, *inner])
    layout = value.layout
    activation, output = lowering.activation(output)
    outputs, inputs = weights.shape
    placed = np.ascontiguousarray(weights[:, layout.indices(last)], np.float32)
    options: dict[str, Any] = {"activation": activation}
    kind, sizes = "FULLY_CONNECTED", [1]
    if lead:
        kind, sizes = "CONV_2D", [1, 1, math.prod(atom.size for atom in lead)]
        placed = placed[:, None, None]
        options |= {"padding": "VALID", "stride": (1, 1), "dilation": (1, 1)}
    source, shape = lowering.view(value.tensor, (*sizes, inputs)), (*sizes, outputs)
    made = Node(kind, [source], output, options, placed, bias.astype(np.float32), node.place)
    channel = Atom(outputs)
    dims = [*layout.dims[:last], (channel,)]
    lowering.bind(output, lowering.emit(made, shape, output), dims, [*lead, channel])


HANDLERS = {"Gemm": _gemm, "MatMul": _matmul}
REPLACEMENTS = {
    "Einsum": "nn.Linear or Conv1d",
    "GRU": "a module that makes one step (see docs/export.md, recurrent students)",
    "LSTM": "a GRU written as one step (see docs/export.md, recurrent students)",
    "RNN": "a GRU written as one step (see docs/export.md, recurrent students)",
    "Attention": "dilated causal convolutions",
}
