# SPDX-License-Identifier: Apache-2.0
"""The `.tflite` file itself: aligned buffers, the schema's codes, a signature."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edgegrf.errors import UnsupportedError
from edgegrf.graph.model import Graph, Operator, Quantization, Tensor
from edgegrf.graph.schema import ACTIVATIONS, DTYPES, OPERATORS, PADDINGS
from edgegrf.graph.writer import write_tflite


def _graph(kind: str = "FULLY_CONNECTED") -> Graph:
    code = Quantization(np.array([0.5], np.float32), np.array([3]))
    weights = np.arange(-7, 8, dtype=np.int8).reshape(3, 5)
    scales = Quantization(np.array([0.1, 0.2, 0.3], np.float32), np.zeros(3, np.int64))
    tensors = (
        Tensor("pressure", (1, 5), "int8", code),
        Tensor("force/weights", (3, 5), "int8", scales, weights),
        Tensor("force/bias", (3,), "int32", scales, np.array([1, -2, 3], np.int32)),
        Tensor("force", (1, 3), "int8", code),
    )
    return Graph(tensors, (Operator(kind, (0, 1, 2), (3,), {"activation": "RELU"}, 4),), (0,), (3,))


def test_every_buffer_begins_at_a_multiple_of_16():
    data = write_tflite(_graph())
    model = schema.Model.GetRootAs(data, 0)
    starts = []
    for index in range(model.BuffersLength()):
        table = model.Buffers(index)._tab
        offset = table.Offset(4)
        if offset:
            starts.append(table.Vector(offset))
    assert len(starts) == 2
    assert all(start % 16 == 0 for start in starts)


def test_constants_and_scales_survive():
    graph = _graph()
    model = schema.ModelT.InitFromPackedBuf(write_tflite(graph), 0)
    main = model.subgraphs[0]
    weights = main.tensors[1]
    stored = np.frombuffer(bytes(model.buffers[weights.buffer].data), np.int8).reshape(3, 5)
    assert np.array_equal(stored, graph.tensors[1].data)
    assert np.allclose(weights.quantization.scale, [0.1, 0.2, 0.3])
    assert main.operators[0].builtinOptions.fusedActivationFunction == ACTIVATIONS["RELU"]
    assert model.operatorCodes[0].version == 4
    assert model.signatureDefs[0].inputs[0].name == b"pressure"


def test_the_table_has_the_schemas_codes():
    for kind, known in OPERATORS.items():
        assert known.code == getattr(schema.BuiltinOperator, kind)
        assert not known.table or hasattr(schema.BuiltinOptions, known.table)
        record = getattr(schema, known.table + "T")() if known.table else None
        for attributes in known.fields.values():
            assert all(hasattr(record, attribute) for attribute in attributes)
    for names, enum in (
        (ACTIVATIONS, schema.ActivationFunctionType),
        (PADDINGS, schema.Padding),
        ({name.upper(): code for name, code in DTYPES.items()}, schema.TensorType),
    ):
        assert all(code == getattr(enum, name) for name, code in names.items())


def test_an_operator_outside_the_table_is_refused():
    with pytest.raises(UnsupportedError, match="FLOOR_MOD"):
        write_tflite(_graph("FLOOR_MOD"))
