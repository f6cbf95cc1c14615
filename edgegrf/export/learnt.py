# SPDX-License-Identifier: Apache-2.0
"""What training with the rounding in place has learnt, as tensors of a checkpoint, and back into a graph.

"weights.N" and "bias.N" are the N-th weighted layer's, folded and equalised, "scales.N" those of its int8
weights; "ends" [tensors, 2] are the ranges in the order of `own_tensors`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from edgegrf.errors import ModelError
from edgegrf.export.lowered import Lowered
from edgegrf.export.quantise import own_tensors
from edgegrf.export.scheme import INT8, Range
from edgegrf.graph.model import NEXT_SUFFIX

if TYPE_CHECKING:
    from torch import Tensor

    from edgegrf.export.twin import Twin

__all__ = ["learnt_of", "taken_over"]


def learnt_of(twin: Twin) -> dict[str, Tensor]:
    """The twin's parameters under those names."""
    found = {"ends": twin.ends.detach().clone()}
    layers = [i for i, node in enumerate(twin.lowered.nodes) if node.weights is not None]
    for number, i in enumerate(layers):
        found[f"weights.{number}"] = twin.weights[str(i)].detach().clone()
        found[f"bias.{number}"] = twin.biases[str(i)].detach().clone()
        found[f"scales.{number}"] = twin.scales(i)
    return found


def taken_over(lowered: Lowered, learnt: Mapping[str, Tensor]) -> tuple[Lowered, dict[str, Range]]:
    """The graph with the learnt weights, and the learnt ranges; raises ModelError where they do not fit."""
    nodes, number = list(lowered.nodes), 0
    tensors = own_tensors(lowered, INT8)
    for i, node in enumerate(nodes):
        if node.weights is None or node.bias is None:
            continue
        weights, bias, scales = (learnt.get(f"{word}.{number}") for word in ("weights", "bias", "scales"))
        sized = [None if found is None else tuple(found.shape) for found in (weights, bias, scales)]
        if sized != [node.weights.shape, node.bias.shape, node.bias.shape]:
            raise _strange(f"layer {number} ({node.place or node.output})")
        assert weights is not None and bias is not None and scales is not None
        nodes[i] = replace(node, weights=_array(weights), bias=_array(bias), scales=_array(scales))
        number += 1
    ends = learnt.get("ends")
    if ends is None or tuple(ends.shape) != (len(tensors), 2) or len(learnt) != 3 * number + 1:
        raise _strange("its ranges")
    rows = ends.double().tolist()
    ranges = {name: (row[0], row[1]) for name, row in zip(tensors, rows, strict=True)}
    for name in lowered.outputs:
        if name.endswith(NEXT_SUFFIX):
            ranges[name] = ranges[name.removesuffix(NEXT_SUFFIX)]
    return replace(lowered, nodes=tuple(nodes)), ranges


def _array(tensor: Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.ascontiguousarray(tensor.numpy(), np.float32)


def _strange(what: str) -> ModelError:
    return ModelError(
        f"what the checkpoint learnt with the rounding in place does not fit its network: {what}",
        why="the network changed after it was trained",
        fix="edgegrf train --from STUDENT.pt --qat 5",
    )
