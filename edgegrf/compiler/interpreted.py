# SPDX-License-Identifier: Apache-2.0
"""`.tflite` file -> what the TFLite Micro engine needs of it: its bytes, its operators, its arena's size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from edgegrf import __version__
from edgegrf.compiler.emit import clean, environment
from edgegrf.errors import ModelError, UnsupportedError
from edgegrf.files import new_folder, sha256_file
from edgegrf.graph.arena import Arena, arena_of
from edgegrf.graph.model import Graph, Tensor
from edgegrf.graph.reader import read_tflite
from edgegrf.manifest import Manifest, manifest_path

__all__ = ["Interpreted", "interpret_model", "method_of"]

#: operators whose method in tflite::MicroMutableOpResolver is not their name in another case
_METHODS = {"PADV2": "AddPadV2"}

_VALUE_BYTES = {"int8": 1, "int16": 2}


@dataclass(frozen=True)
class _State:
    input: int
    output: int
    bytes: int
    offset: int
    zero_point: int


@dataclass(frozen=True)
class Interpreted:
    """What `interpret_model` wrote: `modes` is 1 for windows or 2 for a step model."""

    folder: Path
    modes: int
    operators: tuple[str, ...]
    arena: Arena


def interpret_model(tflite: Path, folder: Path, *, kernels: str) -> Interpreted:
    """Write model.h, model_operators.h, model_data.h and model_data.c into `folder`, replaced as a whole.

    `kernels` is one of graph.arena.KERNELS.  Raises ModelError or UnsupportedError for a model that the
    engine cannot run; OutputError.
    """
    data = tflite.read_bytes()
    graph = read_tflite(data)
    operators = tuple(sorted({operator.kind for operator in graph.operators}))
    arena = arena_of(graph, kernels=kernels)
    states = _states(graph)
    manifest = Manifest.read(tflite) if manifest_path(tflite).is_file() else None
    values = {
        "command": f"edgegrf build --engine tflm --model {clean(tflite.name)}",
        "version": __version__,
        "sha256": sha256_file(tflite),
        "title": clean(manifest.name if manifest else tflite.stem, 31),
        "numbers": _numbers(graph, states, arena, operators, manifest),
        "states": states,
        "digest": [f"0x{byte:02x}" for byte in bytes.fromhex(sha256_file(tflite))],
        "methods": [method_of(kind) for kind in operators],
        "rows": [", ".join(map(str, data[start : start + 24])) for start in range(0, len(data), 24)],
        "size": len(data),
    }
    with new_folder(folder) as aside:
        for name in ("model.h", "model_operators.h", "model_data.h", "model_data.c"):
            text = environment().get_template(f"tflm_{name}.j2").render(**values)
            (aside / name).write_text(text)
    return Interpreted(folder, 2 if states else 1, operators, arena)


def method_of(kind: str) -> str:
    """The method of tflite::MicroMutableOpResolver that adds an operator: CONV_2D gives AddConv2D."""
    return _METHODS.get(kind) or "Add" + "".join(word.capitalize() for word in kind.split("_")).replace(
        "2d", "2D"
    )


def _states(graph: Graph) -> list[_State]:
    """The states of a step model: where each goes in and comes out, and where it is kept meanwhile."""
    found, offset = [], 0
    for source, target in graph.states:
        tensor = graph.tensors[source]
        size = math.prod(tensor.shape) * _value_bytes(tensor)
        at = (graph.inputs.index(source), graph.outputs.index(target))
        found.append(_State(*at, size, offset, _affine(tensor)[1]))
        offset += size
    return found


def _numbers(
    graph: Graph, states: list[_State], arena: Arena, operators: tuple[str, ...], manifest: Manifest | None
) -> list[tuple[str, str]]:
    """(macro, value) of model.h, those of the ahead-of-time engine first."""
    taken, given = _the_other(graph, graph.inputs, "input"), _the_other(graph, graph.outputs, "output")
    sample, estimate = graph.tensors[taken], graph.tensors[given]
    if _value_bytes(sample) != _value_bytes(estimate):
        raise UnsupportedError("input and output are of different types", node=estimate.name)
    interface = manifest.interface if manifest else None
    if states:
        _check_step(sample, manifest)
    samples, channels = (1, math.prod(sample.shape)) if states else _rows(sample)
    estimates, outputs = (1, math.prod(estimate.shape)) if states else _rows(estimate)
    (in_scale, in_zero), (out_scale, out_zero) = _affine(sample), _affine(estimate)
    return [
        ("MODES", "2" if states else "1"),
        ("INPUT_CHANNELS", str(channels)),
        ("OUTPUT_CHANNELS", str(outputs)),
        ("VALUE_BYTES", str(_value_bytes(sample))),
        ("WINDOW_SAMPLES", str(0 if states else samples)),
        ("WINDOW_ESTIMATES", str(0 if states else estimates)),
        ("PERIOD", "1"),
        ("LOOKAHEAD", "0"),
        ("SAMPLE_RATE_HZ", _float(interface.sample_rate_hz if interface else 0.0)),
        ("INPUT_SCALE", _float(in_scale)),
        ("INPUT_ZERO_POINT", f"({in_zero})"),
        ("OUTPUT_SCALE", _float(out_scale)),
        ("OUTPUT_ZERO_POINT", f"({out_zero})"),
        ("TFLM_ARENA_BYTES", str(arena.total)),
        ("TFLM_OPERATORS", str(len(operators))),
        ("TFLM_INPUT", str(graph.inputs.index(taken))),
        ("TFLM_OUTPUT", str(graph.outputs.index(given))),
        ("TFLM_STATES", str(len(states))),
        ("TFLM_STATE_BYTES", str(sum(state.bytes for state in states))),
    ]


def _check_step(sample: Tensor, manifest: Manifest | None) -> None:
    """The engine gives one estimate for one sample, from the first on; see compiler/step_file.py."""
    several = len(sample.shape) > 2 and sample.shape[1] > 1
    if several or (manifest and manifest.model.get("skipped", 0)):
        raise UnsupportedError(
            "a step model of several samples a call, or whose first estimates do not count",
            node=sample.name,
            why="its layers have strides or look ahead",
            fix="take its windows, or --engine aot",
        )


def _the_other(graph: Graph, indices: tuple[int, ...], what: str) -> int:
    """The one input or output that is no state."""
    states = {index for pair in graph.states for index in pair}
    found = [index for index in indices if index not in states]
    if len(found) != 1:
        raise ModelError(f"a model with {len(found)} {what}s beside its states", why="one is run")
    return found[0]


def _rows(tensor: Tensor) -> tuple[int, int]:
    """[1, T, ...] -> T and the values of one sample; [1, C] is a window of one."""
    if len(tensor.shape) < 3:
        return 1, math.prod(tensor.shape)
    return tensor.shape[1], math.prod(tensor.shape[2:])


def _value_bytes(tensor: Tensor) -> int:
    if tensor.dtype not in _VALUE_BYTES:
        raise UnsupportedError(f"tensor '{tensor.name}' is {tensor.dtype}", why="int8 and int16 are run")
    return _VALUE_BYTES[tensor.dtype]


def _affine(tensor: Tensor) -> tuple[float, int]:
    if tensor.quantization is None:
        raise ModelError(f"tensor '{tensor.name}' is not quantised", fix="edgegrf export --quantize int8")
    return float(tensor.quantization.scales[0]), int(tensor.quantization.zero_points[0])


def _float(number: float) -> str:
    """A C float literal that reads back as the same float32."""
    text = f"{number:.9g}"
    return f"{text}f" if any(mark in text for mark in ".e") else f"{text}.0f"
