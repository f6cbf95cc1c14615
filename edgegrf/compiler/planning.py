# SPDX-License-Identifier: Apache-2.0
"""Graph -> Plan: the whole model lowered, its ends and states tied up, what is not needed left out."""

from __future__ import annotations

import math
from dataclasses import replace

from edgegrf.compiler.lowering import Lowering, View
from edgegrf.compiler.operators import OPERATORS, WIDE
from edgegrf.compiler.plan import Layer, Plan, Value
from edgegrf.compiler.timing import Timing
from edgegrf.errors import UnsupportedError
from edgegrf.graph.model import Graph

__all__ = ["make_plan", "plan_and_lowering"]

_LATEST = 32767  # samples that HELLO can say


def make_plan(graph: Graph) -> Plan:
    """The layers of `graph` for window and stream mode; raises ModelError or UnsupportedError."""
    return plan_and_lowering(graph)[0]


def plan_and_lowering(graph: Graph) -> tuple[Plan, Lowering]:
    """The same, and what became of each tensor."""
    source, target = _ends(graph)
    states = dict(graph.states)
    shape = graph.tensors[source].shape
    samples = 1 if states or len(shape) == 2 else shape[1]
    lowering = Lowering(graph, samples)
    lowering.views[source] = _input(lowering, source, "input", samples)
    for state in states:
        lowering.views[state] = _input(lowering, state, "state", 1)
    if samples == 1 and len(shape) > 2 and not states:
        lowering.refuse("a window of one sample has no time axis to follow")
    for index, operator in enumerate(graph.operators):
        node = lowering.node(index, operator)
        lowering.quantization(node.output)
        if lowering.wide and node.kind not in WIDE:
            what = f"{node.place} in an int16x8 model"
            raise UnsupportedError(what, node=node.place, fix="edgegrf export --quantize int8")
        OPERATORS[node.kind](lowering, node)
    nexts = {state: _own(lowering, lowering.view(after), "next state") for state, after in states.items()}
    view = lowering.view(target)
    if samples > 1:
        _check_pace(lowering, view)
    return _plan(lowering, source, target, _own(lowering, view, "output"), nexts), lowering


def _check_pace(lowering: Lowering, view: View) -> None:
    """Refuse a stream whose estimates are none of its windows', or come too late for SPEC.md to say when."""
    clock = lowering.timing(view).clock
    if view.time is None:
        lowering.refuse("its output has no time axis")
    elif lowering.timing(view).sound < 1:
        lowering.refuse(f"it looks {clock.first} samples ahead, beyond its window of {lowering.samples}")
    elif max(clock.first, math.lcm(*(value.timing.clock.period for value in lowering.values))) > _LATEST:
        lowering.refuse(f"its estimates come every {clock.period} samples from {clock.first} on")


def _ends(graph: Graph) -> tuple[int, int]:
    """The one input and the one output beside the states."""
    states = graph.states
    inputs = [index for index in graph.inputs if index not in {state for state, _ in states}]
    outputs = [index for index in graph.outputs if index not in {after for _, after in states}]
    if len(inputs) != 1 or len(outputs) != 1:
        raise UnsupportedError(
            f"a model with {len(inputs)} inputs and {len(outputs)} outputs",
            why="one of each is compiled, beside states",
            fix="name states 'state:NAME' and 'state:NAME:next'",
        )
    if not graph.tensors[outputs[0]].shape:
        raise UnsupportedError("an output without an axis", why="[1, samples, forces] is compiled")
    shape = graph.tensors[inputs[0]].shape
    if len(shape) < 2 or shape[0] != 1:
        raise UnsupportedError(
            f"an input of shape {list(shape)}",
            why="[1, samples, channels] is compiled, or [1, channels] per step",
        )
    return inputs[0], outputs[0]


def _input(lowering: Lowering, tensor: int, role: str, samples: int) -> View:
    record = lowering.graph.tensors[tensor]
    lowering.quantization(tensor)
    size = math.prod(record.shape)
    value = lowering.value(role, size, size // samples, record.name, Timing(sound=samples))
    return View(value, record.shape, 1 if samples > 1 else None)


def _own(lowering: Lowering, view: View, label: str) -> int:
    """A value that a layer computes: `view`'s own, or a copy of an input or a state."""
    value = lowering.values[view.value]
    if value.role == "inner":
        return view.value
    copy = lowering.copy(view.value, label=label)
    lowering.layers.append(
        Layer(
            name=f"copy_{copy}",
            kind="COPY",
            place=f"COPY to the {label}",
            shape=view.shape,
            inputs=(view.value,),
            output=copy,
            window=f"memcpy({{out}}, {{in0}}, {value.size})",
            step=f"memcpy({{out}}, {{in0}}, {value.step})",
            sources=(),
        )
    )
    return copy


def _plan(lowering: Lowering, source: int, target: int, output: int, nexts: dict[int, int]) -> Plan:
    value = lowering.values[output]
    timed = not lowering.refusal and lowering.samples > 1
    whole = timed or lowering.samples == 1
    channels = value.step // lowering.value_bytes if whole else lowering.graph.tensors[target].shape[-1]
    in_scale, in_zero = lowering.quantization(source)
    out_scale, out_zero = lowering.quantization(target)
    states = tuple(
        (lowering.views[state].value, after, lowering.quantization(state)[1])
        for state, after in nexts.items()
    )
    entry = lowering.values[lowering.views[source].value]
    return Plan(
        layers=_needed(lowering.layers, {output, *nexts.values()}),
        values=tuple(_as_output(v) if v.index == output else v for v in lowering.values),
        input=entry.index,
        output=output,
        states=states,
        samples=lowering.samples,
        estimates=value.size // lowering.value_bytes // channels,
        input_channels=entry.size // lowering.value_bytes // lowering.samples,
        output_channels=channels,
        input_scale=float(in_scale),
        input_zero_point=in_zero,
        output_scale=float(out_scale),
        output_zero_point=out_zero,
        timing=value.timing if timed else Timing(),
        stream_refusal=lowering.refusal,
        dtype=lowering.dtype,
    )


def _as_output(value: Value) -> Value:
    return replace(value, role="output")


def _needed(layers: list[Layer], wanted: set[int]) -> tuple[Layer, ...]:
    """The layers that something wanted depends on, in their order."""
    kept = []
    for layer in reversed(layers):
        if layer.output in wanted:
            wanted = wanted | set(layer.inputs)
            kept.append(layer)
    return tuple(reversed(kept))
