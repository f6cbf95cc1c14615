# SPDX-License-Identifier: Apache-2.0
"""Models that are refused: by name, with the place and what to use instead; never by a crash."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from edgegrf.errors import ModelError, UnsupportedError
from edgegrf.export.lowering import lower
from edgegrf.export.onnx_file import load_onnx, parse_onnx, places, simplify
from edgegrf.export.source import from_checkpoint, from_onnx
from edgegrf.manifest import Interface

INSOLE = Interface(("a", "b"), "BW", ("vertical_force",), "BW", 100.0, 20)


class Inner(nn.Module):
    def forward(self, x):
        return nn.functional.softplus(x)


class Soft(nn.Module):
    def __init__(self):
        super().__init__()
        self.deep = nn.Sequential(nn.Conv1d(4, 3, 3, padding=1), Inner())
        self.head = nn.Conv1d(3, 1, 1)

    def forward(self, x):
        return self.head(self.deep(x))


class Normed(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(48)
        self.head = nn.Conv1d(4, 1, 1)

    def forward(self, x):
        return self.head(self.norm(x))


class Branching(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Conv1d(4, 1, 1)

    def forward(self, x):
        return self.head(x) if x.sum().item() > 3 else self.head(2 * x)


@pytest.mark.parametrize(
    ("kind", "operator", "place", "fix"),
    [
        (Soft, "Softplus", "deep.1", "nn.Hardswish"),
        (Normed, "LayerNormalization", "norm", "BatchNorm1d"),
    ],
)
def test_an_operator_outside_the_set_is_named(lower_module, kind, operator, place, fix):
    with pytest.raises(UnsupportedError) as caught:
        lower_module(kind())
    assert operator in caught.value.what and place in caught.value.what
    assert caught.value.node.endswith(place)
    assert fix in caught.value.fix


def test_a_module_that_torch_cannot_trace_is_refused(lower_module):
    with pytest.raises(UnsupportedError, match="cannot trace"):
        lower_module(Branching())


def _model(kind: str, *, attributes=None, outputs=((1, 1, 20),)):
    weights = numpy_helper.from_array(np.ones((1, 2, 1), np.float32), "w")
    inputs = ["x", "w"] if kind == "Conv" else ["x"]
    return helper.make_model(
        helper.make_graph(
            [helper.make_node(kind, inputs, ["y"], name="only", **(attributes or {}))],
            "g",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 2, 20))],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape) for shape in outputs],
            [weights] if kind == "Conv" else [],
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=9,
    )


@pytest.mark.parametrize(
    ("kind", "attributes", "fix"),
    [
        ("Elu", {"alpha": 0.5}, "alpha 1"),
        ("LeakyRelu", {"alpha": -0.5}, "slope of 0 to 1"),
        ("AveragePool", {"kernel_shape": [3], "strides": [2], "pads": [1, 1]}, "count_include_pad"),
        (
            "AveragePool",
            {"kernel_shape": [3], "pads": [1, 1], "ceil_mode": 1, "count_include_pad": 1},
            "ceil",
        ),
        ("MaxPool", {"kernel_shape": [3], "dilations": [2]}, "plain pool"),
        ("ReduceMin", {"keepdims": 1}, "maximum"),
        ("Conv", {"auto_pad": "SAME_LOWER"}, "explicit"),
    ],
)
def test_what_an_operator_cannot_do_is_said(kind, attributes, fix):
    model = helper.make_model(
        _model(kind, attributes=attributes).graph, opset_imports=[helper.make_opsetid("", 19)]
    )
    model.graph.output[0].type.tensor_type.ClearField("shape")
    with pytest.raises(UnsupportedError) as caught:
        lower(model, {}, channels=2, estimates=1)
    assert kind in caught.value.what and caught.value.why and fix in caught.value.fix


def test_a_foreign_onnx_enters(tmp_path):
    path = tmp_path / "net.onnx"
    onnx.save_model(_model("Conv"), path)
    source = from_onnx(path, INSOLE)
    assert source.name == "net" and not source.is_step
    lowered = lower(simplify(source.onnx), places(source.onnx), channels=2, estimates=1)
    assert [node.kind for node in lowered.nodes] == ["RESHAPE", "CONV_2D", "RESHAPE"]


def test_a_foreign_onnx_with_an_open_time_axis_gets_the_window(tmp_path):
    model = _model("Conv")
    for value in (model.graph.input[0], model.graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
        value.type.tensor_type.shape.dim[2].dim_param = "time"
    path = tmp_path / "net.onnx"
    onnx.save_model(model, path)
    source = from_onnx(path, replace(INSOLE, window=33))
    assert lower(simplify(source.onnx), {}, channels=2, estimates=1).shapes["y"] == (1, 33, 1)


def test_a_foreign_onnx_without_sensors_is_asked_for_them(tmp_path):
    path = tmp_path / "net.onnx"
    onnx.save_model(_model("Conv"), path)
    with pytest.raises(ModelError, match="sensors") as caught:
        from_onnx(path, None)
    assert "--sensors" in caught.value.fix


def test_sensors_that_do_not_fit_are_refused():
    with pytest.raises(ModelError, match="3 sensors"):
        lower(simplify(_model("Conv")), {}, channels=3, estimates=1)


def test_outputs_that_do_not_fit_are_refused():
    with pytest.raises(ModelError, match="3 estimates"):
        lower(simplify(_model("Conv")), {}, channels=2, estimates=3)


def test_external_data_is_refused_before_it_is_opened(tmp_path):
    path = tmp_path / "net.onnx"
    model = _model("Conv")
    weights = model.graph.initializer[0]
    weights.data_location = TensorProto.EXTERNAL
    weights.ClearField("raw_data")
    entry = weights.external_data.add()
    entry.key, entry.value = "location", "../outside.bin"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="outside the file") as caught:
        load_onnx(path)
    assert "external_data=False" in caught.value.fix


@pytest.mark.parametrize(
    "data", [b"", b"\x00" * 40, b"not a model at all", b"\x08\x09\x3a\xff\xff\xff\xff\x7f"]
)
def test_garbage_is_no_onnx(data):
    with pytest.raises(ModelError):
        parse_onnx(data, "garbage.onnx")


def test_an_empty_file_is_said_to_be_empty():
    with pytest.raises(ModelError, match="not an ONNX model") as caught:
        parse_onnx(b"", "net.onnx")
    assert "empty" in caught.value.why and "torch.onnx.export" in caught.value.fix


def test_a_truncated_onnx_is_refused():
    whole = _model("Conv").SerializeToString()
    for length in range(0, len(whole) - 1, 7):
        with pytest.raises(ModelError):
            parse_onnx(whole[:length], "cut.onnx")


def test_a_pickle_is_never_loaded(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "touched"), "w"))

    torch.save(Evil(), tmp_path / "torch.pt")
    (tmp_path / "plain.pt").write_bytes(pickle.dumps(Evil(), protocol=2))
    for name in ("torch.pt", "plain.pt"):
        with pytest.raises(ModelError):
            from_checkpoint(tmp_path / name)
    assert not (tmp_path / "touched").exists()
