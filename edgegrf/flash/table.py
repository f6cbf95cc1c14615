# SPDX-License-Identifier: Apache-2.0
"""The table of flashers, which of them to take, and the checks that come before any of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgegrf.boards import Board
from edgegrf.errors import MissingToolError, UnknownNameError, UsageError
from edgegrf.flash import dfu, esptool, file, pyocd, uf2
from edgegrf.flash.job import FlashJob, SerialAccess
from edgegrf.image.elf import Segment
from edgegrf.image.formats import read_image
from edgegrf.image.idf import IDF_BUILD, read_idf_build
from edgegrf.image.slot import check_fits
from edgegrf.progress import Progress, silent

__all__ = ["FLASHERS", "Flashed", "Flasher", "erase_store", "flash", "flasher_of", "read_checked"]


@dataclass(frozen=True)
class Flasher:
    """`write` writes the job's image and says where it went; `find` gives what is plugged in that it could
    write to; `erase` erases a range of flash, where the flasher can do that alone."""

    write: Callable[[FlashJob], str]
    find: Callable[[FlashJob], list[str]]
    erase: Callable[[FlashJob, int, int], str] | None = None


FLASHERS = {
    "pyocd": Flasher(pyocd.write, pyocd.find, pyocd.erase),
    "uf2": Flasher(uf2.write, uf2.find),
    "dfu": Flasher(dfu.write, dfu.find),
    "esptool": Flasher(esptool.write, esptool.find, esptool.erase),
    "file": Flasher(file.write, file.find),
}


@dataclass(frozen=True)
class Flashed:
    """An image was written: by which flasher, where to, how many bytes."""

    board: str
    via: str
    where: str
    bytes: int


def flasher_of(board: Board, via: str | None) -> str:
    """The flasher to begin with: `via` if the board has it, by default its first; raises UsageError."""
    if not board.flashers:
        raise UsageError(f"{board.name} needs no flashing", why=board.note)
    if via is not None and via not in board.flashers:
        raise UnknownNameError(f"flasher of {board.name}", via, board.flashers)
    return via or board.flashers[0]


def read_checked(board: Board, image: Path) -> tuple[Segment, ...]:
    """The segments of `image` (.hex, .uf2, .elf, or flasher_args.json of an ESP-IDF build), checked to be
    whole and `board`'s; raises ModelError, UsageError."""
    if image.name == IDF_BUILD:
        return tuple(read_idf_build(image, board))
    family, segments = read_image(image)
    check_fits(board, segments, family=family)
    return tuple(segments)


def flash(
    board: Board,
    image: Path,
    serial: SerialAccess,
    *,
    via: str | None = None,
    to: Path | None = None,
    probe: str | None = None,
    port: str | None = None,
    progress: Progress = silent,
) -> Flashed:
    """Write `image` to `board`; `via` is by default the first of its flashers that finds its target.

    Raises ModelError for a damaged image and UsageError for one of another board or too large, before
    anything is touched; DeviceError where the probe, drive, port or chip is missing, wrong or fails.
    """
    begin = flasher_of(board, via)
    job = FlashJob(board, image, read_checked(board, image), to, probe, port, serial, progress)
    name = begin if via else _first_found(job, begin)
    where = FLASHERS[name].write(job)
    return Flashed(board.name, name, where, sum(len(segment.data) for segment in job.segments))


def erase_store(
    board: Board,
    serial: SerialAccess,
    *,
    via: str | None = None,
    probe: str | None = None,
    port: str | None = None,
    progress: Progress = silent,
) -> Flashed:
    """Erase the pages that hold the wearer's calibration, and nothing else."""
    if not board.store_size:
        raise UsageError(f"{board.name} keeps no calibration at a known place", why=board.note)
    able = [name for name in board.flashers if FLASHERS[name].erase]
    name = via or next(iter(able), "")
    erase = FLASHERS[name].erase if name in able else None
    if erase is None:
        raise UsageError(
            f"no flasher of {board.name} erases single pages",
            why="its boot loader only writes programs",
            fix="let the firmware do it: --port /dev/ttyACM0",
        )
    job = FlashJob(board, Path(), (), None, probe, port, serial, progress)
    return Flashed(board.name, name, erase(job, board.store_origin, board.store_size), board.store_size)


def _first_found(job: FlashJob, default: str) -> str:
    """The first flasher that finds something; looks only where there is a choice."""
    choices = [name for name in job.board.flashers if name != "file"]
    if len(choices) < 2 or job.to is not None:
        return default
    for name in choices:
        try:
            if FLASHERS[name].find(job):
                return name
        except MissingToolError:
            continue
    return default
