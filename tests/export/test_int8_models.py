# SPDX-License-Identifier: Apache-2.0
"""Int8 models: the same bits in both judges, near float, and within TFLite's rules."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from edgegrf.errors import UnsupportedError
from edgegrf.export.accuracy import float_estimates
from edgegrf.export.calibration import METHODS, observe
from edgegrf.export.equalise import equalise
from edgegrf.export.lowered import Lowered, Node
from edgegrf.export.quantise import quantise
from edgegrf.export.windows import Piece
from edgegrf.graph.affine import dequantize, force_code, pressure_code, quantize
from edgegrf.graph.reader import read_tflite
from edgegrf.graph.writer import write_tflite
from edgegrf.parity.judge import ReferenceRuntime, run_steps, run_windows
from edgegrf.parity.onnx_int8 import run_tflm

ALL = ["dstcn", "tcn", "wrn", "matrix", "gru", "lstm"]


@pytest.fixture(scope="module")
def int8(nets):
    made = {}

    def get(architecture, pressure):
        if architecture not in made:
            net = nets(architecture)
            interface = net.student.interface
            windows = [pressure(interface.window, len(interface.sensors), seed) for seed in range(6)]
            seen = observe(net.simple, net.lowered, windows)
            equal, scaled = equalise(net.lowered, seen, 0.5)
            graph = quantise(equal, {name: METHODS["minmax"](values) for name, values in scaled.items()})
            made[architecture] = net, graph, write_tflite(graph), windows
        return made[architecture]

    return get


@pytest.mark.parametrize("architecture", ALL)
def test_both_judges_give_the_same_bits(int8, pressure, architecture):
    _, graph, data, windows = int8(architecture, pressure)
    rng = np.random.default_rng(1)
    wild = rng.integers(-128, 128, (3, *windows[0].shape)).astype(np.int8)
    coded = np.concatenate([quantize(np.stack(windows), *pressure_code(graph))[0], wild])
    first = run_tflm(data, graph, coded)
    witness = ReferenceRuntime(data)
    second = (
        np.stack([run_steps(witness, graph, window) for window in coded])
        if graph.states
        else run_windows(witness, graph, coded)
    )
    assert np.array_equal(first, second)
    assert len(np.unique(first)) > 20


@pytest.mark.parametrize("architecture", ALL)
def test_int8_follows_float(int8, pressure, architecture):
    net, graph, data, windows = int8(architecture, pressure)
    outputs = len(net.student.interface.outputs)
    pieces = [
        Piece(window, np.zeros((len(window), outputs), np.float32), 700.0, 0, len(window))
        for window in windows
    ]
    exact = float_estimates(net.simple, pieces)
    coded = dequantize(
        run_tflm(data, graph, quantize(np.stack(windows), *pressure_code(graph))[0]), *force_code(graph)
    )
    assert np.sqrt(np.mean((exact - coded) ** 2)) < 0.1 * (exact.max() - exact.min())


@pytest.mark.parametrize("architecture", ALL)
def test_the_file_holds_the_graph(int8, pressure, architecture):
    _, graph, data, _ = int8(architecture, pressure)
    again = read_tflite(data)
    assert data == write_tflite(graph) == write_tflite(replace(again, description=graph.description))
    assert [operator.kind for operator in again.operators] == [operator.kind for operator in graph.operators]


@pytest.mark.parametrize("architecture", ["wrn", "matrix", "dstcn"])
@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_equalising_changes_ranges_but_not_the_function(nets, interpret, pressure, architecture, strength):
    net = nets(architecture)
    interface = net.student.interface
    windows = [pressure(interface.window, len(interface.sensors), seed) for seed in range(2)]
    seen = observe(net.simple, net.lowered, windows)
    equal, scaled = equalise(net.lowered, seen, strength)
    feeds = {"pressure": windows[0].reshape(net.lowered.shapes["pressure"])}
    before, after = interpret(net.lowered, feeds), interpret(equal, feeds)
    assert np.abs(before["force"] - after["force"]).max() < 1e-4
    changed = [name for name in seen if scaled[name] is not seen[name]]
    assert len(changed) > 3
    for name in changed:  # what is said to be seen is what flows
        assert after[name].max() <= scaled[name].extremes[1] * (1 + 1e-4)
    spread = [_spread(scaled[name], net.lowered.shapes[name][-1]) for name in changed]
    assert np.mean(spread) < np.mean([_spread(seen[name], net.lowered.shapes[name][-1]) for name in changed])


def _spread(observed, channels):
    peaks = observed.peaks(channels)
    return float(np.log(peaks[peaks > 0].max() / peaks[peaks > 0].min()))


def test_tflites_rules(int8, pressure):
    _, graph, _, _ = int8("gru", pressure)
    by_name = {tensor.name: tensor for tensor in graph.tensors}
    for operator in graph.operators:
        out = graph.tensors[operator.outputs[0]].quantization
        if operator.kind in ("LOGISTIC", "TANH"):
            expected = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}[operator.kind]
            assert (float(out.scales[0]), int(out.zero_points[0])) == expected
    state, after = by_name["state:h"].quantization, by_name["state:h:next"].quantization
    assert state.scales[0] == after.scales[0] and state.zero_points[0] == after.zero_points[0]
    for tensor in graph.tensors:
        if tensor.name.endswith("/weights"):
            assert tensor.data.min() >= -127 and (tensor.quantization.zero_points == 0).all()
            assert len(tensor.quantization.scales) == tensor.shape[tensor.quantization.axis]


def test_padding_pooling_and_naming_keep_the_scale(int8, pressure):
    _, graph, _, _ = int8("matrix", pressure)
    for operator in graph.operators:
        if operator.kind in ("PAD", "RESHAPE"):
            ends = operator.inputs[0], operator.outputs[0]
            source, target = (graph.tensors[end].quantization for end in ends)
            assert source.scales[0] == target.scales[0] and source.zero_points[0] == target.zero_points[0]


def _dense(weights, bias):
    weights, bias = np.array(weights, np.float32), np.array(bias, np.float32)
    node = Node("FULLY_CONNECTED", ["x"], "y", {"activation": "NONE"}, weights, bias, "net.head")
    shapes = {"x": (1, weights.shape[1]), "y": (1, len(bias))}
    return Lowered((node,), shapes, ("x",), ("y",), {})


def test_a_channel_of_zero_weights_still_gives_its_bias():
    layer = _dense([[0.0, 0.0], [1e-9, 0.0], [1.0, -1.0]], [0.5, -0.25, 0.0])
    graph = quantise(layer, {"x": (0, 1), "y": (-1, 1)})
    force = dequantize(run_tflm(write_tflite(graph), graph, np.zeros((1, 1, 2), np.int8)), *force_code(graph))
    assert np.abs(force[0, 0] - [0.5, -0.25, 0.0]).max() <= 2 / 255


def test_a_tensor_that_is_always_zero_is_refused():
    with pytest.raises(UnsupportedError, match="'y'") as caught:
        quantise(_dense([[1.0]], [0.0]), {"x": (0.0, 1.0), "y": (0.0, 0.0)})
    assert "always 0" in caught.value.why


def test_an_accumulator_beyond_32_bits_is_refused_with_its_place():
    count = math.ceil(2**31 / (127 * 255)) + 1
    with pytest.raises(UnsupportedError, match=r"net\.head") as caught:
        quantise(_dense(np.ones((1, count)), [0.0]), {"x": (0.0, 1.0), "y": (0.0, 1.0)})
    assert caught.value.node == "net.head"
