# SPDX-License-Identifier: Apache-2.0
"""Weighted layers on int16 pairs (eg_packed_*.h): what may use them, and how their constants are laid out.

A layer may where every output clamps to int8 and to nothing else, is scaled down by 2^1 to 2^21, and its
accumulator, given twice, stays within int32: that is what eg_narrow() is exact for.  All others take the
generic kernels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.compiler.arithmetic import Multiplier
from edgegrf.compiler.operators.folding import Folded
from edgegrf.compiler.operators.geometry import Geometry
from edgegrf.compiler.operators.tiles import OWN_WORDS, STAGE_BYTES, TILE, along, chosen, columns
from edgegrf.compiler.plan import Array, Layer

__all__ = ["Fields", "Packed", "conv", "dense", "depthwise", "narrows", "scale_fields"]

_TAPS = 24  # EG_TAPS
_MOST_SHIFT = 21
_LARGEST = (1 << 30) - 1
_WORTH_STAGING = 8  # positions; EG_WORTH_STAGING of eg_dot.h
_DOT = ("eg_tiles.c", "eg_scalar.c")

Fields = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Packed:
    """The C side of a packed layer; scratch in bytes."""

    fields: Fields
    arrays: tuple[Array, ...]
    scratch: int
    step_scratch: int
    in_place: bool  # over a window
    struct: str  # and the kernel's name
    sources: tuple[str, ...]
    window: str = ""  # the kernel over a window, if it is another

    def complete(self, layer: Layer) -> Layer:
        """`layer` with all that does not depend on how it is called."""
        return replace(
            layer,
            fields=self.fields,
            arrays=self.arrays,
            scratch=self.scratch,
            step_scratch=self.step_scratch,
            window_in_place=(0,) if self.in_place else (),
            struct=self.struct,
            sources=self.sources,
        )


def narrows(by: Multiplier, largest: int) -> bool:
    """Whether eg_narrow() gives eg_requantise()'s bits for accumulators within +-`largest`."""
    return 1 <= -by.shift <= _MOST_SHIFT and largest <= _LARGEST


def scale_fields(by: Multiplier, zero_point: int) -> Fields:
    """The initialisers of struct eg_scale."""
    shift = -by.shift
    offset = (zero_point << shift) + (1 << shift >> 1)
    return ("multiplier", by.mantissa), ("offset", offset), ("shift", shift)


def dense(folded: Folded, per_step: int) -> Packed | None:
    """A dense layer on packed weights, `per_step` positions a sample; None where it has to be generic."""
    if not _narrows(folded):
        return None
    outputs, depth = folded.matrix.shape
    most = STAGE_BYTES // (4 * (-(-depth // 4) * 2 + OWN_WORDS))
    staged = min(outputs, max(TILE, most // TILE * TILE))
    fields, arrays, words = _matrix(folded, staged)
    return Packed(
        fields=(("packed", fields), ("depth", depth)),
        arrays=arrays,
        scratch=4 * _patches(words, staged, _WORTH_STAGING),
        step_scratch=4 * _patches(words, staged, per_step),
        in_place=staged == outputs,
        struct="eg_packed_dense",
        sources=("eg_packed_dense.h", *_DOT),
    )


def conv(folded: Folded, geometry: Geometry, zero_point: int) -> Packed | None:
    """A convolution on packed weights; None where it has to be generic."""
    if not _narrows(folded) or geometry.taps > _TAPS:
        return None
    outputs = len(folded.matrix)
    way = chosen(outputs, geometry)
    fields, arrays, words = _matrix(folded, way.staged)
    rows, columns = geometry.rows, geometry.columns
    parts = (geometry.channels + 3) // 4 + (words // 2 if geometry.channels % 4 else 0)
    together = 1 if geometry.rows_are_time else geometry.per_step
    scratch = 4 * (parts + _patches(words, way.staged, _WORTH_STAGING))
    if way.paired:
        scratch = (rows.kernel + 3) * geometry.channels + way.staged
        scratch += 4 * (2 * way.words + way.staged * (way.words + OWN_WORDS))
    return Packed(
        fields=(("geometry", geometry.fields(zero_point)), ("packed", fields)),
        arrays=arrays,
        scratch=scratch,
        step_scratch=4 * (parts + _patches(words, way.staged, together)),
        in_place=way.staged == outputs and rows.causal and columns.trivial,
        struct="eg_packed_conv",
        sources=("eg_packed_conv.h", *_DOT, *(("eg_paired_conv.h", "eg_paired.c") if way.paired else ())),
        window="eg_paired_conv" if way.paired else "",
    )


def _patches(words: int, staged: int, positions: int) -> int:
    """Words of the patches of `positions` that run together, and of what is staged for them."""
    stage = staged * (words + OWN_WORDS) if positions >= _WORTH_STAGING else 0
    return min(positions, 2) * words + stage


def _matrix(folded: Folded, staged: int) -> tuple[Fields, tuple[Array, ...], int]:
    """Fields and arrays of struct eg_packed with `staged` outputs a pass, and the words of an output."""
    outputs, depth = folded.matrix.shape
    words = -(-depth // 4) * 2
    pointer, arrays = _array(folded, _tiles(folded, _pairs(folded.matrix)))
    rectified = ("rectified", int(folded.zero_point == -128))
    own = ("words", words), ("outputs", outputs), ("staged", staged), rectified
    return (*pointer, *own), arrays, words


def depthwise(folded: Folded, geometry: Geometry, zero_point: int) -> Packed | None:
    """A depthwise convolution on packed weights; None where it has to be generic."""
    channels = geometry.channels
    if not _narrows(folded) or geometry.taps > _TAPS or len(folded.matrix) != channels or channels % 4:
        return None
    taps = 2 * folded.matrix.astype(np.int64).reshape(channels // 4, 4, -1)
    words = _word(taps[:, (0, 1)], taps[:, (2, 3)]).transpose(0, 2, 1)
    parts = [_constants(folded, four, 4 * i, 4 * i + 4) for i, four in enumerate(words)]
    pointer, arrays = _array(folded, parts)
    by_columns = along(geometry)
    shifts = [-by.shift for by in folded.by]
    known = ("rectified", int(folded.zero_point == -128)), ("least_shift", min(shifts))
    return Packed(
        fields=(("geometry", geometry.fields(zero_point)), *pointer, *known, ("most_shift", max(shifts))),
        arrays=arrays,
        scratch=4 * columns(geometry) if by_columns else channels,
        step_scratch=channels,
        in_place=by_columns or (geometry.rows.causal and geometry.columns.trivial),
        struct="eg_packed_depthwise",
        sources=("eg_packed_depthwise.h", *(("eg_columns.h",) if by_columns else ())),
        window="eg_column_depthwise" if by_columns else "",
    )


def _narrows(folded: Folded) -> bool:
    whole = (folded.least, folded.most) == (-128, 127)
    return whole and all(narrows(by, folded.largest) for by in folded.by)


def _constants(folded: Folded, weights: NDArray[np.uint32], first: int, last: int) -> NDArray[np.uint32]:
    """Constants of outputs `first` to `last` in the order of their use: biases, `weights`, scales."""
    by = folded.by[first:last]
    scales = [value for one in by for _, value in scale_fields(one, folded.zero_point)]
    bias = (2 * folded.bias[first:last]).astype(np.uint32)
    return np.concatenate([bias, weights.reshape(-1), np.array(scales, np.int64).astype(np.uint32)])


def _array(folded: Folded, parts: list[NDArray[np.uint32]]) -> tuple[Fields, tuple[Array, ...]]:
    array = Array(f"{folded.name}_constants", "uint32_t", np.concatenate(parts))
    return (("constants", array.name),), (array,)


def _word(low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Two int16 as a word."""
    return ((low & 0xFFFF) | (high & 0xFFFF) << 16).astype(np.uint32)


def _pairs(weights: NDArray[np.int8]) -> NDArray[np.uint32]:
    """[outputs, depth] twice as words [outputs, words], zeros up to a multiple of four."""
    outputs, depth = weights.shape
    fours = np.pad(2 * weights.astype(np.int64), ((0, 0), (0, -depth % 4))).reshape(outputs, -1, 4)
    return _word(fours[:, :, (0, 1)], fours[:, :, (2, 3)]).reshape(outputs, -1)


def _tiles(folded: Folded, words: NDArray[np.uint32]) -> list[NDArray[np.uint32]]:
    """The constants of every four outputs, then of each that is left."""
    whole = len(words) // TILE * TILE
    tiles = [_constants(folded, words[o : o + TILE].T, o, o + TILE) for o in range(0, whole, TILE)]
    return tiles + [_constants(folded, words[o], o, o + 1) for o in range(whole, len(words))]
