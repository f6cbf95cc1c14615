# SPDX-License-Identifier: Apache-2.0
"""ONNX dimensions as axes of a tensor, with a TRANSPOSE where memory has to move for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgegrf.export.layout import Atom, Layout
from edgegrf.export.lowered import Node
from edgegrf.export.lowering import Lowering, OnnxNode, Value

__all__ = ["Axes", "axes", "bind_axes", "channels_last", "dims_in_memory", "rearranged"]

_MOST_AXES = 5  # of TFLite Micro's TRANSPOSE


@dataclass(frozen=True)
class Axes:
    """A tensor with an axis of its own for every ONNX dimension; `order` is theirs in memory."""

    tensor: str
    shape: tuple[int, ...]
    order: tuple[int, ...]

    @property
    def place(self) -> dict[int, int]:
        """ONNX dimension -> axis."""
        lead = len(self.shape) - len(self.order)
        return {dim: lead + position for position, dim in enumerate(self.order)}


def axes(lowering: Lowering, node: OnnxNode, value: Value, order: Sequence[int] | None = None) -> Axes:
    """`value` with its dimensions apart, in `order` or as they lie; of rank 4 where there are 3 or 4."""
    layout = value.layout
    shape = layout.shape
    found = dims_in_memory(layout)
    wanted = tuple(order or found or _channels_last(len(shape)))
    if found is None or _long(found, shape) != _long(wanted, shape):
        value = rearranged(lowering, node, value, [atom for dim in wanted for atom in layout.real(dim)])
    sizes = [shape[dim] for dim in wanted]
    whole = (1,) * (4 - len(sizes) if len(sizes) > 2 else 0) + tuple(sizes)
    return Axes(lowering.view(value.tensor, whole), whole, wanted)


def bind_axes(
    lowering: Lowering, output: str, tensor: str, shape: Sequence[int], order: Sequence[int]
) -> None:
    """Say that an ONNX value of `shape` lies in `tensor`, its dimensions in `order`."""
    lowering.values[output] = Value(tensor, Layout.of(shape, order))


def dims_in_memory(layout: Layout) -> list[int] | None:
    """The dimensions as they follow each other in memory, None where one is torn or shuffled.

    Where a dimension of size 1 lies is nobody's business: it goes where channels last would have it.
    """
    dims: list[int] = []
    at = 0
    while at < len(layout.order):
        dim = next(d for d, atoms in enumerate(layout.dims) if layout.order[at] in atoms)
        real = layout.real(dim)
        if layout.order[at : at + len(real)] != real:
            return None
        dims.append(dim)
        at += len(real)
    ranks = {dim: position for position, dim in enumerate(_channels_last(len(layout.dims)))}
    for dim in sorted(set(ranks) - set(dims), key=ranks.__getitem__):
        behind = [position for position, other in enumerate(dims) if ranks[other] > ranks[dim]]
        dims.insert(min(behind, default=len(dims)), dim)
    return dims


def channels_last(
    lowering: Lowering, node: OnnxNode, value: Value, *, logical: bool = False
) -> tuple[Value, str, tuple[int, int, int, int]]:
    """ONNX [N, C, (H,) W], channels last, in any order or in ONNX's: (value, tensor, (N, H, W, C))."""
    layout = value.layout
    spatial = range(2, len(layout.dims))
    if not 2 <= len(layout.dims) <= 4:
        lowering.refuse(node, f"its input has the shape {layout.shape}", "[batch, channels, time]")
    ordered = [atom for axis in (0, *spatial) for atom in layout.real(axis)]
    channels = [atom for atom in (layout.real(1) if logical else layout.order) if atom in layout.real(1)]
    value = rearranged(lowering, node, value, [*ordered, *channels])
    batch, count, *sizes = layout.shape
    height, width = [1] * (2 - len(sizes)) + sizes
    shape = batch, height, width, count
    return value, lowering.view(value.tensor, shape), shape


def rearranged(lowering: Lowering, node: OnnxNode, value: Value, order: Sequence[Atom]) -> Value:
    """`value` with its atoms in another order in memory: itself, or a TRANSPOSE made once."""
    before = value.layout.order
    if tuple(order) == before:
        return value
    runs = _runs(before, order)
    if len(runs) > _MOST_AXES:
        lowering.refuse(node, f"it would move {len(runs)} axes of memory", "fewer reshapes and transposes")
    ranked = sorted(runs, key=lambda run: before.index(run[0]))
    sizes = [_size(run) for run in ranked]
    permutation = tuple(ranked.index(run) for run in runs)
    if len(runs) < _MOST_AXES:  # a batch of 1 stays in front
        sizes, permutation = [1, *sizes], (0, *(axis + 1 for axis in permutation))
    layout = Layout(value.layout.dims, tuple(order))
    name = f"{value.tensor}/transposed{''.join(map(str, permutation))}_{'x'.join(map(str, sizes))}"
    if name not in lowering.shapes:
        source = lowering.view(value.tensor, sizes)
        options = {"vectors": {"order": permutation}}
        made = Node("TRANSPOSE", [source], name, options, place=node.place)
        held = next(key for key, other in lowering.values.items() if set(other.layout.order) == set(before))
        lowering.emit(made, [sizes[axis] for axis in permutation], held)
        lowering.layouts[name] = Layout(lowering.values[held].layout.dims, layout.order)
    return Value(name, layout)


def _runs(before: Sequence[Atom], after: Sequence[Atom]) -> list[list[Atom]]:
    """`after` in pieces that follow each other in `before` too."""
    runs: list[list[Atom]] = []
    for atom in after:
        if runs and before.index(runs[-1][-1]) + 1 == before.index(atom):
            runs[-1].append(atom)
        else:
            runs.append([atom])
    return runs


def _size(atoms: Sequence[Atom]) -> int:
    size = 1
    for atom in atoms:
        size *= atom.size
    return size


def _channels_last(rank: int) -> list[int]:
    """The dimensions of ONNX [N, C, ...] with the channels last."""
    return [0, *range(2, rank), 1] if rank > 2 else list(range(rank))


def _long(dims: Sequence[int], shape: Sequence[int]) -> list[int]:
    return [dim for dim in dims if shape[dim] != 1]
