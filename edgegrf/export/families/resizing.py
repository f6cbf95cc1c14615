# SPDX-License-Identifier: Apache-2.0
"""Resize to a whole multiple by repeating: RESIZE_NEAREST_NEIGHBOR."""

from __future__ import annotations

from edgegrf.export.arrange import channels_last
from edgegrf.export.layout import Atom
from edgegrf.export.lowered import Node
from edgegrf.export.lowering import Lowering, OnnxNode

__all__ = ["HANDLERS", "REPLACEMENTS"]

_FIX = "nn.Upsample(scale_factor=2), or another whole number"


def _resize(lowering: Lowering, node: OnnxNode) -> None:
    if node.attributes.get("mode", b"nearest") != b"nearest":
        lowering.refuse(node, "it interpolates", _FIX)
    value, source, (batch, height, width, channels) = channels_last(lowering, node, lowering.value(node))
    rank = len(value.layout.dims)
    factors = _factors(lowering, node, rank, value.layout.shape)
    sizes = [1] * (4 - rank) + factors[2:]
    shape = (batch, height * sizes[0], width * sizes[1], channels)
    options = {"align_corners": 0, "half_pixel_centers": 0, "vectors": {"size": shape[1:3]}}
    made = Node("RESIZE_NEAREST_NEIGHBOR", [source], node.outputs[0], options, place=node.place)
    tensor = lowering.emit(made, shape, node.outputs[0])
    spatial = [Atom(size) for size in shape[1:3][4 - rank :]]
    inner = value.layout.dims[1]
    tail = [atom for atom in value.layout.order if atom in inner]
    dims = [value.layout.dims[0], inner, *((atom,) for atom in spatial)]
    lowering.bind(node.outputs[0], tensor, dims, [*value.layout.real(0), *spatial, *tail])


def _factors(lowering: Lowering, node: OnnxNode, rank: int, shape: tuple[int, ...]) -> list[int]:
    """How often each dimension's values are repeated."""
    scales, sizes = lowering.constant(node, 2), lowering.constant(node, 3)
    if scales is not None and scales.size == rank:
        given = [float(scale) for scale in scales]
    elif sizes is not None and sizes.size == rank:
        given = [float(size) / old for size, old in zip(sizes, shape, strict=True)]
    else:
        lowering.refuse(node, "its sizes are computed", _FIX)
    factors = [round(factor) for factor in given]
    repeats = all(abs(f - g) < 1e-6 and f >= 1 for f, g in zip(factors, given, strict=True))
    if not repeats or factors[:2] != [1, 1] or not _floors(node):
        lowering.refuse(node, f"it scales by {given}", _FIX)
    return factors


def _floors(node: OnnxNode) -> bool:
    """True where every output copies the input that it lies in."""
    rounding = node.attributes.get("nearest_mode", b"round_prefer_floor")
    where = node.attributes.get("coordinate_transformation_mode", b"half_pixel")
    return (rounding == b"floor" and where == b"asymmetric") or (
        rounding in (b"round_prefer_floor", b"round_prefer_ceil") and where == b"half_pixel"
    )


HANDLERS = {"Resize": _resize}
REPLACEMENTS = {"Upsample": _FIX}
