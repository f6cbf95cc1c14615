# SPDX-License-Identifier: Apache-2.0
"""The flasher of UF2 boot loaders: a drive that shows INFO_UF2.TXT and writes what is copied to it."""

from __future__ import annotations

import os
import re
import string
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgegrf.boards import Board
from edgegrf.errors import DeviceError, UsageError
from edgegrf.files import write_file
from edgegrf.flash.job import FlashJob, only
from edgegrf.image.formats import to_uf2

__all__ = ["Drive", "find", "find_drives", "read_drive", "write"]

_INFO = "INFO_UF2.TXT"


@dataclass(frozen=True)
class Drive:
    """A UF2 drive and what its boot loader says of the board; "" where it says nothing."""

    path: Path
    model: str
    board_id: str
    softdevice: str  # "S140 6.1.1", "not found" where the boot loader sees none


def find(job: FlashJob) -> list[str]:
    """The drives of the board's boot loader that are mounted; the one named counts as there."""
    if job.to is not None:
        return [str(job.to)]
    return [str(drive.path) for drive in find_drives() if drive.board_id.startswith(job.board.uf2_boards)]


def write(job: FlashJob) -> str:
    """Copy the image as .uf2 to the board's drive; to `job.to` if given, which may be any folder.

    Raises DeviceError when no drive is there, several are, or the drive belongs to another board.
    """
    family = job.board.uf2_family
    if family is None:
        raise UsageError(f"{job.board.name} has no UF2 boot loader", fix=f"--via {job.board.flashers[0]}")
    data = to_uf2(job.segments, family)
    drive = _only_drive(job.board) if job.to is None else read_drive(job.to)
    if drive is None:
        target = job.to / f"{job.image.stem}.uf2" if job.to and job.to.is_dir() else job.to
        assert target is not None
        write_file(target, data)
        return str(target)
    _check(job.board, drive)
    target = drive.path / "firmware.uf2"
    job.progress("write uf2", 0, len(data))
    _copy(target, data)
    job.progress("write uf2", len(data), len(data))
    return str(target)


def read_drive(path: Path) -> Drive | None:
    """The UF2 drive mounted at `path`, or None if it shows no INFO_UF2.TXT."""
    try:
        text = (path / _INFO).read_text(errors="replace")
    except OSError:
        return None
    softdevice = _field(text, "SoftDevice")
    found = re.match(r"(S\d+)(?: version)? +([\d.]+)", softdevice)
    softdevice = " ".join(found.groups()) if found else softdevice
    return Drive(path, _field(text, "Model"), _field(text, "Board-ID"), softdevice)


def find_drives(roots: list[Path] | None = None) -> list[Drive]:
    """All UF2 drives that are mounted now; `roots` replaces the places where drives are mounted."""
    places = _mount_points() if roots is None else (path for root in roots for path in _children(root))
    drives = {path.resolve(): read_drive(path) for path in places}
    return [drive for drive in drives.values() if drive is not None]


def _field(text: str, name: str) -> str:
    found = re.search(rf"^{name}: *(.*?)\s*$", text, re.MULTILINE)
    return found.group(1) if found else ""


def _children(root: Path) -> list[Path]:
    try:
        return sorted(root.iterdir())
    except OSError:
        return []


def _mount_points() -> Iterator[Path]:
    if sys.platform == "win32":
        yield from (Path(f"{letter}:/") for letter in string.ascii_uppercase)
        return
    user = os.environ.get("USER", "")
    for root in (Path("/Volumes"), Path("/media"), Path("/media") / user, Path("/run/media") / user):
        yield from _children(root)


def _only_drive(board: Board) -> Drive:
    drives = {str(drive.path): drive for drive in find_drives()}
    path = only(
        list(drives),
        f"UF2 drive for {board.name}",
        why="the board is not in its boot loader, or the drive is not mounted",
        fix=f"double-press reset, or name the drive: --to /media/.../{board.uf2_drive}",
        choose="name one with --to",
    )
    return drives[path]


def _check(board: Board, drive: Drive) -> None:
    if not drive.board_id.startswith(board.uf2_boards):
        raise DeviceError(
            f"the drive {drive.path} is of '{drive.board_id}', not of {board.name}",
            why=f"its Board-ID begins with none of {', '.join(board.uf2_boards)}",
            fix="name the board that is plugged in: --board NAME",
        )
    if board.uf2_softdevice and drive.softdevice == "not found":
        raise DeviceError(
            f"{drive.path} holds no SoftDevice, the image of {board.name} begins behind "
            f"{board.uf2_softdevice}",
            why="without one the boot loader starts programs at 0x1000, where this one is not",
            fix=f"install the boot loader with {board.uf2_softdevice}",
        )
    if board.uf2_softdevice and drive.softdevice not in ("", board.uf2_softdevice):
        raise DeviceError(
            f"{drive.path} holds SoftDevice {drive.softdevice}, the image of {board.name} begins behind "
            f"{board.uf2_softdevice}",
            why="the boot loader would not start it",
            fix=f"install the boot loader with {board.uf2_softdevice}",
        )


def _copy(target: Path, data: bytes) -> None:
    """Write in one go: a UF2 drive is no file system to rename on, and restarts at the last block."""
    try:
        with target.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if target.parent.exists():  # a board that took all and restarted takes its drive away
            raise DeviceError(
                f"writing to {target} failed",
                why=error.strerror or str(error),
                fix="double-press reset and try again",
            ) from error
