# SPDX-License-Identifier: Apache-2.0
"""The table of flashers, and the checks that come before any of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgegrf.boards import Board
from edgegrf.errors import UnknownNameError, UsageError
from edgegrf.flash import file, pyocd, uf2
from edgegrf.flash.job import FlashJob
from edgegrf.image.formats import read_image
from edgegrf.image.slot import check_fits
from edgegrf.progress import Progress, silent

__all__ = ["FLASHERS", "Flashed", "flash", "flasher_of"]

#: name -> writes the job's image and says where it went
FLASHERS: dict[str, Callable[[FlashJob], str]] = {
    "pyocd": pyocd.write,
    "uf2": uf2.write,
    "file": file.write,
}


@dataclass(frozen=True)
class Flashed:
    """An image was written: by which flasher, where to, how many bytes."""

    board: str
    via: str
    where: str
    bytes: int


def flasher_of(board: Board, via: str | None) -> str:
    """The flasher to use: `via` if the board has it, by default its first; raises UsageError."""
    if not board.flashers:
        raise UsageError(f"{board.name} needs no flashing", why=board.note)
    if via is not None and via not in board.flashers:
        raise UnknownNameError(f"flasher of {board.name}", via, board.flashers)
    return via or board.flashers[0]


def flash(
    board: Board,
    image: Path,
    *,
    via: str | None = None,
    to: Path | None = None,
    probe: str | None = None,
    progress: Progress = silent,
) -> Flashed:
    """Write `image` (.hex, .uf2 or .elf) to `board`; `via` is by default the board's first flasher.

    Raises ModelError for a damaged image and UsageError for one of another board or too large, before
    anything is touched; DeviceError where the probe or drive is missing, wrong or fails.
    """
    via = flasher_of(board, via)
    family, segments = read_image(image)
    check_fits(board, segments, family=family)
    where = FLASHERS[via](FlashJob(board, image.stem, tuple(segments), to, probe, progress))
    return Flashed(board.name, via, where, sum(len(segment.data) for segment in segments))
