# SPDX-License-Identifier: Apache-2.0
"""The state of turning a graph into layers: which value each tensor is, and which axis of it is time.

A RESHAPE is another view of the same value.  A PAD waits in the view until a convolution takes it as its
own border; anyone else has it carried out.  The time axis is followed from the input on: only ones
stand before it, so time steps lie one behind the other in memory.  The first operator that mixes
time in a way that a stream cannot follow leaves its reason in `refusal`; from there on there is no time axis
and whole windows are one frame.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.compiler.plan import Layer, Value
from edgegrf.compiler.timing import Timing
from edgegrf.errors import ModelError, UnsupportedError
from edgegrf.graph.model import Graph, Operator, Tensor

__all__ = ["Lowering", "Node", "View", "squeeze"]

Shape = tuple[int, ...]


@dataclass(frozen=True)
class View:
    """A tensor as a value in memory: its shape there, its time axis, and padding still to be carried out."""

    value: int
    shape: Shape
    time: int | None = None
    pads: tuple[tuple[int, int], ...] = ()

    @property
    def padded(self) -> Shape:
        """The tensor's shape once the padding is there."""
        if not self.pads:
            return self.shape
        return tuple(n + a + b for n, (a, b) in zip(self.shape, self.pads, strict=True))

    def frames(self) -> int:
        """How often a kernel that keeps time steps apart repeats over a window."""
        return 1 if self.time is None else self.shape[self.time]

    def frame(self) -> Shape:
        """The shape of one time step, without the ones before it; all of it where time is not followed."""
        return self.shape if self.time is None else self.shape[self.time + 1 :]


@dataclass(frozen=True)
class Node:
    """An operator with its tensors at hand."""

    index: int
    kind: str
    options: dict[str, Any]
    inputs: tuple[int, ...]
    output: int
    out: Tensor

    @property
    def place(self) -> str:
        """How messages name the operator."""
        return f"{self.kind} '{self.out.name}' (operator {self.index})"

    def name(self, word: str) -> str:
        """The layer's name in C."""
        return f"{word}_{self.index}"


class Lowering:
    """A graph on its way to layers."""

    def __init__(self, graph: Graph, samples: int) -> None:
        self.graph = graph
        self.samples = samples
        self.dtype = graph.tensors[graph.inputs[0]].dtype
        self.layers: list[Layer] = []
        self.values: list[Value] = []
        self.views: dict[int, View] = {}
        self.refusal = ""

    def node(self, index: int, operator: Operator) -> Node:
        """Operator `index`, with optional inputs that are absent left out."""
        inputs = tuple(i for i in operator.inputs if i >= 0)
        out = self.graph.tensors[operator.outputs[0]]
        return Node(index, operator.kind, dict(operator.options), inputs, operator.outputs[0], out)

    def constant(self, node: Node, slot: int, dtype: str) -> NDArray[Any]:
        """The constant input `slot` of `node`; raises UnsupportedError if computed or of another type."""
        tensor = self.graph.tensors[node.inputs[slot]]
        if tensor.data is None or tensor.dtype != dtype:
            raise UnsupportedError(
                f"{node.place}: input {slot} must be a constant of {dtype}",
                node=node.place,
                why=f"it is {tensor.dtype}{'' if tensor.data is not None else ' and computed'}",
            )
        return tensor.data

    def quantization(self, tensor: int) -> tuple[np.float32, int]:
        """Scale and zero point of a tensor with one of each; raises ModelError."""
        record = self.graph.tensors[tensor]
        if record.quantization is None or len(record.quantization.scales) != 1:
            raise ModelError(f"tensor '{record.name}' needs one scale and one zero point")
        zero_point = int(record.quantization.zero_points[0])
        if record.dtype != self.dtype or not self.least <= zero_point <= self.most:
            why = f"all activations of a model have one type, here {self.dtype}"
            raise UnsupportedError(f"tensor '{record.name}' is {record.dtype}", why=why)
        if self.wide and zero_point:
            raise UnsupportedError(
                f"tensor '{record.name}' has the zero point {zero_point}", why="int16 is symmetric in TFLite"
            )
        return np.float32(record.quantization.scales[0]), zero_point

    @property
    def wide(self) -> bool:
        """True of an int16x8 model."""
        return self.dtype == "int16"

    @property
    def value_bytes(self) -> int:
        """Bytes of an activation."""
        return 2 if self.wide else 1

    @property
    def least(self) -> int:
        """The least code of an activation."""
        return -32768 if self.wide else -128

    @property
    def most(self) -> int:
        """The greatest code of an activation."""
        return 32767 if self.wide else 127

    @property
    def most_apart(self) -> int:
        """The greatest distance of a code from its zero point."""
        return 32768 if self.wide else 255

    def bytes_of(self, place: str, to: str = "const int8_t *") -> str:
        """A pointer in a call as one to bytes, for what moves values and computes none."""
        return f"({to})({place})" if self.wide else place

    def timing(self, view: View) -> Timing:
        """When the rows of a view come."""
        return self.values[view.value].timing

    def value(self, role: str, size: int, step: int, label: str, timing: Timing) -> int:
        """A new value of `size` elements, `step` a row; `label` is for people."""
        each = self.value_bytes
        self.values.append(Value(len(self.values), role, each * size, each * step, label, timing))
        return len(self.values) - 1

    def copy(self, index: int, *, parts: int = 1, label: str = "", timing: Timing | None = None) -> int:
        """A new value of the bytes of another, each of its rows in `parts` rows."""
        value = self.values[index]
        self.values.append(
            Value(
                len(self.values),
                "inner",
                value.size,
                value.step // parts,
                label or value.label,
                timing or value.timing,
            )
        )
        return len(self.values) - 1

    def waiting(self, tensor: int) -> View:
        """The view of a computed tensor, its padding perhaps still waiting; raises UnsupportedError."""
        if tensor not in self.views:
            name = self.graph.tensors[tensor].name
            raise UnsupportedError(f"'{name}' is a constant", why="an operator computes with nothing else")
        return self.views[tensor]

    def view(self, tensor: int) -> View:
        """The view of a computed tensor with its padding carried out."""
        view = self.waiting(tensor)
        if not view.pads:
            return view
        from edgegrf.compiler.operators.pad import materialise

        self.views[tensor] = materialise(self, tensor, view)
        return self.views[tensor]

    def refuse(self, reason: str) -> None:
        """Record why the model cannot stream; the first reason stands."""
        self.refusal = self.refusal or reason

    def finish(self, node: Node, layer: Layer, time: int | None, *, timing: Timing | None = None) -> None:
        """Add `layer`, which computes `node`'s output, whose time axis is `time`.

        Its rows come by `timing`, or as those of its inputs.
        """
        shape = node.out.shape
        size = math.prod(shape)
        step = size if time is None else size // shape[time]
        given = [self.values[index].timing for index in layer.inputs]
        timing = timing or functools.reduce(Timing.joined, given)
        value = self.value("inner", size, step, node.out.name, timing)
        self.views[node.output] = View(value, shape, time)
        self.layers.append(replace(layer, output=value, clock=timing.clock, source=given[0].clock))

    def locate(self, shape: Shape, rows: int) -> int | None:
        """The axis of `shape` that is time if its values lie time step after time step, else None.

        `rows` are the time steps of a window.  One alone could be any axis of length 1: it is not followed.
        """
        if self.samples == 1 or rows == 1:
            return None
        for axis, size in enumerate(shape):
            if size != 1:
                return axis if size == rows else None
        return None

    def follow(self, node: Node, source: View) -> int | None:
        """The time axis of `node`'s output, which has the time steps of `source`; refuses if it has none."""
        if source.time is None:
            return None
        time = self.locate(node.out.shape, source.frames())
        if time is None:
            self.refuse(f"{node.place} mixes time steps")
        return time


def squeeze(shape: Shape) -> tuple[int, ...]:
    """The axes of `shape` that are longer than 1."""
    return tuple(axis for axis, size in enumerate(shape) if size != 1)
