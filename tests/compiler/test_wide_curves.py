# SPDX-License-Identifier: Apache-2.0
"""Operators of one value, over every int16 there is; SUB where a ratio in float32 would be off."""

from __future__ import annotations

import numpy as np
import pytest

from edgegrf.errors import UnsupportedError
from edgegrf.graph.model import Graph, Operator, Quantization, Tensor
from edgegrf.graph.writer import write_tflite
from edgegrf.parity.host import HostModel
from edgegrf.parity.judge import TfliteMicro, run_windows

LENGTH = 4096
EVERY = np.arange(-32768, 32768).astype(np.int16).reshape(-1, LENGTH, 1)


def activation(name, scale, dtype="int16", channels=1, zero_point=0):
    code = Quantization(np.array([scale], np.float32), np.array([zero_point], np.int64))
    return Tensor(name, (1, LENGTH, channels), dtype, code)


def alone(kind, scale, out_scale, version, dtype="int16", zero_point=0):
    ends = activation("x", scale, dtype), activation("y", out_scale, dtype, zero_point=zero_point)
    return Graph(ends, (Operator(kind, (0,), (1,), {}, version),), (0,), (1,))


def host_of(graph, folder):
    path = folder / "m.tflite"
    path.write_bytes(write_tflite(graph))
    return HostModel(path)


@pytest.mark.parametrize("kind", ["LOGISTIC", "TANH"])
@pytest.mark.parametrize("scale", [2.0**-12, 2.0**-11, 5e-5, 2.9e-4, 3e-3])
def test_a_curve_is_tflite_micros_at_every_input(kind, scale, tmp_path):
    graph = alone(kind, scale, 2.0**-15, 3)
    want = run_windows(TfliteMicro(write_tflite(graph), graph), graph, EVERY)
    assert len(np.unique(want)) > 1000
    assert np.array_equal(host_of(graph, tmp_path).window(EVERY), want)


@pytest.mark.parametrize(("kind", "out_scale"), [("RELU", 2e-4), ("RELU", 7e-5), ("RELU6", 3e-4)])
def test_a_relu_alone_is_tflite_micros(kind, out_scale, tmp_path):
    graph = alone(kind, 3e-4 if kind == "RELU6" else 1e-4, out_scale, 2)
    want = run_windows(TfliteMicro(write_tflite(graph), graph), graph, EVERY)
    assert len(np.unique(want)) > 1000
    assert np.array_equal(host_of(graph, tmp_path).window(EVERY), want)


def test_a_table_is_refused_where_its_scale_is_another(tmp_path):
    with pytest.raises(UnsupportedError, match="changes the scale"):
        host_of(alone("TANH", 1e-4, 2.0**-14, 3), tmp_path)


def test_int16_is_symmetric(tmp_path):
    with pytest.raises(UnsupportedError, match="zero point 3"):
        host_of(alone("RELU", 1e-4, 1e-4, 2, zero_point=3), tmp_path)


def test_what_is_not_compiled_in_int16_is_refused(tmp_path):
    with pytest.raises(UnsupportedError, match="HARD_SWISH"):
        host_of(alone("HARD_SWISH", 1e-4, 1e-4, 1), tmp_path)


def test_the_ratios_of_sub_are_double(tmp_path):
    scales = 2.0845458e-05, 3.0517578e-05, 2.0022717e-05
    tensors = [activation("x", scales[0]), activation("c", scales[1]), activation("y", scales[2])]
    constant = Quantization(np.array([scales[1]], np.float32), np.zeros(1, np.int64))
    tensors[1] = Tensor("c", (1, 1, 1), "int16", constant, np.array([[[6563]]], np.int16))
    graph = Graph(tuple(tensors), (Operator("SUB", (0, 1), (2,), {"activation": "NONE"}, 5),), (0,), (2,))
    want = run_windows(TfliteMicro(write_tflite(graph), graph), graph, EVERY)
    assert want.reshape(-1)[7118 + 32768] == -2592  # -2593 with float32 ratios
    assert np.array_equal(host_of(graph, tmp_path).window(EVERY), want)
