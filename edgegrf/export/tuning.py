# SPDX-License-Identifier: Apache-2.0
"""Choosing how to quantise by what it costs: int8 against float on calibration pieces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgegrf.export.accuracy import Int8Runner, float_estimates, int8_estimates
from edgegrf.export.calibration import METHODS, Observed, observe
from edgegrf.export.lowered import Lowered
from edgegrf.export.quantise import quantise
from edgegrf.export.windows import Piece
from edgegrf.graph.model import Graph
from edgegrf.graph.writer import write_tflite
from edgegrf.progress import Progress, silent

__all__ = ["CALIBRATIONS", "Quantised", "quantise_best"]

#: "auto" tries every method and keeps the one that loses least
CALIBRATIONS = ("auto", *METHODS)

_JUDGED_ON = 24  # pieces that the methods are compared on


@dataclass(frozen=True)
class Quantised:
    """An int8 model, how its ranges were chosen, and its RMS distance from float on calibration pieces."""

    method: str
    graph: Graph
    data: bytes
    loss: float


def quantise_best(
    model: Any,
    lowered: Lowered,
    pieces: Sequence[Piece],
    run: Int8Runner,
    *,
    calibration: str = "auto",
    description: str = "",
    progress: Progress = silent,
) -> Quantised:
    """Watch the simplified ONNX `model` on `pieces` and quantise by the method that loses least."""
    seen = observe(model, lowered, [piece.x for piece in pieces], progress)
    judged = pieces[:: max(1, len(pieces) // _JUDGED_ON)]
    reference = float_estimates(model, judged)
    methods = list(METHODS) if calibration == "auto" else [calibration]
    found = []
    for index, method in enumerate(methods):
        graph = quantise(lowered, _ranges(lowered, seen, method), description)
        data = write_tflite(graph)
        error = int8_estimates(run, data, graph, judged) - reference
        found.append(Quantised(method, graph, data, float(np.sqrt(np.mean(error.astype(np.float64) ** 2)))))
        progress("quantise", index + 1, len(methods))
    return min(found, key=lambda candidate: candidate.loss)


def _ranges(
    lowered: Lowered, seen: Mapping[str, Observed], method: str
) -> dict[str, tuple[float, float]]:
    """By `method` inside; what goes in and comes out, states too, is never clipped below what was seen."""
    ends = {id(seen[tensor]) for tensor in (*lowered.inputs, *lowered.outputs)}
    return {
        tensor: METHODS["minmax" if id(observed) in ends else method](observed)
        for tensor, observed in seen.items()
    }
