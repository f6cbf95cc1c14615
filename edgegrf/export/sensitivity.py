# SPDX-License-Identifier: Apache-2.0
"""What each tensor and each layer's weights cost: one of them as integers, all the rest in float."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from edgegrf.errors import UnsupportedError
from edgegrf.export.accuracy import rmse
from edgegrf.export.lowered import Lowered, Node
from edgegrf.export.quantise import own_tensors
from edgegrf.export.tuning import Quantised
from edgegrf.export.twin import Twin, can_follow
from edgegrf.export.windows import Piece
from edgegrf.graph.model import STATE_PREFIX
from edgegrf.progress import Progress, silent

__all__ = ["Cost", "explain"]

_FEWEST_PIECES = 24
_MAC_BUDGET = 300_000_000  # of one run: a tenth of a second or two
_MOST_WALKS = 4  # of a step model
#: of the RMSE; the figure itself is known to a few percent, 5 % of the shipped student's (docs/export.md)
_NEGLIGIBLE = 0.01
_MUCH = 0.15  # a share of the loss that is worth a line of advice
_UNEVEN = 16.0  # channels' ranges that differ by more than this share a scale badly
_RARE = 3.0  # a range that reaches this many times beyond 99.9 % of its values


@dataclass(frozen=True)
class Cost:
    """One tensor's codes, or one layer's weights, with all the rest in float.

    `increase` is that of the task's RMSE; `distance_bw` the RMS distance from the float estimates, whose
    square adds up over independent causes: `share` is of that sum.  `uneven` is the largest ratio of two
    channels' peaks, `rare` how far the range reaches beyond 99.9 % of the values; 0 for weights.
    """

    name: str
    place: str
    kind: str
    what: str  # "activations" or "weights"
    rmse_bw: float
    increase: float
    distance_bw: float
    share: float
    sqnr_db: float | None
    uneven: float = 0.0
    rare: float = 0.0


def explain(best: Quantised, pieces: Sequence[Piece], progress: Progress = silent) -> dict[str, Any]:
    """The record of `edgegrf export --explain`: totals, every cost from the largest on, and advice.

    Raises UnsupportedError for a graph that cannot be followed in float.
    """
    if not can_follow(best.equal):
        raise UnsupportedError("--explain cannot follow this model", why="an operator has no float twin here")
    with torch.no_grad():
        trial = _Trial(best, pieces)
        costs = []
        for count, cost in enumerate(trial.costs()):
            costs.append(cost)
            progress("explain", count + 1, trial.count)
        totals = trial.totals()
    whole = sum(cost.distance_bw**2 for cost in costs) or 1.0
    shared = [Cost(**{**asdict(cost), "share": cost.distance_bw**2 / whole}) for cost in costs]
    shared.sort(key=lambda cost: -cost.share)
    return {
        "scheme": best.scheme.name,
        "samples": sum(piece.stop - piece.start for piece in trial.pieces),
        **totals,
        "costs": [asdict(cost) for cost in shared],
        "advice": _advice(best, totals, shared),
    }


class _Trial:
    """The float model on some pieces, and what becomes of its estimates when a part of it is rounded."""

    def __init__(self, best: Quantised, pieces: Sequence[Piece]) -> None:
        self.best, self.lowered = best, best.equal
        self.step = any(name.startswith(STATE_PREFIX) for name in self.lowered.inputs)
        affordable = _MAC_BUDGET // max(self.lowered.macs, 1)
        most = _MOST_WALKS if self.step else max(_FEWEST_PIECES, affordable)
        self.pieces = list(pieces)[:: max(1, -(-len(pieces) // most))]
        self.pressure = torch.from_numpy(np.stack([piece.x for piece in self.pieces]))
        self.tensors = own_tensors(self.lowered, best.scheme) + tuple(
            node.output for node in self.lowered.nodes if node.kind in best.scheme.fixed
        )
        self.layers = [i for i, node in enumerate(self.lowered.nodes) if node.weights is not None]
        self.count = len(self.tensors) + len(self.layers)
        self.twin = _exact(self.lowered, best)
        self.values = {} if self.step else self.twin.values(self._given())
        self.float: Tensor = self.twin(self.pressure)
        self.base = self._rmse(self.float)

    def costs(self) -> Iterator[Cost]:
        """The cost of each tensor's codes, then of each layer's weights."""
        makers = {node.output: node for node in self.lowered.nodes}
        for name in self.tensors:
            self.twin.exact.discard(name)
            node = makers.get(name)
            yield self._cost(name, node, "activations", self._again(name), **self._codes(name))
            self.twin.exact.add(name)
        for i in self.layers:
            node = self.lowered.nodes[i]
            self.twin.take(i, self.best.lowered.nodes[i])
            self.twin.exact_weights.discard(node.output)
            yield self._cost(node.output, node, "weights", self._again(node.output), sqnr_db=self._coded(i))
            self.twin.exact_weights.add(node.output)
            self.twin.take(i, node)

    def totals(self) -> dict[str, float]:
        """RMSE in float and with all weights, all activations and everything rounded."""
        rounded = Twin(self.best.lowered, self.best.ranges, self.best.scheme)
        everything = self._rmse(rounded(self.pressure))
        rounded.exact.update(self.lowered.shapes)
        weights = self._rmse(rounded(self.pressure))
        activations = _exact(self.lowered, self.best)
        activations.exact.clear()
        return {
            "float_rmse_bw": self.base,
            "rmse_bw": everything,
            "weights_rmse_bw": weights,
            "activations_rmse_bw": self._rmse(activations(self.pressure)),
        }

    def _given(self) -> dict[str, Tensor]:
        [source] = self.lowered.inputs
        return {source: self.pressure.reshape(len(self.pressure), *self.lowered.shapes[source][1:])}

    def _again(self, name: str) -> Tensor:
        """The estimates with what was changed at tensor `name`; only what hangs on it is computed."""
        if self.step:
            stepped: Tensor = self.twin(self.pressure)
            return stepped
        late = {name}
        for node in self.lowered.nodes:
            if late & {*node.inputs}:
                late.add(node.output)
        known = {key: value for key, value in self.values.items() if key not in late}
        if name in self.lowered.inputs:
            known = {name: self.twin.rounded(name, self.values[name])}
        force = self.lowered.outputs[0]
        again: Tensor = self.twin.values(known, known=known)[force].reshape(self.float.shape)
        return again

    def _cost(self, name: str, node: Node | None, what: str, estimates: Tensor, **more: Any) -> Cost:
        reached = self._rmse(estimates)
        distance = float(torch.sqrt(torch.mean((estimates - self.float).double() ** 2)))
        place = (node.place if node else "") or name
        kind = node.kind if node else "INPUT"
        return Cost(name, place, kind, what, reached, reached / self.base - 1, distance, 0.0, **more)

    def _rmse(self, estimates: Tensor) -> float:
        return rmse(estimates.numpy(), self.pieces)[0]

    def _codes(self, name: str) -> dict[str, float | None]:
        """How well a tensor's values fit its codes."""
        if self.step:
            return {"sqnr_db": None}
        value = self.values[name].double()
        coded = self.twin.rounded(name, self.values[name]).double()
        peaks = value.abs().reshape(-1, value.shape[-1]).amax(0)
        lively = peaks[peaks > 0]
        common = float(torch.quantile(value.abs().reshape(-1)[:1_000_000], 0.999))
        return {
            "sqnr_db": _decibel(value, coded - value),
            "uneven": float(lively.max() / lively.min()) if len(lively) else 0.0,
            "rare": float(peaks.max()) / common if common > 0 else 0.0,
        }

    def _coded(self, i: int) -> float | None:
        """SQNR of a layer's weights as they are in the model."""
        weights = torch.tensor(self.lowered.nodes[i].weights).double()
        [coded, _], _ = self.twin.constants(i)
        return _decibel(weights, coded.double() - weights)


def _exact(lowered: Lowered, best: Quantised) -> Twin:
    """The twin that rounds nothing."""
    twin = Twin(lowered, best.ranges, best.scheme)
    twin.exact.update(lowered.shapes)
    twin.exact_weights.update(node.output for node in lowered.nodes)
    return twin


def _decibel(signal: Tensor, noise: Tensor) -> float | None:
    power = float(torch.mean(noise**2))
    return 10 * math.log10(float(torch.mean(signal**2)) / power) if power > 0 else None


def _advice(best: Quantised, totals: dict[str, float], costs: Sequence[Cost]) -> list[str]:
    """What to try, in words, from the largest cost on; that there is nothing to do where little is lost."""
    base = totals["float_rmse_bw"]
    loss = totals["rmse_bw"] / base - 1
    if loss <= _NEGLIGIBLE:
        return [f"{best.scheme.name} changes the RMSE by {100 * loss:+z.1f} %: nothing to do below +1 %."]
    weights, activations = (totals[f"{what}_rmse_bw"] / base - 1 for what in ("weights", "activations"))
    lines = []
    if best.scheme.name == "int8" and activations > max(_NEGLIGIBLE, weights):
        lines.append(
            f"Activations cost {100 * activations:+.1f} %, weights {100 * weights:+.1f} %: --quantize int16x8"
            f" would leave about {100 * weights:+.1f} %."
        )
    for cost in costs[:3]:
        if cost.share < _MUCH:
            continue
        lines.append(f"{cost.place} ({cost.what}) makes {100 * cost.share:.0f} % of the loss{_why(cost)}.")
    lines.append("edgegrf train --from STUDENT.pt --qat 5 trains with the rounding in place.")
    return lines


def _why(cost: Cost) -> str:
    if cost.what == "weights":
        return ": its weights span too much for one scale an output; weight decay or --qat narrows them"
    if cost.uneven > _UNEVEN:
        return f": its channels' ranges differ {cost.uneven:.0f}-fold under one scale"
    if cost.rare > _RARE:
        return f": rare values stretch its range {cost.rare:.1f}-fold; try --calibration mse or percentile"
    ratio = "" if cost.sqnr_db is None else f" {cost.sqnr_db:.0f} dB in its codes;"
    return f":{ratio} noise in training (step_noise of --config) or --qat hardens it"
