# SPDX-License-Identifier: Apache-2.0
"""int16x8 models: far nearer to float than int8, the same bits in tflite-micro, C and on a board."""

from __future__ import annotations

import numpy as np
import pytest

from edgegrf.export.accuracy import coded_estimates, float_estimates
from edgegrf.export.calibration import METHODS, observe
from edgegrf.export.quantise import quantise
from edgegrf.export.scheme import INT8, INT16X8
from edgegrf.export.windows import Piece
from edgegrf.graph.affine import code_type, pressure_code, quantize
from edgegrf.graph.reader import read_tflite
from edgegrf.graph.writer import write_tflite
from edgegrf.link import Device, open_port
from edgegrf.parity.c_board import board_link
from edgegrf.parity.host import HostModel
from edgegrf.parity.onnx_int8 import run_tflm
from edgegrf.parity.tflm_c import check_stream, check_window

ALL = ["dstcn", "tcn", "wrn", "matrix", "gru"]


@pytest.fixture
def quantised(nets, pressure):
    """(net, {scheme: graph}, windows) of an architecture, ranges as seen."""

    def get(architecture):
        net = nets(architecture)
        interface = net.student.interface
        windows = [pressure(interface.window, len(interface.sensors), seed) for seed in range(6)]
        seen = observe(net.simple, net.lowered, windows)
        ranges = {name: METHODS["minmax"](values) for name, values in seen.items()}
        graphs = {s.name: quantise(net.lowered, ranges, scheme=s) for s in (INT8, INT16X8)}
        return net, graphs, windows

    return get


@pytest.mark.parametrize("architecture", ALL)
def test_sixteen_bits_lose_less_than_eight(quantised, architecture):
    net, graphs, windows = quantised(architecture)
    outputs = len(net.student.interface.outputs)
    pieces = [Piece(x, np.zeros((len(x), outputs), np.float32), 700.0, 0, len(x)) for x in windows]
    exact = float_estimates(net.simple, pieces)
    losses = {}
    for scheme, graph in graphs.items():
        coded = coded_estimates(run_tflm, write_tflite(graph), graph, pieces)
        losses[scheme] = float(np.sqrt(np.mean((coded - exact) ** 2)))
    assert losses["int16x8"] < 0.5 * losses["int8"]


def test_the_file_says_what_it_is(quantised):
    _, graphs, _ = quantised("gru")
    graph = read_tflite(write_tflite(graphs["int16x8"]))
    assert code_type(graph) == np.int16
    for tensor in graph.tensors:
        if tensor.data is None:
            assert tensor.dtype == "int16" and int(tensor.quantization.zero_points[0]) == 0
        elif tensor.name.endswith("/bias"):
            assert tensor.dtype == "int64"
        elif tensor.name.endswith("/weights"):
            assert tensor.dtype == "int8"
    versions = {operator.kind: operator.version for operator in graph.operators}
    assert versions["FULLY_CONNECTED"] == 7 and versions["LOGISTIC"] == versions["TANH"] == 3


@pytest.mark.parametrize("architecture", ALL)
def test_c_has_the_bits_of_tflite_micro(quantised, architecture, tmp_path):
    _, graphs, windows = quantised(architecture)
    graph = graphs["int16x8"]
    path = tmp_path / "student_int16x8.tflite"
    path.write_bytes(write_tflite(graph))
    host = HostModel(path)
    coded, _ = quantize(np.stack(windows), *pressure_code(graph), np.int16)
    coded = coded.reshape(len(windows), host.info.plan.samples if host.modes & 1 else -1, *coded.shape[2:])
    wild = np.random.default_rng(1).integers(-32768, 32768, coded.shape).astype(np.int16)
    links = []
    if host.modes & 1:
        links.append(check_window(path, host, np.concatenate([coded, wild])))
    if host.modes & 2:
        links += [check_stream(path, host, walk) for walk in (coded[0], wild[0])]
    assert links and all(link.ok for link in links)


@pytest.mark.parametrize(
    ("architecture", "spec"), [("dstcn", "native:"), ("dstcn", "virtual:nrf52840dk"), ("gru", "native:")]
)
def test_a_board_has_the_bits_of_the_host(quantised, architecture, spec, tmp_path):
    _, graphs, _ = quantised(architecture)
    path = tmp_path / "student_int16x8.tflite"
    path.write_bytes(write_tflite(graphs["int16x8"]))
    host = HostModel(path)
    wild = np.random.default_rng(2).integers(-32768, 32768, (48, 4)).astype(np.int16)
    with Device(open_port(spec, model=path)) as device:
        assert device.info.value_bytes == 2
        links = [board_link(device, host, [wild], mode="stream")]
        if architecture != "gru":
            links.append(board_link(device, host, [wild], mode="window"))
    assert all(link.ok and link.outputs == 48 for link in links)
