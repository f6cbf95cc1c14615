# SPDX-License-Identifier: Apache-2.0
"""What a flasher is given: an image that was read and checked, the board, and where it shall go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgegrf.boards import Board
from edgegrf.image.elf import Segment
from edgegrf.progress import Progress

__all__ = ["FlashJob"]


@dataclass(frozen=True)
class FlashJob:
    """`segments` fit the slot of `board`; `to` and `probe` are what the person named, if anything."""

    board: Board
    name: str  # of the image file, without suffix
    segments: tuple[Segment, ...]
    to: Path | None
    probe: str | None
    progress: Progress
