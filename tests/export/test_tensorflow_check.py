# SPDX-License-Identifier: Apache-2.0
"""`--cross-check tensorflow`: the other converter's model of the same graph runs and is near float too."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from edgegrf.errors import MissingToolError, UnsupportedError
from edgegrf.export.accuracy import float_estimates
from edgegrf.export.tensorflow_check import PYTHON, cross_check
from edgegrf.export.windows import Piece
from edgegrf.parity.onnx_int8 import run_tflm


@pytest.fixture(scope="module")
def tensorflow():
    python = os.environ.get(PYTHON, sys.executable)
    if subprocess.run([python, "-c", "import tensorflow"], capture_output=True, check=False).returncode:
        pytest.skip(f"tensorflow is not installed; {PYTHON} names a python that has it")


def pieces_of(net, pressure):
    interface = net.student.interface
    windows = [pressure(interface.window, len(interface.sensors), seed) for seed in range(8)]
    blank = np.zeros((interface.window, len(interface.outputs)), np.float32)
    exact = float_estimates(net.simple, [Piece(x, blank, 700.0, 0, len(x)) for x in windows])
    return [
        Piece(x, np.broadcast_to(y, blank.shape), 700.0, 0, len(x))
        for x, y in zip(windows, exact, strict=True)
    ]


@pytest.mark.parametrize("architecture", ["dstcn", "wrn"])
def test_tensorflows_model_of_the_same_graph_runs(nets, pressure, architecture, tensorflow):
    net = nets(architecture)
    pieces = pieces_of(net, pressure)
    found = cross_check(net.lowered, pieces, pieces, run_tflm)
    assert found["tool"].startswith("TensorFlow 2") and found["bytes"] > 1000
    assert found["operators"]["CONV_2D"] == sum(node.kind == "CONV_2D" for node in net.lowered.nodes)
    spread = max(piece.y.max() for piece in pieces) - min(piece.y.min() for piece in pieces)
    assert 0 < found["rmse_bw"] < 0.1 * spread


def test_a_step_model_is_refused(nets):
    with pytest.raises(UnsupportedError, match="cross-check"):
        cross_check(nets("gru").lowered, [], [], run_tflm)


def test_without_tensorflow_it_says_what_to_do(nets, pressure, monkeypatch, tmp_path):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setenv(PYTHON, str(python))
    net = nets("dstcn")
    pieces = pieces_of(net, pressure)
    with pytest.raises(MissingToolError, match="tensorflow is not installed") as caught:
        cross_check(net.lowered, pieces, pieces, run_tflm)
    assert PYTHON in caught.value.fix
