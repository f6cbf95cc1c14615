# SPDX-License-Identifier: Apache-2.0
"""Plan and memory -> the text of NAME.c; nothing from the model reaches C but numbers and cleaned names."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.compiler.layout import Layout
from edgegrf.compiler.memory import Memory
from edgegrf.compiler.plan import Array, Layer, Plan
from edgegrf.compiler.timing import Clock

__all__ = ["clean", "environment", "source_text", "sources_of"]

_WIDTH = 108


@functools.cache
def environment() -> Any:
    """The templates of this package, strict about names."""
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader("edgegrf.compiler"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,
    )


def clean(text: str, longest: int = 90) -> str:
    """`text` from a file as it may stand in a C comment or string: letters, digits and a little else."""
    return re.sub(r"[^A-Za-z0-9 _.,:;()\[\]'+=<>-]", "_", text)[:longest]


def sources_of(plan: Plan) -> set[str]:
    """The kernel files that the C of a plan is compiled with."""
    used = {source for layer in plan.layers for source in layer.sources}
    return used | ({"eg_head.h", "eg_head.c"} if plan.last else set())


def source_text(plan: Plan, layout: Layout, **provenance: str) -> str:
    """NAME.c for the modes that have a memory plan; `provenance` fills the template's first lines."""
    text: str = (
        environment()
        .get_template("model.c.j2")
        .render(
            headers=sorted({name for name in sources_of(plan) if name.endswith(".h")}),
            layers=[
                _layer(layer, replaceable=layer is plan.last)
                for layer in plan.layers
                if layer is plan.last or _is_named(layer, layout)
            ],
            head=_head(plan.last) if plan.last else None,
            dtype=plan.dtype,
            layout=layout,
            macro=provenance["name"].upper(),
            window=_window(plan, layout),
            stream=_stream(plan, layout.steps) if layout.steps else None,
            **provenance,
        )
    )
    return text


def _is_named(layer: Layer, layout: Layout) -> bool:
    """Whether a call of the modes that are compiled takes the layer's parameters."""
    calls = layer.step + layer.keep + layer.hold if layout.steps else ""
    if layout.window and not layout.through_stream:
        calls += layer.window
    return any(name in calls for name in ("{p}", *(array.name for array in layer.arrays)))


def _layer(layer: Layer, *, replaceable: bool) -> dict[str, Any]:
    return {
        "replaceable": replaceable,
        "place": clean(layer.place),
        "shape": list(layer.shape),
        "name": layer.name,
        "struct": layer.struct,
        "fields": _fields(layer.fields, 1),
        "arrays": [_array(array) for array in layer.arrays],
    }


def _head(layer: Layer) -> str:
    """The initialiser of struct eg_head."""
    head, [array] = layer.head, layer.arrays
    assert head is not None  # Plan.last
    outputs, depth = head.weights.shape
    [packed] = (fields for name, fields in layer.fields if name == "packed")
    return _fields(
        (
            ("constants", array.name),
            ("own", f"{array.name}_own"),
            ("count", array.data.size),
            ("outputs", outputs),
            ("depth", depth),
            ("words", dict(packed)["words"]),
            ("input_zero_point", head.input_zero_point),
            ("output_zero_point", head.output_zero_point),
        ),
        1,
    )


def _array(array: Array) -> dict[str, Any]:
    records = array.ctype.startswith("struct ")
    return {
        "ctype": array.ctype,
        "name": array.name,
        "count": len(array.data) if records else array.data.size,
        "text": _records(array.data) if records else _numbers(array.data),
    }


def _records(data: NDArray[Any]) -> str:
    return "\n".join(f"    {{ {', '.join(map(str, row))} }}," for row in data.tolist())


def _numbers(data: NDArray[Any]) -> str:
    lines, line = [], "   "
    for number in np.ravel(data).tolist():
        word = f" {number},"
        if len(line) + len(word) > _WIDTH:
            lines.append(line)
            line = "   "
        line += word
    return "\n".join([*lines, line])


def _fields(fields: Sequence[tuple[str, Any]], depth: int) -> str:
    """Designated initialisers, nested structs one level deeper."""
    pad = "    " * depth
    lines = []
    for name, value in fields:
        if isinstance(value, tuple):
            lines.append(f"{pad}.{name} = {{\n{_fields(value, depth + 1)}\n{pad}}},")
        elif isinstance(value, list):
            lines.append(f"{pad}.{name} = {{ {', '.join(map(str, value))} }},")
        else:
            lines.append(f"{pad}.{name} = {value},")
    return "\n".join(lines)


def _window(plan: Plan, layout: Layout) -> dict[str, Any] | None:
    if not layout.window:
        return None
    sizes = {"samples": plan.samples, "inputs": plan.input_channels, "outputs": plan.output_channels}
    if layout.through_stream:
        return {"calls": [], **sizes}
    layers = plan.run(stream=False)
    calls = [
        _call(plan, layout.window, position, layers, layer.window) for position, layer in enumerate(layers)
    ]
    return {
        "calls": [
            {"number": number, "function": f"window_{layer.name}", "call": call}
            for number, (layer, call) in enumerate(zip(layers, calls, strict=True), 1)
        ],
        **sizes,
    }


def _stream(plan: Plan, memory: Memory) -> dict[str, Any]:
    reset, keep = [], []
    for value, after, zero_point in plan.states:
        place, size = f"stream.held.bytes + {memory.states[value]}", plan.values[value].step
        reset.append(f"memset({place}, {zero_point}, {size})")
        keep.append(f"memcpy({place}, {_where(plan, memory, after)}, {size})")
    for position, offset in memory.rings.items():
        ring = plan.layers[position].ring
        if ring is not None:
            reset.append(f"memset(stream.held.bytes + {offset}, {ring.zero_point}, {ring.bytes})")
    if memory.rings:
        reset.append("memset(stream.head, 0, sizeof stream.head)")
    if memory.ticks:
        reset.append("stream.tick = 0")
    last = max(layer.clock.first for layer in plan.layers)
    return {
        "arena_bytes": memory.arena_bytes,
        "state_bytes": memory.state_bytes,
        "heads": len(memory.rings),
        "ticks": memory.ticks,
        "again": last,
        "wrap": last + plan.grain,
        "calls": [_step(plan, memory, position) for position in range(len(plan.layers))],
        "due": _due(plan.clock) or "1",
        "keep": keep,
        "reset": reset,
    }


def _step(plan: Plan, memory: Memory, position: int) -> dict[str, Any]:
    """The calls of a layer, a function each, so that its stack is its own; and the samples that make them."""
    layer = plan.layers[position]
    own, fed = layer.clock, layer.source
    wanted = {"step": layer.step, "keep": layer.keep, "hold": layer.hold}
    if own.meets(fed):
        del wanted["hold"]
    if fed.meets(own):
        del wanted["keep"]
    if not own.meets(fed) and not fed.meets(own):
        del wanted["step"]
    calls = {key: _call(plan, memory, position, plan.layers, call) for key, call in wanted.items() if call}
    return {
        "number": position + 1,
        "functions": [(f"{key}_{layer.name}", call) for key, call in calls.items()],
        "lines": _dispatch(layer, {key: f"{key}_{layer.name}(in, out);" for key in calls}),
    }


def _dispatch(layer: Layer, calls: dict[str, str]) -> list[str]:
    """The C statements that make a layer's calls with the samples that they belong to."""
    own, fed = _due(layer.clock), _due(layer.source)
    if "hold" in calls and "step" in calls:
        return [f"if ({fed}) {{", f"    {calls['step']}", f"}} else if ({own}) {{" if own else "} else {",
                f"    {calls['hold']}", "}"]  # fmt: skip
    lines = [calls.get("step") or calls["hold"]]
    if own:
        lines = [f"if ({own}) {{", f"    {lines[0]}", "}"]
    if "keep" in calls:
        lines[-1:] = [f"}} else if ({fed}) {{" if fed else "} else {", f"    {calls['keep']}", "}"]
    return lines


def _due(clock: Clock) -> str:
    """When `clock` brings a row, as a C condition on the samples since the reset; empty for always."""
    if clock.period == 1:
        return f"now >= {clock.first}" if clock.first else ""
    if clock.first < clock.period:
        return f"now % {clock.period} == {clock.first}"
    return f"now >= {clock.first} && (now - {clock.first}) % {clock.period} == 0"


def _call(plan: Plan, memory: Memory, position: int, layers: Sequence[Layer], template: str) -> str:
    layer = layers[position]
    words = {f"in{i}": _where(plan, memory, value) for i, value in enumerate(layer.inputs)}
    if position in memory.scratch:
        words["scratch"] = _place(plan, "arena", memory.scratch[position])
        words["words"] = f"arena.words + {memory.scratch[position] // 4}"
    if position in memory.rings:
        words["ring"] = f"stream.held.bytes + {memory.rings[position]}"
        words["head"] = f"&stream.head[{list(memory.rings).index(position)}]"
    return template.format(p=layer.name, out=_where(plan, memory, layer.output), **words)


def _where(plan: Plan, memory: Memory, value: int) -> str:
    role = plan.values[value].role
    if role == "inner":
        return _place(plan, "arena", memory.values[value])
    if role == "state":
        return _place(plan, "stream.held", memory.states[value])
    return "in" if role == "input" else "out"


def _place(plan: Plan, buffer: str, offset: int) -> str:
    """A pointer to the plan's type, `offset` bytes into a buffer; every offset is a multiple of 4."""
    return f"{buffer}.halves + {offset // 2}" if plan.value_bytes == 2 else f"{buffer}.bytes + {offset}"
