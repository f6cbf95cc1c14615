# SPDX-License-Identifier: Apache-2.0
"""`.tflite` bytes -> Graph.  The bytes are untrusted: whatever they hold ends in a Graph or in a ModelError.

The schema bindings read lazily, field by field, so every length is looked at before what it counts; an
offset that leaves the file surfaces as one of `_BROKEN` and becomes a ModelError in one place.
"""

from __future__ import annotations

import functools
import math
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import ModelError, UnsupportedError
from edgegrf.graph.model import Graph, Operator, Quantization, Tensor
from edgegrf.graph.schema import (
    ACTIVATIONS,
    DTYPES,
    FILE_IDENTIFIER,
    MIRRORS,
    OPERATORS,
    PADDINGS,
    REAL_OPTIONS,
    bindings,
)
from edgegrf.graph.validate import LARGEST_TENSOR, MOST_OPERATORS, MOST_TENSORS, check_graph

__all__ = ["read_tflite"]

_BROKEN = (struct.error, IndexError, ValueError, TypeError, AttributeError, OverflowError)
_LARGEST_FILE = 1 << 26
_LONGEST_NAME = 300
_MOST_DIMENSIONS = 6
_NAMES = {code: name for name, code in DTYPES.items()}
_NAMED = {
    key: {code: name for name, code in names.items()}
    for key, names in (("activation", ACTIVATIONS), ("mode", MIRRORS), ("padding", PADDINGS))
}
_KINDS = {known.code: kind for kind, known in OPERATORS.items()}


def read_tflite(data: bytes) -> Graph:
    """The model in `data`, checked so that shapes, indices, scales and buffers agree.

    Raises UnsupportedError for a sound file with something outside the operator set, ModelError for
    anything else that cannot be read.
    """
    if not data:
        raise ModelError("the .tflite file is empty", fix="export or download it again")
    if len(data) < 16 or data[4:8] != FILE_IDENTIFIER:
        raise ModelError("not a .tflite file", why="its bytes 4..8 are not TFL3", fix="edgegrf export")
    if len(data) > _LARGEST_FILE:
        raise UnsupportedError(f"a .tflite of {len(data)} bytes", why="no board holds more than a few MiB")
    try:
        graph = _graph(bindings().Model.GetRootAs(data, 0))
    except _BROKEN as error:
        raise _damaged(f"what its {len(data)} bytes point to is not all there; was it cut short?") from error
    check_graph(graph)
    return graph


def _damaged(why: str) -> ModelError:
    return ModelError("the .tflite file is damaged", why=why, fix="export or download it again")


def _graph(model: Any) -> Graph:
    if model.Version() != 3:
        raise UnsupportedError(f"a .tflite of schema version {model.Version()}", why="version 3 is read")
    if model.SubgraphsLength() != 1:
        raise UnsupportedError(f"a .tflite with {model.SubgraphsLength()} subgraphs", why="one is read")
    main = model.Subgraphs(0)
    _limit("tensors", main.TensorsLength(), MOST_TENSORS)
    _limit("operators", main.OperatorsLength(), MOST_OPERATORS)
    return Graph(
        tensors=tuple(_tensor(model, main.Tensors(index)) for index in range(main.TensorsLength())),
        operators=tuple(_operator(model, main.Operators(index)) for index in range(main.OperatorsLength())),
        inputs=_ints(main.InputsAsNumpy(), MOST_TENSORS),
        outputs=_ints(main.OutputsAsNumpy(), MOST_TENSORS),
        description=_text(model.Description()),
    )


def _text(raw: bytes | None) -> str:
    """A name as it may stand in a message: one line, printable, not endless."""
    text = (raw or b"")[:_LONGEST_NAME].decode(errors="replace")
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _limit(what: str, count: int, most: int) -> None:
    if count > most:
        raise _damaged(f"it claims {count} {what}")


def _ints(vector: Any, most: int) -> tuple[int, ...]:
    """A vector of the file as ints; the bindings give the number 0 for an absent one."""
    if isinstance(vector, int):
        return ()
    _limit("entries of a vector", len(vector), most)
    return tuple(int(entry) for entry in vector)


def _tensor(model: Any, tensor: Any) -> Tensor:
    name = _text(tensor.Name())
    if tensor.IsVariable() or tensor.Sparsity() is not None:
        raise UnsupportedError(f"tensor '{name}' is a variable or sparse", node=name, fix="export it dense")
    shape = _ints(tensor.ShapeAsNumpy(), _MOST_DIMENSIONS)
    if any(size < 1 for size in shape) or _elements(shape) > LARGEST_TENSOR:
        raise ModelError(f"tensor '{name}' has the shape {list(shape)}", why="sizes must be known")
    dtype = _NAMES.get(tensor.Type()) or _type_name(tensor.Type())
    data = _constant(model, tensor.Buffer(), name, shape, dtype)
    return Tensor(name, shape, dtype, _quantization(tensor.Quantization(), name), data)


def _elements(shape: tuple[int, ...]) -> int:
    return functools.reduce(lambda a, b: a * b, shape, 1)


def _type_name(code: int) -> str:
    names = {value: name.lower() for name, value in vars(bindings().TensorType).items() if name.isupper()}
    return str(names.get(code, f"type {code}"))


def _constant(model: Any, index: int, name: str, shape: tuple[int, ...], dtype: str) -> NDArray[Any] | None:
    """The tensor's values if its buffer has any; their number of bytes must be the shape's."""
    if not 0 <= index < model.BuffersLength():
        raise _damaged(f"tensor '{name}' points at buffer {index} of {model.BuffersLength()}")
    buffer = model.Buffers(index)
    if buffer.Offset() > 1 or buffer.Size() > 1:
        raise UnsupportedError(f"tensor '{name}' lies behind the file's end", fix="export it below 2 GB")
    if not buffer.DataLength() or dtype not in DTYPES:
        return None
    raw = buffer.DataAsNumpy().tobytes()
    want = _elements(shape) * np.dtype(dtype).itemsize
    if len(raw) != want:
        raise _damaged(f"constant '{name}' has {len(raw)} bytes, its shape {list(shape)} needs {want}")
    return np.frombuffer(raw, np.dtype(dtype).newbyteorder("<")).reshape(shape)


def _quantization(record: Any, name: str) -> Quantization | None:
    if record is None or not record.ScaleLength() or not record.ZeroPointLength():
        return None
    scales = np.array(record.ScaleAsNumpy(), np.float32)
    zero_points = np.array(record.ZeroPointAsNumpy(), np.int64)
    if not np.all(np.isfinite(scales)) or not np.all(scales >= np.finfo(np.float32).tiny):
        raise ModelError(f"tensor '{name}' has a scale that is not a positive number", fix="export it again")
    if len(zero_points) not in (1, len(scales)):
        raise _damaged(f"tensor '{name}' has {len(scales)} scales and {len(zero_points)} zero points")
    zeros = np.broadcast_to(zero_points, scales.shape).copy()
    return Quantization(scales, zeros, int(record.QuantizedDimension()))


def _operator(model: Any, operator: Any) -> Operator:
    index = operator.OpcodeIndex()
    if not 0 <= index < model.OperatorCodesLength():
        raise _damaged(f"operator code {index} of {model.OperatorCodesLength()}")
    record = model.OperatorCodes(index)
    code = max(record.BuiltinCode(), record.DeprecatedBuiltinCode())
    kind = _KINDS.get(code)
    if kind is None:
        known = {value: name for name, value in vars(bindings().BuiltinOperator).items() if name.isupper()}
        name = known.get(code, f"operator {code}")
        raise UnsupportedError(
            f"operator {name} is not in the set", node=name, why=f"known: {', '.join(sorted(OPERATORS))}"
        )
    return Operator(
        kind,
        inputs=_ints(operator.InputsAsNumpy(), MOST_TENSORS),
        outputs=_ints(operator.OutputsAsNumpy(), MOST_TENSORS),
        options=_options(operator, kind),
        version=int(record.Version()),
    )


def _options(operator: Any, kind: str) -> dict[str, Any]:
    known = OPERATORS[kind]
    table = operator.BuiltinOptions()
    if not known.fields:
        return {}
    if table is None and kind == "RESHAPE":
        return {"new_shape": ()}
    schema = bindings()
    if table is None or operator.BuiltinOptionsType() != getattr(schema.BuiltinOptions, known.table):
        raise _damaged(f"a {kind} without its options")
    record = getattr(schema, known.table)()
    record.Init(table.Bytes, table.Pos)
    return {key: _option(record, key, attributes, kind) for key, attributes in known.fields.items()}


def _option(record: Any, key: str, attributes: tuple[str, ...], kind: str) -> Any:
    def field(name: str, suffix: str = "") -> Any:
        method: Callable[[], Any] = getattr(record, name[0].upper() + name[1:] + suffix)
        return method()

    if key == "new_shape":
        return _ints(field(attributes[0], "AsNumpy"), _MOST_DIMENSIONS)
    if key in _NAMED:
        names, code = _NAMED[key], field(attributes[0])
        if code not in names:
            raise UnsupportedError(
                f"{kind} with {key} {code}", node=kind, fix=f"use {', '.join(names.values())}"
            )
        return names[code]
    if key in REAL_OPTIONS:
        real = float(field(attributes[0]))
        if not math.isfinite(real):
            raise ModelError(f"{kind} with {key} {real}", why="it must be a finite number")
        return real
    numbers = tuple(int(field(name)) for name in attributes)
    return numbers if len(numbers) > 1 else numbers[0]
