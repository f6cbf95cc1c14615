# SPDX-License-Identifier: Apache-2.0
"""How a weighted layer runs over a window: in pairs of products or plainly, and how many outputs at a time.

Of each way the cycles are estimated from what its loops were measured to take on the virtual nRF52840
(tests/compiler/test_tiles.py holds the estimate against the board); the cheapest one whose constants of a
pass fit into STAGE_BYTES is taken.  The same layer gives the same way; there is nothing to search or keep.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edgegrf.compiler.operators.geometry import Geometry

__all__ = ["OWN_WORDS", "STAGE_BYTES", "TILE", "Way", "along", "chosen", "columns", "ways"]

#: outputs that share the loads of a patch; EG_TILE of eg_dot.h
TILE = 4
#: of an output beside its weights: bias and struct eg_scale
OWN_WORDS = 4
#: the most RAM that the constants of a pass may take while a window runs
STAGE_BYTES = 4096

_PAIR_CYCLES = 17  # a word of four outputs' weights at two positions: 16 products
_TILE_CYCLES = 93  # begin and end of a tile's outputs, eight of them
_PAIRED_TILE_CYCLES = 260  # the same of four kinds of product, sixteen outputs
_UNPACK_CYCLES = 4  # a word of a patch
_TAP_CYCLES = 10
_POSITION_CYCLES = 35
_SUM_CYCLES = {3: 67, 2: 46, 1: 24}  # of three, two, one taps of four channels at four positions
_FOUR_CYCLES = 160
_STAGE_CYCLES = 7  # a word copied or summed


@dataclass(frozen=True)
class Way:
    """A kernel over a window, the outputs of a pass, the words of all of an output's products, and cycles."""

    paired: bool  # eg_paired_conv.h, else eg_packed_conv.h
    staged: int
    words: int
    cycles: int


def along(geometry: Geometry) -> bool:
    """Whether windows lie along one axis with stride 1, so that neighbours share their inputs."""
    rows, columns = geometry.rows, geometry.columns
    one = geometry.frames == 1 and columns.trivial and columns.size == 1
    return one and rows.stride == 1 and rows.kernel > 1


def columns(geometry: Geometry) -> int:
    """Words of four channels' columns in eg_columns.h."""
    rows = geometry.rows
    runs = min(rows.dilation, rows.out)
    return TILE * runs * ((-(-rows.out // rows.dilation) + 1) // 2 + rows.kernel // 2)


def chosen(outputs: int, geometry: Geometry) -> Way:
    """The way with the fewest cycles; of equal ones the one with fewer outputs at a time."""
    return min(ways(outputs, geometry), key=lambda way: (way.cycles, way.staged))


def ways(outputs: int, geometry: Geometry) -> Iterator[Way]:
    """All ways to run a convolution of `outputs` whose constants of a pass fit."""
    fours = geometry.channels % TILE == 0 and outputs % TILE == 0
    for paired in (False, True) if along(geometry) and fours else (False,):
        words = _paired_words(geometry) if paired else _patch_words(geometry)
        for tiles in range(1, -(-outputs // TILE) + 1):
            staged = min(TILE * tiles, outputs)
            if tiles == 1 or 4 * staged * (words + OWN_WORDS) <= STAGE_BYTES:
                cycles = _paired_cycles if paired else _plain_cycles
                yield Way(paired, staged, words, cycles(geometry, outputs, staged, words))


def _groups(geometry: Geometry) -> tuple[int, int]:
    """Taps as threes and a rest, as eg_groups() has them."""
    return divmod(geometry.rows.kernel, 3)


def _paired_words(geometry: Geometry) -> int:
    threes, rest = _groups(geometry)
    kinds = 4 * threes + {0: 0, 1: 2, 2: 3}[rest]
    return kinds * geometry.channels // 2


def _patch_words(geometry: Geometry) -> int:
    return -(-geometry.taps * geometry.channels // 4) * 2


def _paired_cycles(geometry: Geometry, outputs: int, staged: int, words: int) -> int:
    rows, (threes, rest) = geometry.rows, _groups(geometry)
    runs = min(rows.dilation, rows.out)
    fours = sum(-(-len(range(first, rows.out, rows.dilation)) // 4) for first in range(runs))
    sums = threes * _SUM_CYCLES[3] + (_SUM_CYCLES[rest] if rest else 0)
    passes = -(-outputs // staged)
    tile = _PAIR_CYCLES * words + _PAIRED_TILE_CYCLES
    each = passes * (sums * geometry.channels // 4 + _FOUR_CYCLES) + outputs // TILE * tile
    return fours * each + _STAGE_CYCLES * outputs * (words + OWN_WORDS)


def _plain_cycles(geometry: Geometry, outputs: int, staged: int, words: int) -> int:
    positions = geometry.frames * geometry.rows.out * geometry.columns.out
    passes = -(-outputs // staged)
    unpack = _UNPACK_CYCLES * words + _TAP_CYCLES * geometry.taps + _POSITION_CYCLES
    tile = _PAIR_CYCLES * words + _TILE_CYCLES
    each = 2 * passes * unpack + -(-outputs // TILE) * tile
    return -(-positions // 2) * each + _STAGE_CYCLES * outputs * (words + OWN_WORDS)
