# SPDX-License-Identifier: Apache-2.0
"""Reads what `idf.py build` left behind: the files that belong into the flash, and for which chip."""

from __future__ import annotations

import json
import struct
from pathlib import Path

from edgegrf.boards import Board
from edgegrf.errors import ModelError, UsageError
from edgegrf.image.elf import Segment
from edgegrf.image.esp import ESP_CHIPS

__all__ = ["IDF_BUILD", "read_idf_build"]

#: the file by which an ESP-IDF build says what to write where
IDF_BUILD = "flasher_args.json"

_MAGIC = 0xE9


def read_idf_build(path: Path, board: Board) -> list[Segment]:
    """The files of an ESP-IDF build by their offsets in flash; raises ModelError for a damaged build and
    UsageError for one of another chip or larger than the board's flash."""
    try:
        files = json.loads(path.read_text())["flash_files"]
        segments = [
            Segment(int(place, 0), (path.parent / name).read_bytes()) for place, name in files.items()
        ]
    except OSError as error:
        raise ModelError(
            f"cannot read the build at {path.parent}", why=error.strerror or str(error), fix="idf.py build"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} is not of an ESP-IDF build", why=str(error), fix="idf.py build") from error
    segments.sort(key=lambda segment: segment.address)
    chips = {chip for segment in segments if (chip := _chip(segment.data))}
    if not chips:
        raise ModelError(
            f"{path} names no program", why="none of its files is an ESP image", fix="idf.py build"
        )
    if chips != {board.chip}:
        raise UsageError(
            f"the build at {path.parent} is for {', '.join(sorted(chips))}, {board.name} has an {board.chip}",
            fix=f"idf.py set-target {board.chip}, or name the board with --board",
        )
    end = max(segment.address + len(segment.data) for segment in segments)
    if end > board.flash_origin + board.flash_size:
        raise UsageError(f"the build ends at 0x{end:x}, {board.name}'s flash at 0x{board.flash_size:x}")
    return segments


def _chip(data: bytes) -> str | None:
    """The chip of an ESP image (24-byte header, chip_id at byte 12); None for another kind of file."""
    if len(data) < 24 or data[0] != _MAGIC:
        return None
    (number,) = struct.unpack_from("<H", data, 12)
    return next((name for name, known in ESP_CHIPS.items() if known == number), f"chip {number}")
