# SPDX-License-Identifier: Apache-2.0
"""Plan and memory -> the text of NAME.c; nothing from the model reaches C but numbers and cleaned names."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.compiler.memory import Memory
from edgegrf.compiler.plan import Array, Layer, Plan

__all__ = ["clean", "environment", "source_text"]

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


def source_text(plan: Plan, window: Memory | None, stream: Memory | None, **provenance: str) -> str:
    """NAME.c for the modes that have a memory plan; `provenance` fills the template's first lines."""
    text: str = (
        environment()
        .get_template("model.c.j2")
        .render(
            headers=sorted({name for layer in plan.layers for name in layer.sources if name.endswith(".h")}),
            layers=[_layer(layer) for layer in plan.layers],
            dtype=plan.dtype,
            in_ram=any(memory.constant_bytes for memory in (window, stream) if memory),
            window=None if window is None else _window(plan, window),
            stream=None if stream is None else _stream(plan, stream),
            **provenance,
        )
    )
    return text


def _layer(layer: Layer) -> dict[str, Any]:
    return {
        "place": clean(layer.place),
        "shape": list(layer.shape),
        "name": layer.name,
        "struct": layer.struct,
        "fields": _fields(layer.fields, 1),
        "arrays": [_array(array) for array in layer.arrays],
    }


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


def _window(plan: Plan, memory: Memory) -> dict[str, Any]:
    return {"arena_bytes": memory.arena_bytes, "functions": _functions(plan, memory, stream=False)}


def _stream(plan: Plan, memory: Memory) -> dict[str, Any]:
    reset, keep = [], []
    for value, after, zero_point in plan.states:
        place, size = f"stream_state.bytes + {memory.states[value]}", plan.values[value].step
        reset.append(f"memset({place}, {zero_point}, {size})")
        keep.append(f"memcpy({place}, {_where(plan, memory, after, stream=True)}, {size})")
    for position, offset in memory.rings.items():
        ring = plan.layers[position].ring
        if ring is not None:
            reset.append(f"memset(stream_state.bytes + {offset}, {ring.zero_point}, {ring.bytes})")
    if memory.rings:
        reset.append("memset(ring_head, 0, sizeof ring_head)")
    return {
        "arena_bytes": memory.arena_bytes,
        "state_bytes": memory.state_bytes,
        "heads": len(memory.rings),
        "functions": _functions(plan, memory, stream=True),
        "keep": keep,
        "reset": reset,
    }


def _functions(plan: Plan, memory: Memory, *, stream: bool) -> list[tuple[str, str]]:
    """(name, call) of every layer: a function each, so that its stack is its own and a profiler sees it."""
    mode = "step" if stream else "window"
    return [
        (f"{mode}_{layer.name}", _call(plan, memory, position, layer, stream=stream))
        for position, layer in enumerate(plan.layers)
    ]


def _call(plan: Plan, memory: Memory, position: int, layer: Layer, *, stream: bool) -> str:
    arena = "stream_arena" if stream else "window_arena"
    words = {f"in{i}": _where(plan, memory, value, stream=stream) for i, value in enumerate(layer.inputs)}
    if position in memory.scratch:
        words["scratch"] = _place(plan, arena, memory.scratch[position])
        words["words"] = f"{arena}.words + {memory.scratch[position] // 4}"
    if position in memory.rings:
        words["ring"] = f"stream_state.bytes + {memory.rings[position]}"
        words["head"] = f"&ring_head[{list(memory.rings).index(position)}]"
    template = layer.step if stream else layer.window
    return template.format(p=layer.name, out=_where(plan, memory, layer.output, stream=stream), **words)


def _where(plan: Plan, memory: Memory, value: int, *, stream: bool) -> str:
    role = plan.values[value].role
    if role == "inner":
        return _place(plan, "stream_arena" if stream else "window_arena", memory.values[value])
    if role == "state":
        return _place(plan, "stream_state", memory.states[value])
    return "in" if role == "input" else "out"


def _place(plan: Plan, buffer: str, offset: int) -> str:
    """A pointer to the plan's type, `offset` bytes into a buffer; every offset is a multiple of 4."""
    return f"{buffer}.halves + {offset // 2}" if plan.value_bytes == 2 else f"{buffer}.bytes + {offset}"
