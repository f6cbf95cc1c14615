# SPDX-License-Identifier: Apache-2.0
"""A lowered float graph and the ranges of its tensors -> the integer graph, by TFLite's rules."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import UnsupportedError
from edgegrf.export.lowered import SAME_SCALE, Lowered, Node
from edgegrf.export.scales import shared_ranges
from edgegrf.export.scheme import INT8, Range, Scheme
from edgegrf.graph.model import NEXT_SUFFIX, STATE_PREFIX, Graph, Operator, Quantization, Tensor
from edgegrf.graph.schema import OPERATORS

__all__ = ["channel_axis", "own_tensors", "quantise", "weight_scales"]


def quantise(
    lowered: Lowered,
    ranges: Mapping[str, Range],
    description: str = "",
    scheme: Scheme = INT8,
) -> Graph:
    """The integer graph of `lowered`, activations covering `ranges` (tensor -> range).

    Raises UnsupportedError for what the scheme cannot represent: a tensor that is always 0, an accumulator
    beyond its bits, an operator.
    """
    activations = _activations(lowered, shared_ranges(lowered, ranges), scheme)
    builder = _Builder(lowered, activations, scheme)
    for name in lowered.inputs:
        builder.tensor(name)
    for node in lowered.nodes:
        builder.operator(node)
    index = builder.index
    return Graph(
        tuple(builder.tensors),
        tuple(builder.operators),
        tuple(index[name] for name in lowered.inputs),
        tuple(index[name] for name in lowered.outputs),
        description,
    )


def _activations(lowered: Lowered, ranges: Mapping[str, Range], scheme: Scheme) -> dict[str, Quantization]:
    """The scale and zero point of every tensor that flows."""
    found: dict[str, Quantization] = {}
    for name in (*lowered.inputs, *(name for name in lowered.outputs if name.endswith(NEXT_SUFFIX))):
        found[name] = scheme.code(name, _with_its_twin(name, ranges))
    for node in lowered.nodes:
        if node.output in found:
            if node.kind in SAME_SCALE or node.kind in scheme.fixed:
                raise UnsupportedError(
                    f"state '{node.output}' comes straight out of {node.kind}",
                    node=node.place,
                    why="its scale is not free, but a state has one scale going in and coming out",
                )
        elif node.kind in SAME_SCALE:
            found[node.output] = found[node.inputs[0]]
        elif node.kind in scheme.fixed:
            found[node.output] = scheme.per_tensor(*scheme.fixed[node.kind])
        else:
            found[node.output] = scheme.code(node.output, ranges[node.output])
    return found


def _with_its_twin(name: str, ranges: Mapping[str, Range]) -> Range:
    """A state's range: what goes in and what comes out together, since they share a scale."""
    if not name.startswith(STATE_PREFIX):
        return ranges[name]
    source = name.removesuffix(NEXT_SUFFIX)
    pair = ranges[source], ranges[source + NEXT_SUFFIX]
    return min(low for low, _ in pair), max(high for _, high in pair)


class _Builder:
    """Collects tensors and operators of the graph under construction."""

    def __init__(self, lowered: Lowered, activations: Mapping[str, Quantization], scheme: Scheme) -> None:
        self._lowered, self._activations = lowered, activations
        self._scheme = scheme
        self.tensors: list[Tensor] = []
        self.operators: list[Operator] = []
        self.index: dict[str, int] = {}

    def tensor(self, name: str) -> int:
        return self._add(
            Tensor(name, self._lowered.shapes[name], self._scheme.activations, self._activations[name])
        )

    def operator(self, node: Node) -> None:
        if "limits" in node.options and self._scheme.symmetric:
            raise UnsupportedError(
                f"{node.kind} at '{node.place or node.output}' clips to {node.options['limits']}",
                node=node.place or node.output,
                why=f"the codes of {self._scheme.name} reach as far on either side of 0",
                fix="nn.ReLU or nn.ReLU6, or --quantize int8",
            )
        inputs = [self.index[name] for name in node.inputs]
        if node.weights is not None:
            inputs += self._weights(node)
        elif node.kind in ("PAD", "PADV2"):
            inputs.append(self._constant(f"{node.output}/widths", np.array(node.options["pads"], np.int32)))
        elif node.kind == "RESHAPE":
            shape = np.array(node.options["new_shape"], np.int32)
            inputs.append(self._constant(f"{node.output}/shape", shape))
        for name, values in node.options.get("vectors", {}).items():
            inputs.append(self._constant(f"{node.output}/{name}", np.array(values, np.int32)))
        if "constant" in node.options:
            inputs.insert(node.options.get("side", 1), self._real(node))
        if node.kind == "PADV2":
            inputs.append(self._lowest(node))
        options = {key: node.options[key] for key in OPERATORS[node.kind].fields}
        output = self.tensor(node.output)
        self.operators.append(
            Operator(node.kind, tuple(inputs), (output,), options, self._scheme.version(node.kind))
        )

    def _weights(self, node: Node) -> list[int]:
        assert node.weights is not None and node.bias is not None
        axis = channel_axis(node)
        source = float(self._activations[node.inputs[0]].scales[0])
        scales = weight_scales(node, source * self._scheme.bias_limit)
        along = [1] * node.weights.ndim
        along[axis] = -1
        coded = np.clip(np.rint(node.weights / scales.reshape(along)), -127, 127).astype(np.int8)
        bias_scales = scales.astype(np.float64) * source
        bias = np.rint(node.bias / bias_scales)
        self._check_accumulator(node, coded, bias, axis)
        zeros = np.zeros(len(scales), np.int64)
        return [
            self._add(
                Tensor(
                    f"{node.output}/weights",
                    coded.shape,
                    "int8",
                    Quantization(scales, zeros, axis),
                    coded,
                )
            ),
            self._add(
                Tensor(
                    f"{node.output}/bias",
                    bias.shape,
                    self._scheme.biases,
                    Quantization(bias_scales.astype(np.float32), zeros),
                    bias.astype(self._scheme.biases),
                )
            ),
        ]

    def _check_accumulator(
        self, node: Node, coded: NDArray[np.int8], bias: NDArray[np.float64], axis: int
    ) -> None:
        """The largest sum that any input can cause must fit the accumulator."""
        other = tuple(index for index in range(coded.ndim) if index != axis)
        largest = 255 if self._scheme.activations == "int8" else 32768
        worst = largest * np.abs(coded.astype(np.int64)).sum(other) + np.abs(bias)
        if float(worst.max()) >= self._scheme.accumulator_limit:
            where = node.place or node.output
            raise UnsupportedError(
                f"{node.kind} at '{where}' can overflow its accumulator",
                node=where,
                why=f"{coded.size // len(worst)} weights an output, a bias of {np.abs(bias).max():.0f} steps",
                fix="split the layer, or train with weight decay",
            )

    def _real(self, node: Node) -> int:
        """The constant of an ADD, SUB or MUL; PRELU's slopes with 0 as their zero point."""
        values: NDArray[np.float32] = node.options["constant"]
        ends = float(values.min()), float(values.max())
        if node.kind == "PRELU":
            ends = -float(np.abs(values).max()), float(np.abs(values).max()) * 127 / 128
        name = f"{node.output}/constant"
        code = self._scheme.code(name, ends)
        info = np.iinfo(np.dtype(self._scheme.activations))
        coded = np.clip(np.rint(values / code.scales[0]) + code.zero_points[0], info.min, info.max)
        data = coded.astype(info.dtype)
        return self._add(Tensor(name, data.shape, self._scheme.activations, code, data))

    def _lowest(self, node: Node) -> int:
        """What no int8 value of the input lies below."""
        code, data = self._activations[node.inputs[0]], np.array([-128], np.int8)
        return self._add(Tensor(f"{node.output}/lowest", data.shape, "int8", code, data))

    def _constant(self, name: str, data: NDArray[np.int32]) -> int:
        return self._add(Tensor(name, data.shape, "int32", None, data))

    def _add(self, tensor: Tensor) -> int:
        self.index[tensor.name] = len(self.tensors)
        self.tensors.append(tensor)
        return self.index[tensor.name]


def channel_axis(node: Node) -> int:
    """The axis of a layer's weights that counts its outputs."""
    return 3 if node.kind == "DEPTHWISE_CONV_2D" else 0


def own_tensors(lowered: Lowered, scheme: Scheme) -> tuple[str, ...]:
    """The tensors whose range is free, in the order of execution: a state's next is the state's."""
    made = (node.output for node in lowered.nodes if node.kind not in SAME_SCALE | scheme.fixed.keys())
    return tuple(name for name in (*lowered.inputs, *made) if not name.endswith(NEXT_SUFFIX))


def weight_scales(node: Node, most: float) -> NDArray[np.float32]:
    """Symmetric scales per output channel, wide enough for the bias of a channel whose weights are tiny:
    it must stay within `most` of its weights' steps."""
    assert node.weights is not None and node.bias is not None
    if node.scales is not None:
        return node.scales
    axis = channel_axis(node)
    other = tuple(index for index in range(node.weights.ndim) if index != axis)
    widest = np.abs(node.weights).max(other).astype(np.float64) / 127
    widest = np.maximum(widest, np.abs(node.bias) / most)
    dead = max(float(widest.max()), 1 / 127)
    return np.where(widest > 1e-30, widest, dead).astype(np.float32)
