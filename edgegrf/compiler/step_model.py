# SPDX-License-Identifier: Apache-2.0
"""A window model as a step model: the stream of the generated C as a graph that any interpreter can run.

A call takes the samples of one grain, after which all layers run alike again, and gives the rows that are
due with them.  What a layer remembers is an input `state:NAME` and an output `state:NAME:next`: the rows
before its newest ones, joined to them by a CONCATENATION and cut off again by a SLICE.

The rows of a value that begin with sample `first` are `first // period` rows late: so many of the first
call's are of no sample.  They are left out of the estimates, and where a layer pads before its first row,
they are multiplied by a mask that is 0 for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edgegrf.compiler.lowering import Lowering, Node
from edgegrf.compiler.operators.geometry import Geometry, windows
from edgegrf.compiler.planning import plan_and_lowering
from edgegrf.compiler.step_builder import Builder
from edgegrf.errors import UnsupportedError
from edgegrf.graph.model import NEXT_SUFFIX, Graph

__all__ = ["StepModel", "step_model"]

_JOINING = ("ADD", "CONCATENATION", "MUL", "SUB")
_WINDOWED = ("AVERAGE_POOL_2D", "CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D")


@dataclass(frozen=True)
class StepModel:
    """A graph with states that takes `samples` samples [1, samples, ...] a call.

    The first `skipped` estimates are of samples before the stream began.
    """

    graph: Graph
    samples: int
    skipped: int


def step_model(graph: Graph) -> StepModel:
    """The stream of `graph` as a step model; raises UnsupportedError where it cannot stream, or not so."""
    plan, lowering = plan_and_lowering(graph)
    if plan.states or plan.samples == 1:
        raise UnsupportedError(
            "the model is a step model already",
            why="it has states, or takes one sample",
            fix="give the .tflite itself to the interpreter, and compile it without --step-model",
        )
    if not plan.stream:
        raise UnsupportedError(
            "the model cannot stream", node=plan.stream_refusal, why=plan.stream_refusal, fix="--mode window"
        )
    steps = _Steps(graph, lowering, plan.grain)
    for index in _needed(graph):
        steps.take(lowering.node(index, graph.operators[index]))
    return StepModel(steps.finish(), plan.grain, steps.late(graph.outputs[0]))


def _needed(graph: Graph) -> list[int]:
    """The operators that the output depends on."""
    wanted, kept = set(graph.outputs), []
    for index, operator in reversed([*enumerate(graph.operators)]):
        if operator.outputs[0] in wanted:
            wanted |= set(operator.inputs)
            kept.append(index)
    return kept[::-1]


class _Steps(Builder):
    """The new graph in the making; tensors of the old one by their index, of the new one by theirs."""

    def __init__(self, graph: Graph, lowering: Lowering, grain: int) -> None:
        super().__init__()
        self.graph, self.lowering, self.grain = graph, lowering, grain
        self.known: dict[int, int] = {}
        source = graph.tensors[graph.inputs[0]]
        self.known[graph.inputs[0]] = self.tensor(replace(source, shape=self.shape(graph.inputs[0])))

    def rows(self, old: int) -> int:
        """How many rows of an old tensor a call brings."""
        return self.grain // self.lowering.timing(self.lowering.views[old]).clock.period

    def late(self, old: int) -> int:
        """How many rows the first call brings that a stream has not."""
        clock = self.lowering.timing(self.lowering.views[old]).clock
        return clock.first // clock.period

    def time(self, old: int) -> int:
        """The time axis of an old tensor."""
        time = self.lowering.views[old].time
        assert time is not None  # the model streams
        return time

    def shape(self, old: int) -> tuple[int, ...]:
        """The shape of an old tensor's rows of one call."""
        shape = list(self.graph.tensors[old].shape)
        shape[self.time(old)] = self.rows(old)
        return tuple(shape)

    def old(self, index: int) -> int:
        """The new tensor of an old one, or of a constant."""
        if index not in self.known:
            self.known[index] = self.tensor(self.graph.tensors[index])
        return self.known[index]

    def take(self, node: Node) -> None:
        """Bring one old operator over."""
        if node.kind in _WINDOWED:
            made = self._windowed(node)
        elif node.kind in _JOINING:
            made = self._joining(node)
        elif node.kind == "PAD":
            made = self._pad(node)
        elif node.kind in ("SLICE", "STRIDED_SLICE"):
            made = self._cut_time(node)
        elif node.kind == "RESHAPE":
            made = self._reshape(node)
        else:
            made = self._row_wise(node)
        self.known[node.output] = made

    def _row_wise(self, node: Node) -> int:
        """The operator as it is, on fewer rows; one that repeats them may have to wait for its turn."""
        inputs = [self.old(index) for index in node.inputs]
        if node.kind == "RESIZE_NEAREST_NEIGHBOR":
            inputs[1] = self.constant(f"{node.out.name}/size", np.array(self._sizes(node), np.int32))
        return self._in_turn(node, self._copied(node, inputs, self.shape(node.output)))

    def _sizes(self, node: Node) -> tuple[int, int]:
        height, width = self.shape(node.output)[1:3]
        return height, width

    def _copied(self, node: Node, inputs: Sequence[int], shape: tuple[int, ...], **changes: Any) -> int:
        return self.add(node.kind, inputs, replace(node.out, shape=shape), **{**node.options, **changes})

    def _in_turn(self, node: Node, made: int) -> int:
        """The rows of an operator that makes several of one, in the call that they belong to."""
        source = node.inputs[0]
        waits = self.late(node.output) - self.late(source) * self.rows(node.output) // self.rows(source)
        return self.delayed(made, node.name("turn"), self.time(node.output), waits)

    def _reshape(self, node: Node) -> int:
        shape = self.shape(node.output)
        wanted = self.constant(f"{node.out.name}/shape", np.array(shape, np.int32))
        return self._in_turn(
            node, self._copied(node, (self.old(node.inputs[0]), wanted), shape, new_shape=shape)
        )

    def _pad(self, node: Node) -> int:
        """What a PAD adds beside time; what it adds before it, the states of the next operator hold."""
        amounts = np.array(self.lowering.constant(node, 1, "int32")).reshape(-1, 2)
        time = self.time(node.output)
        amounts[time] = 0
        if not amounts.any():
            return self.old(node.inputs[0])
        pads = self.constant(f"{node.out.name}/amounts", amounts)
        return self._copied(node, (self.old(node.inputs[0]), pads), self.shape(node.output))

    def _joining(self, node: Node) -> int:
        """ADD and its like, on rows that come together."""
        late, inputs = self.late(node.output), []
        for slot, index in enumerate(node.inputs):
            new = self.old(index)
            if index in self.lowering.views:
                new = self.delayed(new, node.name(f"wait{slot}"), self.time(index), late - self.late(index))
            inputs.append(new)
        return self._copied(node, inputs, self.shape(node.output))

    def _cut_time(self, node: Node) -> int:
        """A slice: of time only the stride is left, as rows before its begin are late ones."""
        source, time = node.inputs[0], self.time(node.inputs[0])
        clocks = [self.lowering.timing(self.lowering.views[index]).clock for index in (source, node.output)]
        stride = clocks[1].period // clocks[0].period
        begin = (clocks[1].first // clocks[0].period) % stride
        vectors = [
            np.array(self.lowering.constant(node, slot, "int32")) for slot in range(1, len(node.inputs))
        ]
        options = dict(node.options)
        vectors[0][time] = begin
        if node.kind == "SLICE":
            vectors[1][time] = self.rows(node.output)
        else:
            vectors[1][time], vectors[2][time] = begin + stride * (self.rows(node.output) - 1) + 1, stride
            options |= {key: node.options[key] & ~(1 << time) for key in ("begin_mask", "end_mask")}
        inputs = [self.constant(f"{node.out.name}/{slot}", vector) for slot, vector in enumerate(vectors)]
        return self._copied(node, (self.old(source), *inputs), self.shape(node.output), **options)

    def _windowed(self, node: Node) -> int:
        """A convolution or a pool; over time, on the rows before its newest ones and these."""
        source = self.lowering.views[node.inputs[0]]
        geometry = windows(self.lowering, node, source, _kernel(self.graph, node))
        new = self.old(node.inputs[0])
        inputs = [self.old(index) for index in node.inputs[1:]]
        if not geometry.rows_are_time:
            return self._copied(node, (new, *inputs), self.shape(node.output))
        _check_border(node, geometry)
        axis, rows, late = self.time(node.inputs[0]), geometry.rows, self.late(node.inputs[0])
        if late and rows.pad:
            new = self.masked(new, node.name("layer"), axis, late)
        past = self.late(node.output) * rows.stride + rows.pad - late
        if past < 0:
            new = self.cut(new, f"{node.out.name}/rows", axis, -past, self.rows(node.inputs[0]) + past)
        new = self._beside(node, geometry, self.remembered(new, node.name("layer"), axis, max(0, past)), axis)
        return self._copied(node, (new, *inputs), self.shape(node.output), padding="VALID")

    def _beside(self, node: Node, geometry: Geometry, new: int, axis: int) -> int:
        """A new tensor with the border that SAME makes beside time."""
        columns, other = geometry.columns, 3 - axis
        before = columns.pad - columns.counted[0]
        width = self.tensors[new].shape[other]
        after = max(0, (columns.out - 1) * columns.stride + columns.past + 1 - width - before)
        if before == after == 0:
            return new
        amounts = np.zeros((4, 2), np.int32)
        amounts[other] = before, after
        pads = self.constant(f"{node.out.name}/border", amounts)
        made = self.like(new, f"{node.out.name}/padded", other, width + before + after)
        return self.add("PAD", (new, pads), made)

    def finish(self) -> Graph:
        """The new graph: samples and states in, estimates and the next states out."""
        old = self.graph.outputs[0]
        output = self.known[old]
        if self.tensors[output].name != self.graph.tensors[old].name:  # nothing was left to compute it
            shape = self.tensors[output].shape
            wanted = self.constant(f"{self.graph.tensors[old].name}/shape", np.array(shape, np.int32))
            named = replace(self.graph.tensors[old], shape=shape)
            output = self.add("RESHAPE", (output, wanted), named, new_shape=shape)
        nexts = tuple(self._named(after, state) for state, after in self.states)
        return Graph(
            tuple(self.tensors),
            tuple(self.operators),
            (self.known[self.graph.inputs[0]], *(state for state, _ in self.states)),
            (output, *nexts),
            self.graph.description,
        )

    def _named(self, after: int, state: int) -> int:
        """The next state under its name, which it lacks where it is the newest rows and nothing else."""
        name = self.tensors[state].name + NEXT_SUFFIX
        if self.tensors[after].name == name:
            return after
        shape = self.tensors[state].shape
        wanted = self.constant(f"{name}/shape", np.array(shape, np.int32))
        named = replace(self.tensors[state], name=name)
        return self.add("RESHAPE", (after, wanted), named, new_shape=shape)


def _kernel(graph: Graph, node: Node) -> tuple[int, int]:
    if "filter" in node.options:
        height, width = node.options["filter"]
    else:
        height, width = graph.tensors[node.inputs[1]].shape[1:3]
    return height, width


def _check_border(node: Node, geometry: Geometry) -> None:
    """Refuse a pool over time whose border does not count: a state of zero points would."""
    rows, columns = geometry.rows, geometry.columns
    uncounted = rows.pad > rows.counted[0] or columns.pad > columns.counted[0]
    after = (
        columns.out - 1
    ) * columns.stride + columns.kernel - columns.pad > columns.size + columns.counted[1]
    if "filter" in node.options and (uncounted or after):
        raise UnsupportedError(
            f"{node.place} leaves its border out of what it pools",
            node=node.place,
            why="a step model's states begin as zero points, which count",
            fix="pad with a PAD before it",
        )
