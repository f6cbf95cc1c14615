# SPDX-License-Identifier: Apache-2.0
"""Choosing how to quantise by what it costs: integers against float on calibration pieces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgegrf.export.accuracy import Runner, coded_estimates, float_estimates, is_step
from edgegrf.export.calibration import METHODS, Observed, observe
from edgegrf.export.equalise import can_equalise, equalise
from edgegrf.export.lowered import SAME_SCALE, Lowered
from edgegrf.export.quantise import quantise
from edgegrf.export.scheme import INT8, Scheme
from edgegrf.export.windows import Piece
from edgegrf.graph.model import STATE_PREFIX, Graph
from edgegrf.graph.writer import write_tflite
from edgegrf.progress import Progress, silent

__all__ = ["CALIBRATIONS", "Quantised", "quantise_best"]

#: "auto" tries every method and keeps the one that loses least
CALIBRATIONS = ("auto", *METHODS)

_JUDGED_ON = 24  # pieces that the candidates are compared on
_FIRST_METHOD = "mse"  # what the strength of the equalisation is chosen with


@dataclass(frozen=True)
class Quantised:
    """An integer model, how it was made, and its RMS distance from float on calibration pieces."""

    method: str
    equalised: float
    corrected: bool
    graph: Graph
    data: bytes
    loss: float
    scheme: Scheme
    states: str  # the method for what a step model keeps


def quantise_best(
    model: Any,
    lowered: Lowered,
    pieces: Sequence[Piece],
    run: Runner,
    calibration: str = "auto",
    description: str = "",
    progress: Progress = silent,
    scheme: Scheme = INT8,
) -> Quantised:
    """Watch the simplified ONNX `model` on `pieces`, and equalise and quantise it as loses least."""
    seen = observe(model, lowered, [piece.x for piece in pieces], progress)
    judged = pieces[:: max(1, len(pieces) // _JUDGED_ON)]
    reference = float_estimates(model, judged)

    def quantised(method: str, strength: float, corrected: bool = False, states: str = "minmax") -> Quantised:
        equal, scaled = equalise(lowered, seen, strength)
        means = {name: scaled[name].means(lowered.shapes[name][-1]) for name in scaled} if corrected else None
        ranges = _ranges(equal, scaled, method, states)
        graph = quantise(equal, ranges, means, description, scheme)
        data = write_tflite(graph)
        error = coded_estimates(run, data, graph, judged).astype(np.float64) - reference
        loss = float(np.sqrt(np.mean(error**2)))
        return Quantised(method, strength, corrected, graph, data, loss, scheme, states)

    if scheme.symmetric and calibration == "auto":  # 16 bits have room for what was seen
        calibration = "minmax"
    first = _FIRST_METHOD if calibration == "auto" else calibration
    best = min((quantised(first, strength) for strength in _strengths(lowered)), key=_loss)
    progress("quantise", 1, 3)
    if calibration == "auto":
        others = [quantised(method, best.equalised) for method in METHODS if method != first]
        best = min([best, *others], key=_loss)
        if is_step(best.graph):  # a cell that rarely runs far is better clipped than coarse
            others = [quantised(best.method, best.equalised, states=how) for how in METHODS]
            best = min([best, *others], key=_loss)
    progress("quantise", 2, 3)
    corrected = quantised(best.method, best.equalised, corrected=True, states=best.states)
    best = min([best, corrected], key=_loss)
    progress("quantise", 3, 3)
    return best


def _loss(candidate: Quantised) -> float:
    return candidate.loss


def _strengths(lowered: Lowered) -> tuple[float, ...]:
    """How far to equalise: to be tried where there is something to equalise."""
    return (0.0, 0.5, 1.0) if can_equalise(lowered) else (0.0,)


def _ranges(
    lowered: Lowered, seen: Mapping[str, Observed], method: str, states: str
) -> dict[str, tuple[float, float]]:
    """By `method` inside and `states` from step to step; what goes in and comes out is never clipped below
    what was seen."""
    ends = (*lowered.inputs, *lowered.outputs)
    methods = {id(seen[tensor]): states if tensor.startswith(STATE_PREFIX) else "minmax" for tensor in ends}
    own = {node.output for node in lowered.nodes if node.kind not in SAME_SCALE}
    return {
        tensor: METHODS[methods.get(id(seen[tensor]), method)](seen[tensor])
        for tensor in sorted(own.union(ends))
    }
