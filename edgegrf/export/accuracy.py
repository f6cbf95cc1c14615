# SPDX-License-Identifier: Apache-2.0
"""Float and integer estimates on the same pieces of walks, and their errors in BW and N."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgegrf.export.calibration import to_onnx_layout
from edgegrf.export.onnx_file import OnnxRun
from edgegrf.export.windows import Piece
from edgegrf.graph.affine import Codes, code_type, dequantize, force_code, pressure_code, quantize
from edgegrf.graph.model import NEXT_SUFFIX, STATE_PREFIX, Graph
from edgegrf.progress import Progress, silent

__all__ = [
    "Runner",
    "coded_estimates",
    "float_estimates",
    "is_step",
    "rmse",
]

Floats = NDArray[np.float32]


class Runner(Protocol):
    """Runs an integer model with the bits that count; handed in, since the judge lives above this layer."""

    def __call__(self, model: bytes, graph: Graph, pressure: Codes, progress: Progress) -> Codes:
        """pressure [N, T, C] to force [N, E, K]; a step model starts each of the N from its reset."""
        ...


def is_step(graph: Graph) -> bool:
    """True for a step model, which keeps states."""
    return bool(graph.states)


def coded_estimates(
    run: Runner, model: bytes, graph: Graph, pieces: Sequence[Piece], progress: Progress = silent
) -> Floats:
    """Force [N, E, K] by the integer model."""
    pressure, _ = quantize(np.stack([piece.x for piece in pieces]), *pressure_code(graph), code_type(graph))
    return dequantize(run(model, graph, pressure, progress), *force_code(graph)).astype(np.float32)


def float_estimates(model: Any, pieces: Sequence[Piece], progress: Progress = silent) -> Floats:
    """Force [N, E, K] by the float ONNX model, of the same pieces."""
    run = OnnxRun(model)
    shapes = {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in model.graph.input
    }
    pressure = next(name for name in run.inputs if not name.startswith(STATE_PREFIX))
    force = next(name for name in run.outputs if not name.startswith(STATE_PREFIX))
    states = {name: np.zeros(shapes[name], np.float32) for name in run.inputs if name != pressure}
    channels = pieces[0].y.shape[1]
    estimates = []
    for index, piece in enumerate(pieces):
        if states:
            estimates.append(_walk_through(run, piece.x, pressure, force, dict(states), shapes[pressure]))
        else:
            given = run({pressure: to_onnx_layout(shapes[pressure], piece.x)})[force]
            estimates.append(_time_major(given, channels))
        progress("float", index + 1, len(pieces))
    return np.stack(estimates)


def _walk_through(
    run: OnnxRun, x: Floats, pressure: str, force: str, states: dict[str, Floats], shape: list[int]
) -> Floats:
    estimates = []
    for sample in x:
        values = run({pressure: sample.reshape(shape), **states})
        states = {name: values[name + NEXT_SUFFIX] for name in states}
        estimates.append(values[force].reshape(-1))
    return np.stack(estimates)


def _time_major(force: Floats, channels: int) -> Floats:
    """[1, K, T], [1, T, K] or [1, K] as [E, K]."""
    if force.ndim == 3 and force.shape[1] == channels:
        force = force.transpose(0, 2, 1)
    return force.reshape(-1, channels)


def rmse(estimates: Floats, pieces: Sequence[Piece]) -> tuple[float, float]:
    """Root mean square error over the counted samples and all outputs: (in the output's unit, in N)."""
    total = weighted = 0.0
    count = 0
    for estimate, piece in zip(estimates, pieces, strict=True):
        period = len(piece.y) // len(estimate)
        reference = piece.y[period - 1 :: period]
        counted = slice(piece.start // period, max(piece.stop // period, 1))
        error = (estimate - reference)[counted].astype(np.float64)
        total += float(np.sum(error**2))
        weighted += float(np.sum((error * piece.body_weight_n) ** 2))
        count += error.size
    return float(np.sqrt(total / count)), float(np.sqrt(weighted / count))
