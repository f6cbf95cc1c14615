# SPDX-License-Identifier: Apache-2.0
"""Graph -> `.tflite` bytes, by the schema bindings; the same graph gives the same bytes."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from edgegrf.errors import UnsupportedError
from edgegrf.graph.model import Graph, Operator, Quantization, Tensor
from edgegrf.graph.schema import ACTIVATIONS, DTYPES, FILE_IDENTIFIER, MIRRORS, OPERATORS, PADDINGS, bindings

__all__ = ["write_tflite"]

_NAMED = {"activation": ACTIVATIONS, "mode": MIRRORS, "padding": PADDINGS}
_ALIGNMENT = 16  # the schema's force_align on buffers: TFLite Micro reads weights in place


def write_tflite(graph: Graph) -> bytes:
    """The `.tflite` file of `graph`; raises UnsupportedError for an operator outside the table."""
    import flatbuffers

    schema = bindings()
    model = schema.ModelT()
    model.version = 3
    model.description = graph.description or "edgegrf"
    model.buffers = [_aligned_buffer()()]
    model.operatorCodes, codes = _operator_codes(graph)
    main = schema.SubGraphT()
    main.name = "main"
    main.tensors = [_tensor(tensor, model.buffers) for tensor in graph.tensors]
    main.operators = [_operator(operator, codes) for operator in graph.operators]
    main.inputs, main.outputs = _ints(graph.inputs), _ints(graph.outputs)
    model.subgraphs = [main]
    model.signatureDefs = [_signature(graph)]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), FILE_IDENTIFIER)
    return bytes(builder.Output())


@functools.cache
def _aligned_buffer() -> type:
    """BufferT whose data begins at a multiple of 16 bytes; the bindings ignore force_align."""
    schema = bindings()

    class AlignedBuffer(schema.BufferT):  # type: ignore[misc,name-defined]
        def Pack(self, builder: Any) -> Any:  # noqa: N802 (the bindings' name)
            data = None
            if self.data is not None and len(self.data):
                raw = bytes(self.data)
                builder.StartVector(1, len(raw), _ALIGNMENT)
                builder.head -= len(raw)
                builder.Bytes[builder.head : builder.head + len(raw)] = raw
                data = builder.EndVector()
            schema.BufferStart(builder)
            if data is not None:
                schema.BufferAddData(builder, data)
            return schema.BufferEnd(builder)

    return AlignedBuffer


def _operator_codes(graph: Graph) -> tuple[list[Any], dict[tuple[str, int], int]]:
    """The file's operator codes, in order of first use, and the index of each (kind, version)."""
    codes: dict[tuple[str, int], int] = {}
    records = []
    for operator in graph.operators:
        if operator.kind not in OPERATORS:
            raise UnsupportedError(
                f"{operator.kind} cannot be written to a .tflite",
                node=operator.kind,
                why=f"known: {', '.join(sorted(OPERATORS))}",
            )
        key = (operator.kind, operator.version)
        if key not in codes:
            codes[key] = len(codes)
            record = bindings().OperatorCodeT()
            record.builtinCode = OPERATORS[operator.kind].code
            record.deprecatedBuiltinCode = record.builtinCode  # all below 127
            record.version = operator.version
            records.append(record)
    return records, codes


def _tensor(tensor: Tensor, buffers: list[Any]) -> Any:
    record = bindings().TensorT()
    record.name, record.shape, record.type = tensor.name, _ints(tensor.shape), DTYPES[tensor.dtype]
    record.buffer = 0
    if tensor.data is not None:
        buffer = _aligned_buffer()()
        raw = np.ascontiguousarray(tensor.data, np.dtype(tensor.dtype).newbyteorder("<")).tobytes()
        buffer.data = np.frombuffer(raw, np.uint8)
        buffers.append(buffer)
        record.buffer = len(buffers) - 1
    if tensor.quantization is not None:
        record.quantization = _quantization(tensor.quantization)
    return record


def _quantization(quantization: Quantization) -> Any:
    record = bindings().QuantizationParametersT()
    record.scale = np.asarray(quantization.scales, np.float32)
    record.zeroPoint = np.asarray(quantization.zero_points, np.int64)
    record.quantizedDimension = quantization.axis
    return record


def _operator(operator: Operator, codes: dict[tuple[str, int], int]) -> Any:
    record = bindings().OperatorT()
    record.opcodeIndex = codes[operator.kind, operator.version]
    record.inputs, record.outputs = _ints(operator.inputs), _ints(operator.outputs)
    table = OPERATORS[operator.kind].table
    if table:
        record.builtinOptionsType = getattr(bindings().BuiltinOptions, table)
        record.builtinOptions = _options(operator)
    return record


def _options(operator: Operator) -> Any:
    known = OPERATORS[operator.kind]
    record = getattr(bindings(), known.table + "T")()
    if hasattr(record, "potScaleInt16"):
        record.potScaleInt16 = False
    for key, attributes in known.fields.items():
        value = operator.options[key]
        if key in _NAMED:
            values: tuple[Any, ...] = (_NAMED[key][value],)
        elif key == "new_shape":
            values = (_ints(value),)
        else:
            values = tuple(value) if len(attributes) > 1 else (value,)
        for attribute, number in zip(attributes, values, strict=True):
            setattr(record, attribute, number)
    return record


def _signature(graph: Graph) -> Any:
    schema = bindings()
    record = schema.SignatureDefT()
    record.signatureKey, record.subgraphIndex = "serving_default", 0
    record.inputs = [_named(graph, index) for index in graph.inputs]
    record.outputs = [_named(graph, index) for index in graph.outputs]
    return record


def _named(graph: Graph, index: int) -> Any:
    record = bindings().TensorMapT()
    record.name, record.tensorIndex = graph.tensors[index].name, index
    return record


def _ints(values: Any) -> Any:
    return np.asarray(values, np.int32)
