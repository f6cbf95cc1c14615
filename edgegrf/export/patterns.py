# SPDX-License-Identifier: Apache-2.0
"""Functions that torch's exporter writes as several ONNX nodes, taken together again."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

__all__ = ["OnnxNode", "whole_functions"]


@dataclass(frozen=True)
class OnnxNode:
    """An ONNX node without protobuf; `place` is where it stands in the torch module, if known."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    place: str


class _Graph:
    """Who makes and who reads which value."""

    def __init__(
        self, nodes: Sequence[OnnxNode], constants: Mapping[str, NDArray[Any]], results: Sequence[str]
    ) -> None:
        self.constants, self._results = constants, results
        self.makers = {output: node for node in nodes for output in node.outputs}
        self.readers: dict[str, list[OnnxNode]] = {}
        for node in nodes:
            for name in node.inputs:
                self.readers.setdefault(name, []).append(node)

    def only_reader(self, value: str, kind: str) -> OnnxNode | None:
        """The one node that reads `value`, if it is of this kind and `value` no result."""
        readers = self.readers.get(value, [])
        alone = len(readers) == 1 and value not in self._results
        return readers[0] if alone and readers[0].kind == kind else None

    def number(self, value: str) -> float | None:
        """The constant `value` where it is a single number."""
        constant = self.constants.get(value)
        return float(constant.reshape(-1)[0]) if constant is not None and constant.size == 1 else None

    def scaled(self, value: str) -> tuple[str, float]:
        """(x, factor) where `value` is x times a number, else (value, 1)."""
        node = self.makers.get(value)
        if node is None or node.kind not in ("Div", "Mul"):
            return value, 1.0
        for side in (0, 1) if node.kind == "Mul" else (1,):
            number = self.number(node.inputs[side])
            if number:
                return node.inputs[1 - side], number if node.kind == "Mul" else 1 / number
        return value, 1.0

    def times(self, value: str, x: str) -> tuple[OnnxNode, float] | None:
        """(last node, factor) where `value` alone is multiplied by `x`, before or after numbers."""
        found, factor, last = False, 1.0, None
        while (reader := self.only_reader(value, "Mul")) is not None:
            other = reader.inputs[1] if reader.inputs[0] == value else reader.inputs[0]
            number = self.number(other)
            source, part = self.scaled(other)
            if number is not None:
                factor *= number
            elif not found and x in (other, source):
                found, factor = True, factor * (part if source == x else 1.0)
            else:
                break
            last, value = reader, reader.outputs[0]
            if found and abs(factor - 0.5) < 1e-6:
                break
        return (last, factor) if found and last is not None else None


def whole_functions(
    nodes: Sequence[OnnxNode], constants: Mapping[str, NDArray[Any]], results: Sequence[str]
) -> list[OnnxNode]:
    """`nodes` with the nodes that make up HardSwish or Gelu taken together."""
    graph = _Graph(nodes, constants, results)
    ends: dict[str, OnnxNode] = {}
    for node in nodes:
        found = _FUNCTIONS[node.kind](graph, node) if node.kind in _FUNCTIONS else None
        if found is not None:
            ends[found.outputs[0]] = found
    merged = [ends.get(node.outputs[0], node) for node in nodes]
    return _read(merged, results)


def _read(nodes: Sequence[OnnxNode], results: Sequence[str]) -> list[OnnxNode]:
    """The nodes that a result depends on."""
    wanted = set(results)
    kept = []
    for node in reversed(nodes):
        if wanted.intersection(node.outputs):
            wanted.update(node.inputs)
            kept.append(node)
    return kept[::-1]


def _hard_swish(graph: _Graph, node: OnnxNode) -> OnnxNode | None:
    """x HardSigmoid(x), with the slope of 1/6 that makes it HardSwish."""
    if abs(node.attributes.get("alpha", 0.2) - 1 / 6) > 1e-6 or node.attributes.get("beta", 0.5) != 0.5:
        return None
    product = graph.only_reader(node.outputs[0], "Mul")
    if product is None or node.inputs[0] not in product.inputs:
        return None
    return replace(product, kind="HardSwish", inputs=node.inputs[:1], attributes={})


def _exact_gelu(graph: _Graph, node: OnnxNode) -> OnnxNode | None:
    """x / 2 (1 + erf(x / sqrt(2)))."""
    x, factor = graph.scaled(node.inputs[0])
    return _gelu(graph, node, x) if abs(factor - math.sqrt(0.5)) < 1e-5 else None


def _tanh_gelu(graph: _Graph, node: OnnxNode) -> OnnxNode | None:
    """x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))."""
    inner, factor = graph.scaled(node.inputs[0])
    total = graph.makers.get(inner)
    if total is None or total.kind != "Add" or abs(factor - math.sqrt(2 / math.pi)) > 1e-5:
        return None
    for x, cube in (total.inputs, total.inputs[::-1]):
        source, share = graph.scaled(cube)
        power = graph.makers.get(source)
        cubed = power is not None and power.kind == "Pow" and power.inputs[0] == x
        if (
            cubed
            and power is not None
            and graph.number(power.inputs[1]) == 3
            and abs(share - 0.044715) < 1e-6
        ):
            return _gelu(graph, node, x)
    return None


def _gelu(graph: _Graph, node: OnnxNode, x: str) -> OnnxNode | None:
    """The Gelu that ends where 1 + `node` has met x / 2."""
    total = graph.only_reader(node.outputs[0], "Add")
    if total is None or 1.0 not in [graph.number(name) for name in total.inputs]:
        return None
    found = graph.times(total.outputs[0], x)
    if found is None or abs(found[1] - 0.5) > 1e-6:
        return None
    return replace(found[0], kind="Gelu", inputs=(x,), attributes={}, place=node.place)


_FUNCTIONS: Mapping[str, Callable[[_Graph, OnnxNode], OnnxNode | None]] = {
    "Erf": _exact_gelu,
    "HardSigmoid": _hard_swish,
    "Tanh": _tanh_gelu,
}
