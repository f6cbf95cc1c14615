# SPDX-License-Identifier: Apache-2.0
"""The link ONNX ~ int8: the quantised model against the float one, in physical units, on walks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgegrf.export.accuracy import coded_estimates, float_estimates, rmse
from edgegrf.export.onnx_file import simplify
from edgegrf.export.pipeline import evaluation_pieces
from edgegrf.export.source import from_onnx
from edgegrf.export.windows import Walks
from edgegrf.graph.affine import Codes
from edgegrf.graph.model import Graph
from edgegrf.graph.reader import read_tflite
from edgegrf.manifest import Manifest
from edgegrf.parity.judge import TfliteMicro, run_steps, run_windows
from edgegrf.parity.link import INCREASE, LinkResult
from edgegrf.progress import Progress, silent

__all__ = ["RMSE_TOLERANCE", "onnx_int8", "run_tflm"]

#: how much larger the int8 model's error against the reference may be than the float one's
RMSE_TOLERANCE = 0.05


def run_tflm(model: bytes, graph: Graph, pressure: Codes, progress: Progress = silent) -> Codes:
    """pressure [N, T, C] to force [N, E, K] by tflite-micro; a step model starts each N from its reset."""
    judge = TfliteMicro(model, graph)
    results = []
    for index, piece in enumerate(pressure):
        results.append(
            run_steps(judge, graph, piece) if graph.states else run_windows(judge, graph, piece[None])[0]
        )
        progress("tflite-micro", index + 1, len(pressure))
    return np.stack(results)


def onnx_int8(
    onnx: Path,
    tflite: Path,
    walks: Walks,
    *,
    progress: Progress = silent,
) -> LinkResult:
    """Compare `onnx` in onnxruntime with `tflite` in tflite-micro on the held-out ones of `walks`.

    The link holds if the int8 model's RMSE against the reference force is within 5 % of the float one's,
    on either side, as a model that is better by more is another model; only one that was trained as int8
    may be.  Then `mismatches` is 0, else it counts all outputs.  `max_abs` is the largest distance of two
    estimates in the output's unit.
    """
    manifest = Manifest.read(tflite)
    source = from_onnx(onnx, manifest.interface)
    model = tflite.read_bytes()
    graph = read_tflite(model)
    pieces = evaluation_pieces(source, walks, int(manifest.model.get("macs", 0)))
    exact = float_estimates(simplify(source.onnx), pieces, progress)
    coded = coded_estimates(run_tflm, model, graph, pieces, progress)
    before, after = rmse(exact, pieces), rmse(coded, pieces)
    ratio = after[0] / before[0] if before[0] > 0 else float("inf")
    least = 0.0 if manifest.model.get("calibration") == "learnt" else 1 - RMSE_TOLERANCE
    unit = source.interface.output_unit
    return LinkResult(
        source="onnx",
        target=str(manifest.model.get("scheme", "int8")),
        mode="stream" if graph.states else "window",
        outputs=exact.size,
        mismatches=0 if least <= ratio <= 1 + RMSE_TOLERANCE else exact.size,
        max_abs=float(np.abs(exact - coded).max()),
        tolerance=RMSE_TOLERANCE,
        tolerance_of=INCREASE,
        increase=ratio - 1,
        unit=unit,
        note=(
            f"RMSE {before[0]:.4f} -> {after[0]:.4f} {unit} ({before[1]:.1f} -> {after[1]:.1f} N), "
            f"{100 * (ratio - 1):+z.2f} % of 5 % allowed, on {walks.source}"
        ),
        oddities=walks.oddities,
    )
