# SPDX-License-Identifier: Apache-2.0
"""The float twin of an integer model: its bits in int8, gradients through it, and what is built on it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from edgegrf.export.calibration import METHODS, observe
from edgegrf.export.equalise import equalise
from edgegrf.export.quantise import channel_axis, quantise, weight_scales
from edgegrf.export.rounding import round_weights
from edgegrf.export.scheme import INT8, INT16X8
from edgegrf.export.sensitivity import explain
from edgegrf.export.tuning import Quantised
from edgegrf.export.twin import Twin
from edgegrf.export.windows import Piece
from edgegrf.graph.affine import code_type, dequantize, force_code, pressure_code, quantize
from edgegrf.graph.writer import write_tflite
from edgegrf.parity.onnx_int8 import run_tflm

WINDOWED = ["dstcn", "tcn", "wrn", "matrix"]
ALL = [*WINDOWED, "gru"]


@pytest.fixture
def ready(nets, pressure):
    """(equalised graph, ranges, windows [N, T, C]) of an architecture."""

    def get(architecture):
        net = nets(architecture)
        interface = net.student.interface
        windows = np.stack([pressure(interface.window, len(interface.sensors), seed) for seed in range(6)])
        equal, scaled = equalise(net.lowered, observe(net.simple, net.lowered, list(windows)), 0.5)
        return equal, {name: METHODS["minmax"](values) for name, values in scaled.items()}, windows

    return get


def judged(lowered, ranges, windows, scheme=INT8):
    """The integer model's estimates by tflite-micro, in real numbers, and their step."""
    graph = quantise(lowered, ranges, scheme=scheme)
    coded, _ = quantize(windows, *pressure_code(graph), code_type(graph))
    out = run_tflm(write_tflite(graph), graph, coded)
    return dequantize(out, *force_code(graph)), force_code(graph)[0]


def apart(lowered, ranges, windows, scheme, dtype):
    """How many steps the twin's estimates are off at most."""
    want, step = judged(lowered, ranges, windows, scheme)
    with torch.no_grad():
        got = Twin(lowered, ranges, scheme, dtype)(torch.from_numpy(windows)).numpy()
    return np.abs(got - want).max() / step


@pytest.mark.parametrize("architecture", ALL)
def test_it_has_the_bits_of_the_int8_model(ready, architecture):
    lowered, ranges, windows = ready(architecture)
    wild = np.random.default_rng(0).uniform(-0.2, 1.5, windows.shape).astype(np.float32)
    both = np.concatenate([windows, wild])
    assert apart(lowered, ranges, both, INT8, torch.float64) < 1e-3
    assert apart(lowered, ranges, both, INT8, torch.float32) < 1 + 1e-3


@pytest.mark.parametrize("architecture", ALL)
def test_it_is_near_the_int16_model(ready, architecture):
    lowered, ranges, windows = ready(architecture)
    assert apart(lowered, ranges, windows, INT16X8, torch.float64) < 64  # of 65536


@pytest.mark.parametrize("architecture", ALL)
def test_gradients_reach_weights_biases_and_ranges(ready, architecture):
    lowered, ranges, windows = ready(architecture)
    twin = Twin(lowered, ranges)
    torch.mean(twin(torch.from_numpy(windows)) ** 2).backward()
    for name, parameter in twin.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().sum() > 0, name


def test_nothing_rounded_is_the_float_model(ready, nets):
    lowered, ranges, windows = ready("dstcn")
    twin = Twin(lowered, ranges)
    twin.exact.update(lowered.shapes)
    twin.exact_weights.update(lowered.shapes)
    with torch.no_grad():
        exact = nets("dstcn").student(torch.from_numpy(windows).mT).mT
        assert torch.abs(twin(torch.from_numpy(windows)) - exact).max() < 1e-4


@pytest.mark.parametrize("architecture", WINDOWED)
@pytest.mark.parametrize("scheme", [INT8, INT16X8], ids=lambda scheme: scheme.name)
def test_rounding_together_loses_less_than_rounding_to_the_nearest(ready, architecture, scheme):
    lowered, ranges, windows = ready(architecture)
    pressure = torch.from_numpy(windows)
    rounded = round_weights(lowered, ranges, scheme, pressure)
    exact = Twin(lowered, ranges)
    exact.exact.update(lowered.shapes)
    exact.exact_weights.update(lowered.shapes)
    with torch.no_grad():
        want = exact(pressure)
        losses = [
            float(torch.mean((Twin(made, ranges, scheme)(pressure) - want) ** 2))
            for made in (lowered, rounded)
        ]
    assert losses[1] < 1.05 * losses[0]
    if scheme is INT16X8:  # there it is all that is lost
        assert losses[1] < 0.5 * losses[0]
    for node in rounded.nodes:
        if node.weights is not None:
            along = [1] * node.weights.ndim
            along[channel_axis(node)] = -1
            codes = node.weights / weight_scales(node, math.inf).reshape(along)
            assert np.abs(codes - np.rint(codes)).max() < 1e-3 and np.abs(codes).max() < 127.5


def test_the_same_walks_give_the_same_weights(ready):
    lowered, ranges, windows = ready("dstcn")
    first, second = (round_weights(lowered, ranges, INT8, torch.from_numpy(windows)) for _ in range(2))
    for one, other in zip(first.nodes, second.nodes, strict=True):
        assert one.weights is None or np.array_equal(one.weights, other.weights)


def explained(lowered, ranges, windows, truth=None):
    truth = np.zeros((*windows.shape[:2], 1), np.float32) if truth is None else truth
    pieces = [Piece(x, y, 700.0, 0, len(x)) for x, y in zip(windows, truth, strict=True)]
    graph = quantise(lowered, ranges)
    best = Quantised("minmax", 0.0, "nearest", lowered, lowered, ranges, graph, b"", 0.0, INT8)
    return explain(best, pieces)


@pytest.mark.parametrize("architecture", ["dstcn", "gru"])
def test_an_explanation_has_every_part_once(ready, architecture):
    lowered, ranges, windows = ready(architecture)
    windows = windows[:4]
    record = explained(lowered, ranges, windows)
    parts = [(cost["name"], cost["what"]) for cost in record["costs"]]
    assert len(parts) == len(set(parts))
    weighted = sum(node.weights is not None for node in lowered.nodes)
    assert sum(what == "weights" for _, what in parts) == weighted
    assert sum(cost["share"] for cost in record["costs"]) == pytest.approx(1)
    want, _ = judged(lowered, ranges, windows)
    assert record["rmse_bw"] == pytest.approx(float(np.sqrt(np.mean(want**2))), rel=1e-4)


@pytest.mark.parametrize(("error_bw", "negligible"), [(1.0, True), (0.001, False)])
def test_where_next_to_nothing_is_lost_there_is_nothing_to_do(ready, nets, error_bw, negligible):
    """The same rounding, beside an error of the model that hides it and one that does not."""
    lowered, ranges, windows = ready("dstcn")
    with torch.no_grad():
        truth = nets("dstcn").student(torch.from_numpy(windows).mT).mT.numpy().copy()
    truth[:, ::2] += error_bw
    truth[:, 1::2] -= error_bw
    record = explained(lowered, ranges, windows, truth)
    assert record["float_rmse_bw"] == pytest.approx(error_bw, rel=0.01)
    assert (record["rmse_bw"] / record["float_rmse_bw"] < 1.01) == negligible
    told = ["nothing to do" in line for line in record["advice"]]
    assert told == [True] if negligible else len(told) > 1 and not any(told)


def test_a_spoilt_tensor_and_a_spoilt_layer_are_found(ready):
    lowered, ranges, windows = ready("dstcn")
    victim = next(node.output for node in lowered.nodes if node.kind == "DEPTHWISE_CONV_2D")
    low, high = ranges[victim]
    worst = explained(lowered, {**ranges, victim: (40 * low, 40 * high)}, windows)
    assert (worst["costs"][0]["name"], worst["costs"][0]["what"]) == (victim, "activations")
    assert any("makes" in line for line in worst["advice"])
    assert any("--qat" in line for line in worst["advice"])
    nodes = list(lowered.nodes)
    place = next(i for i, node in enumerate(nodes) if node.kind == "CONV_2D" and i > 3)
    scales = 30 * weight_scales(nodes[place], math.inf)
    nodes[place] = type(nodes[place])(**{**vars(nodes[place]), "scales": scales})
    worst = explained(type(lowered)(**{**vars(lowered), "nodes": tuple(nodes)}), ranges, windows)
    assert (worst["costs"][0]["name"], worst["costs"][0]["what"]) == (nodes[place].output, "weights")
