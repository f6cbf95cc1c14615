# SPDX-License-Identifier: Apache-2.0
"""Whether an image fits a board: looked at before anything is written."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from edgegrf.boards import Board
from edgegrf.errors import UsageError
from edgegrf.image.elf import Segment
from edgegrf.image.formats import to_binary

__all__ = ["check_fits"]


def check_fits(board: Board, segments: Sequence[Segment], *, family: int | None = None) -> None:
    """Raise UsageError unless the image lies in the board's slot and begins with this core's vectors.

    The first two words of a Cortex-M image are the stack pointer, in RAM, and the entry, odd, in the
    image (Armv7-M manual, B1.5.3).
    """
    start, data = to_binary(segments)
    end, slot_end = start + len(data), board.flash_origin + board.flash_size
    if board.uf2_family is not None and family not in (None, board.uf2_family):
        raise UsageError(
            f"the image is of UF2 family 0x{family:08X}, {board.name} is of 0x{board.uf2_family:08X}",
            why="it was built for another chip",
            fix=f"edgegrf build --board {board.name}",
        )
    if start != board.flash_origin:
        raise UsageError(
            f"the image begins at 0x{start:08X}, {board.name}'s slot at 0x{board.flash_origin:08X}",
            why="it was built for another board",
            fix=f"edgegrf build --board {board.name}",
        )
    if end > slot_end:
        raise UsageError(
            f"the image has {len(data)} bytes, {end - slot_end} more than {board.name}'s slot",
            fix="take a smaller student",
        )
    stack, entry = struct.unpack_from("<2I", data.ljust(8, b"\xff"))
    in_ram = board.ram_origin < stack <= board.ram_origin + board.ram_size
    if not in_ram or not entry & 1 or not start <= entry - 1 < end:
        raise UsageError(
            f"no vectors of {board.name} at the image's start: stack 0x{stack:08X}, entry 0x{entry:08X}",
            why="it was built for another chip, or is no firmware",
            fix=f"edgegrf build --board {board.name}",
        )
