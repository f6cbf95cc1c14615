# SPDX-License-Identifier: Apache-2.0
"""A lowered graph as a torch module whose forward is the integer model's, on real numbers and trainable.

Every tensor is rounded to its codes and read back, weights and biases too; rounding passes gradients
straight through (Bengio et al. 2013, arXiv:1308.3432), clipping passes them to the range's ends (Choi et al.
2018, arXiv:1805.06085).  What is not to be rounded can be left exact, tensor by tensor and layer by layer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from edgegrf.errors import UnsupportedError
from edgegrf.export.lowered import SAME_SCALE, Lowered, Node
from edgegrf.export.quantise import channel_axis, own_tensors, weight_scales
from edgegrf.export.scheme import INT8, Range, Scheme
from edgegrf.export.twin_operators import OPERATORS, keeps_batch
from edgegrf.export.twin_pass import Pass, Watch
from edgegrf.graph.model import NEXT_SUFFIX, STATE_PREFIX

__all__ = ["Twin", "can_follow"]

Doubles = NDArray[np.float64]


def can_follow(lowered: Lowered) -> bool:
    """True if a Twin knows all operators of the graph."""
    return all(
        node.kind in OPERATORS
        and ("constant" not in node.options or node.kind == "PRELU")
        and keeps_batch(node, lowered.shapes)
        for node in lowered.nodes
    )


class Twin(nn.Module):
    """The integer model of `lowered` with activations covering `ranges`.

    forward: pressure [N, T, C] to force [N, E, K]; a step model starts each of the N from its reset.
    Names in `exact` (tensors) and `exact_weights` (a layer's output) are not rounded.  In int8 its codes
    are the integer model's, in int16x8 within a few of 65536.
    """

    def __init__(
        self,
        lowered: Lowered,
        ranges: Mapping[str, Range],
        scheme: Scheme = INT8,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        if not can_follow(lowered):
            strange = sorted({node.kind for node in lowered.nodes} - OPERATORS.keys())
            raise UnsupportedError(
                f"{', '.join(strange) or 'an operator that mixes windows'} cannot be followed in torch here",
                why=f"known: {', '.join(sorted(OPERATORS))}",
            )
        self.lowered, self.scheme, self.dtype = lowered, scheme, dtype
        self.exact: set[str] = set()
        self.exact_weights: set[str] = set()
        self._tensors = own_tensors(lowered, scheme)
        self._same_as = {node.output: node.inputs[0] for node in lowered.nodes if node.kind in SAME_SCALE}
        self._layers = {node.output: i for i, node in enumerate(lowered.nodes) if node.weights is not None}
        self.weights = nn.ParameterDict()
        self.biases = nn.ParameterDict()
        for name, i in self._layers.items():
            node = lowered.nodes[i]
            assert node.weights is not None and node.bias is not None, name
            self.weights[str(i)] = nn.Parameter(torch.tensor(node.weights, dtype=dtype))
            self.biases[str(i)] = nn.Parameter(torch.tensor(node.bias, dtype=dtype))
        ends = [_with_its_twin(name, ranges) for name in self._tensors]
        #: the ends of each tensor's range, [tensors, 2], in the order of `own_tensors`
        self.ends = nn.Parameter(torch.tensor(ends, dtype=dtype).reshape(-1, 2))
        self._row = {name: row for row, name in enumerate(self._tensors)}
        for name in lowered.outputs:  # one range going in and coming out
            if name.endswith(NEXT_SUFFIX):
                self._row[name] = self._row[name.removesuffix(NEXT_SUFFIX)]

    # --- what it learnt

    def ranges(self) -> dict[str, Range]:
        """Tensor -> range, as the forward takes them."""
        ends = self.ends.detach().double().tolist()
        return {name: (ends[row][0], ends[row][1]) for name, row in self._row.items()}

    def trained(self) -> Lowered:
        """The lowered graph with the weights as they are now."""
        nodes = list(self.lowered.nodes)
        for i in self._layers.values():
            weights = self.weights[str(i)].detach().numpy().astype(np.float32)
            bias = self.biases[str(i)].detach().numpy().astype(np.float32)
            nodes[i] = replace(nodes[i], weights=weights, bias=bias)
        return replace(self.lowered, nodes=tuple(nodes))

    def take(self, i: int, node: Node) -> None:
        """Put another layer of the same shape in place of layer `i`."""
        nodes = (*self.lowered.nodes[:i], node, *self.lowered.nodes[i + 1 :])
        self.lowered = replace(self.lowered, nodes=nodes)
        with torch.no_grad():
            self.weights[str(i)].copy_(torch.tensor(node.weights))
            self.biases[str(i)].copy_(torch.tensor(node.bias))

    # --- running

    def forward(self, pressure: Tensor) -> Tensor:
        return self.run(pressure)

    def run(self, pressure: Tensor, watch: Watch | None = None) -> Tensor:
        """forward; `watch` hears the number and the input of each layer before that is computed.

        A step model's layers come many times, and nobody watches them.
        """
        states = [name for name in self.lowered.inputs if name.startswith(STATE_PREFIX)]
        source = next(name for name in self.lowered.inputs if name not in states)
        force = next(name for name in self.lowered.outputs if not name.startswith(STATE_PREFIX))
        pressure = pressure.to(self.dtype)
        if states:
            return self._stepped(pressure, source, states, force)
        given = {source: pressure.reshape(len(pressure), *self.lowered.shapes[source][1:])}
        estimates = self.values(given, watch)[force]
        return estimates.reshape(len(pressure), -1, self.lowered.shapes[force][-1])

    def _stepped(self, pressure: Tensor, source: str, states: list[str], force: str) -> Tensor:
        """Step after step; what needs no state is computed before, and what no state needs behind them."""
        here, count = Pass(self), len(pressure)
        before, within, behind = _in_time(self.lowered, states)
        early = here.values({source: pressure.flatten(0, 1)}, before)
        wanted = {name for i in (*within, *behind) for name in self.lowered.nodes[i].inputs} & {*early}
        series = {name: early[name].reshape(count, -1, *early[name].shape[1:]) for name in wanted}
        kept = {name: pressure.new_zeros(count, *self.lowered.shapes[name][1:]) for name in states}
        told: dict[str, list[Tensor]] = {name: [] for name in self._told(within, behind, force)}
        for moment in zip(*(one.unbind(1) for one in series.values()), strict=True):
            known = dict(zip(series, moment, strict=True))
            values = here.values({**kept, **known}, within, known=known)
            for name, moments in told.items():
                moments.append(values[name])
            kept = {name: values[name + NEXT_SUFFIX] for name in states}
        late = {name: torch.stack(values, 1).flatten(0, 1) for name, values in told.items()}
        estimates = here.values(late, behind, known=late)[force]
        return estimates.reshape(count, -1, self.lowered.shapes[force][-1])

    def _told(self, within: list[int], behind: list[int], force: str) -> set[str]:
        """What a step has to keep: the force, or what the nodes `behind` the steps take from it."""
        made = {self.lowered.nodes[i].output for i in within}
        return made & {force, *(name for i in behind for name in self.lowered.nodes[i].inputs)}

    def values(
        self, given: Mapping[str, Tensor], watch: Watch | None = None, known: Collection[str] = ()
    ) -> dict[str, Tensor]:
        """Every tensor from the inputs `given` on; what is `known` is among them and not computed again.

        `watch` as in `run`.
        """
        return Pass(self).values(given, watch=watch, known=known)

    def rounded(self, name: str, value: Tensor) -> Tensor:
        """`value` as the codes of tensor `name` read back; as it is where `name` is exact."""
        return Pass(self).rounded(name, value)

    def code_of(self, name: str) -> tuple[Tensor, float]:
        """Scale and zero point of any tensor, also of one that has another's."""
        return self.code(self.origin(name))

    def code(self, name: str) -> tuple[Tensor, float]:
        """Scale (with gradients to the range) and zero point of a tensor."""
        if name in self._row:
            low, high = self.ends[self._row[name]].double().unbind()
        else:
            fixed, zero = self.scheme.fixed[self._kind(name)]
            return torch.tensor(fixed, dtype=self.dtype), float(zero)
        low, high = low.clamp(max=0.0), high.clamp(min=0.0)
        if self.scheme.symmetric:
            return (torch.maximum(-low, high) / self.scheme.steps).float().to(self.dtype), 0.0
        scale = ((high - low) / self.scheme.steps).float()
        step, least = float(scale.detach()), float(low.detach())
        if step <= 0:
            raise UnsupportedError(f"tensor '{name}' has an empty range", node=name)
        zero_point = float(np.clip(np.rint(-128 - least / step), -128, 127))
        return scale.to(self.dtype), zero_point

    def _kind(self, name: str) -> str:
        return next(node.kind for node in self.lowered.nodes if node.output == name)

    def scales(self, i: int) -> Tensor:
        """The scales of the int8 weights of layer `i`, one an output."""
        source = float(self.code_of(self.lowered.nodes[i].inputs[0])[0].detach())
        return torch.from_numpy(self._scales(i, source))

    def _scales(self, i: int, source: float) -> NDArray[np.float32]:
        weights, bias = (one[str(i)].detach().numpy() for one in (self.weights, self.biases))
        now = replace(self.lowered.nodes[i], weights=weights, bias=bias)
        return weight_scales(now, source * self.scheme.bias_limit)

    def origin(self, name: str) -> str:
        """The tensor whose codes `name` has."""
        while name in self._same_as:
            name = self._same_as[name]
        return name

    def multipliers(self, node: Node, scales: Doubles | None) -> Doubles | None:
        """What the integer model multiplies a sum of `node` by; None where nothing is summed in integers."""
        target = self.origin(node.output)
        sources = [self.origin(name) for name in node.inputs]
        if target in self.exact or any(name in self.exact for name in sources):
            return None
        if node.kind == "MUL":
            scales = np.array([float(self.code(sources[1])[0].detach())])
        if scales is None:
            return None
        steps = [float(self.code(name)[0].detach()) for name in (sources[0], target)]
        return scales * steps[0] / steps[1]

    def constants(self, i: int) -> tuple[tuple[Tensor, ...], Doubles | None]:
        """(weights and bias of node `i`, as its codes read back; the weights' scales); of others nothing."""
        node = self.lowered.nodes[i]
        if node.weights is None:
            return (), None
        weights, bias = self.weights[str(i)], self.biases[str(i)]
        if node.output in self.exact_weights:
            return (weights, bias), None
        source = self.origin(node.inputs[0])
        scale = float(self.code(source)[0].detach())
        axis = channel_axis(node)
        scales = self._scales(i, scale)
        each = torch.tensor(scales, dtype=self.dtype)
        along = [1] * weights.ndim
        along[axis] = -1
        shaped = each.reshape(along)
        coded = torch.round(weights.detach() / shaped).clamp(-127, 127) * shaped
        if source in self.exact:
            return (weights + (coded - weights.detach()), bias), None
        steps = each.double() * scale
        kept = (torch.round(bias.detach().double() / steps) * steps).to(self.dtype)
        rounded = weights + (coded - weights.detach()), bias + (kept - bias.detach())
        return rounded, scales.astype(np.float64)


def _with_its_twin(name: str, ranges: Mapping[str, Range]) -> Range:
    if not name.startswith(STATE_PREFIX):
        return ranges[name]
    pair = ranges[name], ranges.get(name + NEXT_SUFFIX, ranges[name])
    return min(low for low, _ in pair), max(high for _, high in pair)


def _in_time(lowered: Lowered, states: Collection[str]) -> tuple[list[int], list[int], list[int]]:
    """Nodes of a step model that need no state, those that lead from state to state, and the others."""
    moving, before = {*states}, []
    for i, node in enumerate(lowered.nodes):
        if moving.isdisjoint(node.inputs):
            before.append(i)
        else:
            moving.add(node.output)
    needed, within = {name + NEXT_SUFFIX for name in states}, []
    for i, node in reversed(list(enumerate(lowered.nodes))):
        if node.output in needed and i not in before:
            needed.update(node.inputs)
            within.append(i)
    behind = [i for i in range(len(lowered.nodes)) if i not in before and i not in within]
    return before, within[::-1], behind
