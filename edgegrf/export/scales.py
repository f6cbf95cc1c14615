# SPDX-License-Identifier: Apache-2.0
"""Tensors that must have one scale because they are joined: who shares, and who cannot and is requantised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from edgegrf.export.lowered import SAME_SCALE, Lowered, Node
from edgegrf.graph.model import NEXT_SUFFIX

__all__ = ["requantised", "shared_ranges"]

_PRESCRIBED = ("LOGISTIC", "SOFTMAX", "TANH")  # kinds whose output has a scale of TFLite's choice
_JOINING = "CONCATENATION"


def requantised(lowered: Lowered) -> Lowered:
    """`lowered` with a QUANTIZE before each join of a tensor that has its scale from elsewhere, or whose
    codes end where it is clipped: a wider scale would undo that."""
    owners = _owners(lowered)
    bound = {*lowered.inputs, *(name for name in lowered.outputs if name.endswith(NEXT_SUFFIX))}
    bound |= {node.output for node in lowered.nodes if node.kind in _PRESCRIBED or "limits" in node.options}
    shapes, observed, nodes = dict(lowered.shapes), dict(lowered.observed), list[Node]()
    for node in lowered.nodes:
        inputs = list(node.inputs)
        for slot, name in enumerate(node.inputs):
            if node.kind != _JOINING or not owners[name] & bound:
                continue
            inputs[slot] = f"{name}/requantised"
            if inputs[slot] not in shapes:
                nodes.append(Node("QUANTIZE", [name], inputs[slot], place=node.place))
                shapes[inputs[slot]], observed[inputs[slot]] = shapes[name], observed[name]
        nodes.append(replace(node, inputs=inputs))
    return replace(lowered, nodes=tuple(nodes), shapes=shapes, observed=observed)


def shared_ranges(
    lowered: Lowered, ranges: Mapping[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """`ranges` with those of tensors that are joined made one that covers them all."""
    owners = _owners(lowered)
    groups: list[set[str]] = []
    for node in lowered.nodes:
        if node.kind == _JOINING:
            group = set(owners[node.output])
            for other in [other for other in groups if other & group]:
                groups.remove(other)
                group |= other
            groups.append(group)
    shared = dict(ranges)
    for group in groups:
        ends = [ranges[name] for name in group]
        shared |= dict.fromkeys(group, (min(low for low, _ in ends), max(high for _, high in ends)))
    return shared


def _owners(lowered: Lowered) -> dict[str, set[str]]:
    """Tensor -> the tensors whose scale it has: its own, or those behind operators that keep the scale."""
    owners = {name: {name} for name in lowered.inputs}
    for node in lowered.nodes:
        passed = node.kind in SAME_SCALE
        owners[node.output] = (
            set().union(*(owners[name] for name in node.inputs)) if passed else {node.output}
        )
    return owners
