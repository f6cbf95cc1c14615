# SPDX-License-Identifier: Apache-2.0
"""ONNX -> lowered graph: one walk over the nodes, one handler per operator, no TRANSPOSE."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import UnsupportedError
from edgegrf.export.layout import Atom, Layout
from edgegrf.export.lowered import Content, Lowered, Node
from edgegrf.export.patterns import OnnxNode, whole_functions

__all__ = ["Handler", "Lowering", "OnnxNode", "Value", "lower"]

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Value:
    """An ONNX value: the lowered tensor that holds it, and how its dimensions lie in there."""

    tensor: str
    layout: Layout


Handler = Callable[["Lowering", OnnxNode], None]


class Lowering:
    """What handlers work with: values and constants of ONNX on one side, nodes to emit on the other."""

    def __init__(self, model: Any, places: Mapping[str, str]) -> None:
        from onnx import helper, numpy_helper

        self.constants: dict[str, NDArray[Any]] = {
            entry.name: numpy_helper.to_array(entry) for entry in model.graph.initializer
        }
        nodes = [
            OnnxNode(
                node.op_type,
                node.name,
                tuple(node.input),
                tuple(node.output),
                {entry.name: helper.get_attribute_value(entry) for entry in node.attribute},
                places.get(node.output[0], ""),
            )
            for node in model.graph.node
        ]
        self.results = tuple(output.name for output in model.graph.output)
        self.queue = whole_functions(nodes, self.constants, self.results)
        self.values: dict[str, Value] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.nodes: list[Node] = []
        self.observed: dict[str, str] = {}
        #: where a tensor is not just the ONNX value: how it lies, its factor, its part (see Content)
        self.layouts: dict[str, Layout] = {}
        self.gains: dict[str, float] = {}
        self.parts: dict[str, tuple[int, int, int]] = {}
        #: per input channel (scale, shift) that the consuming convolution takes into its weights
        self.prefolded: dict[str, tuple[Floats, Floats]] = {}
        self._absorbed: set[str] = set()

    # --- reading ONNX

    def value(self, node: OnnxNode, index: int = 0) -> Value:
        """The computed value at an input of `node`; refuses a constant there."""
        found = self.values.get(node.inputs[index])
        if found is None:
            self.refuse(node, f"its input {index} is a constant", "compute it once, outside the network")
        return found

    def constant(self, node: OnnxNode, index: int) -> NDArray[Any] | None:
        """The constant at an input of `node`, None if absent or computed."""
        return self.constants.get(node.inputs[index]) if index < len(node.inputs) else None

    def consumers(self, value: str) -> list[OnnxNode]:
        """The nodes that read an ONNX value."""
        return [node for node in self.queue if value in node.inputs]

    def only_consumer(self, value: str) -> OnnxNode | None:
        """The one node that reads `value`, if it is read once and is no result of the model."""
        readers = self.consumers(value)
        return readers[0] if len(readers) == 1 and value not in self.results else None

    def absorb(self, node: OnnxNode) -> None:
        """Mark a node as done by the one being lowered."""
        self._absorbed.add(node.outputs[0])

    def activation(self, output: str) -> tuple[str, str]:
        """(activation, ONNX value after it): takes a Relu or Clip(0, 6) that alone reads `output`."""
        reader = self.only_consumer(output)
        kind = self.activation_of(reader) if reader is not None else None
        if reader is None or kind is None:
            return "NONE", output
        self.absorb(reader)
        return kind, reader.outputs[0]

    def activation_of(self, node: OnnxNode) -> str | None:
        """The fused activation that a node amounts to, if it is one."""
        if node.kind == "Relu":
            return "RELU"
        if node.kind != "Clip":
            return None
        bounds = [self.constant(node, index) for index in (1, 2)]
        low, high = (float(bound.item()) if bound is not None else None for bound in bounds)
        fused: dict[tuple[float | None, float | None], str] = {
            (0.0, 6.0): "RELU6",
            (0.0, None): "RELU",
            (-1.0, 1.0): "RELU_N1_TO_1",
        }
        return fused.get((low, high))

    def refuse(self, node: OnnxNode, why: str, fix: str = "") -> NoReturn:
        """Raise UnsupportedError that names the node and its place in the module."""
        where = node.place or node.name or node.outputs[0]
        raise UnsupportedError(
            f"cannot lower ONNX operator {node.kind} at '{where}'", node=where, why=why, fix=fix
        )

    # --- writing the lowered graph

    def emit(self, node: Node, shape: Sequence[int], observed: str) -> str:
        """Append `node` with an output of `shape`; `observed` is the ONNX value of the same content."""
        self.nodes.append(node)
        self.shapes[node.output] = tuple(shape)
        self.observed[node.output] = observed
        return node.output

    def bind(self, value: str, tensor: str, dims: Sequence[Sequence[Atom]], order: Sequence[Atom]) -> None:
        """Say where an ONNX value lies; atoms of size 1 may be among the dimensions."""
        real = tuple(atom for atom in order if atom.size != 1)
        self.values[value] = Value(tensor, Layout(tuple(tuple(dim) for dim in dims), real))

    def view(self, tensor: str, shape: Sequence[int]) -> str:
        """The tensor with another shape of the same memory: itself, or a RESHAPE made once."""
        shape = tuple(shape)
        if self.shapes[tensor] == shape:
            return tensor
        for node in self.nodes:
            if node.kind != "RESHAPE":
                continue
            if node.output == tensor:
                return self.view(node.inputs[0], shape)
            if node.inputs == [tensor] and self.shapes[node.output] == shape:
                return node.output
        return self.reshape(tensor, f"{tensor}/{'x'.join(map(str, shape))}", shape)

    def rename(self, old: str, new: str) -> None:
        """Call a tensor that no node reads yet, and the ONNX value that it holds, by another name."""
        if old == new:
            return
        layer = self.producer(old)
        assert layer is not None  # only what was emitted is renamed
        layer.output = new
        self.shapes[new] = self.shapes.pop(old)
        del self.observed[old]
        self.observed[new] = new
        for name in [name for name, value in self.values.items() if value.tensor == old]:
            self.values[new] = Value(new, self.values.pop(name).layout)

    def reshape(self, tensor: str, output: str, shape: Sequence[int]) -> str:
        """A RESHAPE of `tensor` under a name of its own."""
        options = {"new_shape": tuple(shape)}
        return self.emit(Node("RESHAPE", [tensor], output, options), shape, self.observed[tensor])

    def producer(self, tensor: str) -> Node | None:
        """The node that makes a lowered tensor."""
        return next((node for node in self.nodes if node.output == tensor), None)

    def run(self, handlers: Mapping[str, Handler], replacements: Mapping[str, str]) -> None:
        """Lower every node, in ONNX's (topological) order."""
        for node in self.queue:
            if node.outputs[0] in self._absorbed:
                continue
            if node.kind not in handlers:
                self.refuse(
                    node,
                    "it is outside the int8 operator set",
                    replacements.get(node.kind, "a network of " + ", ".join(sorted(handlers))),
                )
            try:
                handlers[node.kind](self, node)
            except UnsupportedError as error:
                if error.node:
                    raise
                self.refuse(node, error.what)


def lower(model: Any, places: Mapping[str, str], *, channels: int, estimates: int) -> Lowered:
    """Lower a simplified ONNX model of fixed shapes to channels last.

    `channels` sensors come in and `estimates` numbers a sample go out; they tell [1, C, T] from [1, T, C].
    A window model gets pressure [1, T, C] (or frames [1, T, rows, columns]) and gives [1, T, K]; a step
    model keeps ONNX's rank 2.  Raises UnsupportedError naming the node that cannot be lowered.
    """
    from edgegrf.export.families import HANDLERS, REPLACEMENTS
    from edgegrf.export.interface import bind_inputs, bind_outputs
    from edgegrf.export.scales import requantised

    lowering = Lowering(model, places)
    inputs = bind_inputs(lowering, model, channels)
    lowering.run(HANDLERS, REPLACEMENTS)
    outputs = bind_outputs(lowering, estimates)
    needed = _live(lowering.nodes, outputs)
    tensors = {*inputs, *(node.output for node in needed)}
    observed = {
        tensor: Content(
            name,
            lowering.layouts.get(tensor) or lowering.values[name].layout,
            lowering.gains.get(tensor, 1.0),
            lowering.parts.get(tensor),
        )
        for tensor, name in lowering.observed.items()
        if tensor in tensors
    }
    return requantised(Lowered(tuple(needed), lowering.shapes, inputs, outputs, observed))


def _live(nodes: Sequence[Node], outputs: Sequence[str]) -> list[Node]:
    wanted = set(outputs)
    kept = []
    for node in reversed(nodes):
        if node.output in wanted:
            wanted.update(node.inputs)
            kept.append(replace(node))
    return kept[::-1]
