# SPDX-License-Identifier: Apache-2.0
"""Whether an image fits a board: looked at before anything is written."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from edgegrf.boards import Board
from edgegrf.errors import UsageError
from edgegrf.image.elf import Segment
from edgegrf.image.formats import to_binary

__all__ = ["DIRECT_BOOT", "check_fits"]

#: the first bytes of a flash that an ESP32-C3's ROM starts without a boot loader
DIRECT_BOOT = (0xAEDB041D).to_bytes(4, "little") * 2
#: from where the ESP32-C3 sees RAM as data to where it sees it as code
_BY_INSTRUCTIONS = 0x70_0000


def check_fits(board: Board, segments: Sequence[Segment], *, family: int | None = None) -> None:
    """Raise UsageError unless the image lies in the board's slot and begins as this chip starts programs."""
    if board.boot == "ram":
        _check_in_ram(board, segments)
        return
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
    if board.boot == "direct":
        _check_magic(board, data)
    else:
        _check_vectors(board, start, data)


def _check_vectors(board: Board, start: int, data: bytes) -> None:
    """The first two words of a Cortex-M image are the stack pointer, in RAM, and the entry, odd, in the image
    (Armv7-M manual, B1.5.3)."""
    stack, entry = struct.unpack_from("<2I", data.ljust(8, b"\xff"))
    in_ram = board.ram_origin < stack <= board.ram_origin + board.ram_size
    if not in_ram or not entry & 1 or not start <= entry - 1 < start + len(data):
        raise UsageError(
            f"no vectors of {board.name} at the image's start: stack 0x{stack:08X}, entry 0x{entry:08X}",
            why="it was built for another chip, or is no firmware",
            fix=f"edgegrf build --board {board.name}",
        )


def _check_magic(board: Board, data: bytes) -> None:
    """The ROM of an ESP32-C3 starts a flash of this beginning as it is (docs/boards.md)."""
    if data[:8] != DIRECT_BOOT:
        raise UsageError(
            f"the image begins with {data[:8].hex()}, not with the magic of direct boot",
            why=f"it was built for another chip, or is no firmware for {board.name}",
            fix=f"edgegrf build --board {board.name}",
        )


def _check_in_ram(board: Board, segments: Sequence[Segment]) -> None:
    """Every segment lies in RAM, as the data bus or the instruction bus sees it."""
    for segment in segments:
        end = segment.address + len(segment.data)
        for origin in (board.ram_origin, board.ram_origin + _BY_INSTRUCTIONS):
            if origin <= segment.address and end <= origin + board.ram_size:
                break
        else:
            raise UsageError(
                f"the image loads {len(segment.data)} bytes at 0x{segment.address:08X}, outside the RAM",
                why=f"it was not built for {board.name}",
                fix=f"edgegrf build --board {board.name}",
            )
