# SPDX-License-Identifier: Apache-2.0
"""Choosing how to quantise by what it costs: integers against float on calibration pieces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.export.accuracy import Runner, coded_estimates, float_estimates, is_step
from edgegrf.export.calibration import METHODS, Observed, observe
from edgegrf.export.equalise import can_equalise, equalise
from edgegrf.export.learnt import taken_over
from edgegrf.export.lowered import SAME_SCALE, Lowered
from edgegrf.export.quantise import quantise
from edgegrf.export.scales import shared_ranges
from edgegrf.export.scheme import INT8, Range, Scheme
from edgegrf.export.windows import Piece
from edgegrf.graph.model import STATE_PREFIX, Graph
from edgegrf.graph.writer import write_tflite
from edgegrf.progress import Progress, silent

__all__ = ["CALIBRATIONS", "LEARNT", "Quantised", "quantise_best", "quantise_learnt"]

#: "auto" tries every method and keeps the one that loses least
CALIBRATIONS = ("auto", *METHODS)

#: the method of ranges that were trained
LEARNT = "learnt"

_JUDGED_ON = 24  # pieces that the candidates are compared on
_FIRST_METHOD = "mse"  # what the strength of the equalisation is chosen with


@dataclass(frozen=True)
class Quantised:
    """An integer model, how it was made, and its RMS distance from float on calibration pieces.

    `rounding`: "nearest", or "layerwise" where each layer's weights were rounded together.
    """

    method: str
    equalised: float
    rounding: str
    equal: Lowered  # equalised, in float
    lowered: Lowered  # the same with its weights rounded, where they are rounded together
    ranges: Mapping[str, Range]
    graph: Graph
    data: bytes
    loss: float
    scheme: Scheme
    states: str = "minmax"  # the method for what a step model keeps


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
    """Watch the simplified ONNX `model` on `pieces`, and equalise, quantise and round it as loses least."""
    seen = observe(model, lowered, [piece.x for piece in pieces], progress)
    judged = pieces[:: max(1, len(pieces) // _JUDGED_ON)]
    trials = _Trials(lowered, seen, judged, float_estimates(model, judged), run, description, scheme)
    if scheme.symmetric and calibration == "auto":  # 16 bits have room for what was seen
        calibration = "minmax"
    first = _FIRST_METHOD if calibration == "auto" else calibration
    best = min((trials.by(first, strength) for strength in _strengths(lowered)), key=_loss)
    progress("quantise", 1, 3)
    if calibration == "auto":
        others = [trials.by(method, best.equalised) for method in METHODS if method != first]
        best = min([best, *others], key=_loss)
        if is_step(best.graph):  # a cell that rarely runs far is better clipped than coarse
            others = [trials.by(best.method, best.equalised, states) for states in METHODS]
            best = min([best, *others], key=_loss)
    progress("quantise", 2, 3)
    rounded = _rounded(best, pieces)
    if rounded is not None:
        best = min([best, trials.measured(replace(best, rounding="layerwise", lowered=rounded))], key=_loss)
    progress("quantise", 3, 3)
    return best


def quantise_learnt(
    lowered: Lowered, learnt: Mapping[str, Any], pieces: Sequence[Piece], model: Any, run: Runner, about: str
) -> Quantised:
    """The int8 model that a training with the rounding in place has left; nothing is calibrated."""
    ready, ranges = taken_over(lowered, learnt)
    judged = pieces[:: max(1, len(pieces) // _JUDGED_ON)]
    trials = _Trials(lowered, {}, judged, float_estimates(model, judged), run, about, INT8)
    nothing = Graph((), (), (), ())
    return trials.measured(Quantised(LEARNT, 0.0, LEARNT, ready, ready, ranges, nothing, b"", 0.0, INT8))


@dataclass(frozen=True)
class _Trials:
    """What all candidates share: the float model, what was seen in it, and what they are measured on."""

    lowered: Lowered
    seen: Mapping[str, Observed]
    judged: Sequence[Piece]
    reference: NDArray[np.float32]
    run: Runner
    description: str
    scheme: Scheme

    def by(self, method: str, strength: float, states: str = "minmax") -> Quantised:
        """The model with ranges by `method`, equalised by `strength`."""
        equal, scaled = equalise(self.lowered, self.seen, strength)
        ranges = _ranges(equal, scaled, method, states)
        nothing = Graph((), (), (), ())
        draft = Quantised(
            method, strength, "nearest", equal, equal, ranges, nothing, b"", 0.0, self.scheme, states
        )
        return self.measured(draft)

    def measured(self, draft: Quantised) -> Quantised:
        """The draft with its graph, its bytes and what it loses."""
        graph = quantise(draft.lowered, draft.ranges, self.description, self.scheme)
        data = write_tflite(graph)
        error = coded_estimates(self.run, data, graph, self.judged).astype(np.float64) - self.reference
        return replace(draft, graph=graph, data=data, loss=float(np.sqrt(np.mean(error**2))))


def _rounded(best: Quantised, pieces: Sequence[Piece]) -> Lowered | None:
    """The graph with its weights rounded layer by layer; None where torch cannot follow it.

    Nor for a step model: an error there comes round again, and what is best for one step was measured to be
    worse for a walk.
    """
    import torch

    from edgegrf.export.rounding import round_weights
    from edgegrf.export.twin import can_follow

    if best.graph.states or not can_follow(best.lowered):
        return None
    pressure = torch.from_numpy(np.stack([piece.x for piece in pieces]))
    return round_weights(best.lowered, best.ranges, best.scheme, pressure)


def _loss(candidate: Quantised) -> float:
    return candidate.loss


def _strengths(lowered: Lowered) -> tuple[float, ...]:
    """How far to equalise: to be tried where there is something to equalise."""
    return (0.0, 0.5, 1.0) if can_equalise(lowered) else (0.0,)


def _ranges(lowered: Lowered, seen: Mapping[str, Observed], method: str, states: str) -> dict[str, Range]:
    """By `method` inside and `states` from step to step; what goes in and comes out is never clipped below
    what was seen."""
    ends = (*lowered.inputs, *lowered.outputs)
    methods = {id(seen[tensor]): states if tensor.startswith(STATE_PREFIX) else "minmax" for tensor in ends}
    own = {node.output for node in lowered.nodes if node.kind not in SAME_SCALE}
    ranges = {
        tensor: METHODS[methods.get(id(seen[tensor]), method)](seen[tensor])
        for tensor in sorted(own.union(ends))
    }
    return shared_ranges(lowered, ranges)
