# SPDX-License-Identifier: Apache-2.0
"""The same float graph by TensorFlow's converter: accuracy, operators and size beside ours.

TensorFlow may live in an environment of its own (EDGEGRF_TENSORFLOW names its python): its pins of numpy are
others than tflite-micro's, and nothing of it is imported here.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgegrf.errors import EdgegrfError, MissingToolError, UnsupportedError
from edgegrf.export.accuracy import Runner, coded_estimates, rmse
from edgegrf.export.lowered import Lowered
from edgegrf.export.windows import Piece
from edgegrf.graph.model import STATE_PREFIX
from edgegrf.graph.reader import read_tflite
from edgegrf.process import ToolFailedError, run

__all__ = ["PYTHON", "cross_check"]

#: the environment variable that names the python with tensorflow
PYTHON = "EDGEGRF_TENSORFLOW"

_CONVERT = Path(__file__).with_name("tensorflow_convert.py")


def cross_check(
    lowered: Lowered, watched: Sequence[Piece], pieces: Sequence[Piece], runner: Runner
) -> dict[str, Any]:
    """{"tool", "bytes", "operators", "rmse_bw" (None where it cannot be run as it is), "note"}.

    Calibrated on the windows `watched`, as ours is; measured on `pieces` by `runner`.  Raises
    MissingToolError
    without tensorflow, UnsupportedError for a graph that is not built for it here.
    """
    from edgegrf.export.twin import can_follow

    what = "--cross-check cannot convert this model"
    if any(name.startswith(STATE_PREFIX) for name in lowered.inputs):
        raise UnsupportedError(what, why="a step model: the converter gives a state's two ends two scales")
    if not can_follow(lowered):
        raise UnsupportedError(what, why="it has operators that are not built for TensorFlow here")
    with tempfile.TemporaryDirectory(prefix="edgegrf-") as name:
        folder = Path(name)
        _write(lowered, watched, folder)
        _convert(folder)
        data = (folder / "model.tflite").read_bytes()
        tool = f"TensorFlow {(folder / 'version.txt').read_text()}"
    found: dict[str, Any] = {"tool": tool, "bytes": len(data), "operators": {}, "rmse_bw": None, "note": ""}
    try:
        graph = read_tflite(data)
        found["operators"] = dict(sorted(Counter(one.kind for one in graph.operators).items()))
        found["rmse_bw"] = rmse(coded_estimates(runner, data, graph, pieces), pieces)[0]
    except EdgegrfError as error:
        found["note"] = f"its model does not run here: {error.what}"
    return found


def _write(lowered: Lowered, watched: Sequence[Piece], folder: Path) -> None:
    nodes, arrays = [], {}
    for i, node in enumerate(lowered.nodes):
        named = {"kind": node.kind, "inputs": node.inputs, "output": node.output}
        nodes.append({**named, "options": dict(node.options)})
        if node.weights is not None and node.bias is not None:
            arrays[f"weights_{i}"], arrays[f"bias_{i}"] = node.weights, node.bias
    [source] = lowered.inputs
    shape = lowered.shapes[source]
    arrays["given_0"] = np.stack([piece.x.reshape(shape) for piece in watched]).astype(np.float32)
    graph = {
        "inputs": list(lowered.inputs),
        "outputs": list(lowered.outputs),
        "shapes": {name: list(lowered.shapes[name]) for name in lowered.inputs},
        "nodes": nodes,
    }
    (folder / "graph.json").write_text(json.dumps(graph))
    np.savez(folder / "arrays.npz", **arrays)


def _convert(folder: Path) -> None:
    python = os.environ.get(PYTHON, sys.executable)
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    fix = f"pip install 'edgegrf[tensorflow]', or set {PYTHON} to a python that has it"
    found = run([python, "-c", "import tensorflow"], env=quiet, check=False)
    if found.code:
        raise MissingToolError("tensorflow is not installed", fix=fix)
    try:
        run([python, str(_CONVERT), str(folder)], env=quiet)
    except ToolFailedError as error:
        raise UnsupportedError("TensorFlow's converter refuses the model", why=error.why) from error
