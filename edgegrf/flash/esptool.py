# SPDX-License-Identifier: Apache-2.0
"""The flasher for ESP32 chips: esptool (GPL-2.0-or-later), run as a program and never imported."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edgegrf.boards import Board
from edgegrf.errors import DeviceError, MissingToolError, ModelError
from edgegrf.files import write_file
from edgegrf.flash.job import FlashJob, only
from edgegrf.image.esp import read_esp
from edgegrf.process import Finished, ToolFailedError, run

__all__ = ["erase", "find", "write"]

_TIMEOUT_S = 240.0
#: what esptool 4 and esptool 5 say about the chip: family, revision, flash
_FAMILY = re.compile(r"(?:Connected to|Detecting chip type\.\.\.) *(ESP[\w-]+)")
_REVISION = re.compile(r"\(revision v?(\d+)(?:\.(\d+))?\)")
_FLASH = re.compile(r"Detected flash size: *(\d+)(KB|MB)")
#: a C3 starts flash that is not an ESP image from revision 0.3 on (direct boot)
_DIRECT_BOOT_REVISION = (0, 3)
_KEEP = ("--flash_mode", "keep", "--flash_freq", "keep", "--flash_size", "keep")


@dataclass(frozen=True)
class _Chip:
    family: str  # "esp32c3"
    revision: tuple[int, int]
    flash_bytes: int | None  # None where esptool could not tell


def find(job: FlashJob) -> list[str]:
    """The ports that may be the board's."""
    return job.serial.running(job.board)


def write(job: FlashJob) -> str:
    """Identify the chip, then write the image at its offsets, or load it into RAM; the chip then starts it.

    Raises DeviceError when no port is there, the chip is another, too old or too small, or esptool fails.
    """
    program, port = _program(), _port(job)
    chip = _identify(program, port, job)
    in_ram = job.board.boot == "ram"
    if not in_ram:
        _check(job, chip, port)
    job.progress("write by esptool", 0, 1)
    with _files(job) as files:
        if in_ram:
            _run(program, port, job.board, ("--no-stub", "load_ram", files[0][1]))
        else:
            places = [word for offset, path in files for word in (f"0x{offset:x}", path)]
            _run(program, port, job.board, ("write_flash", *_KEEP, *places))
    job.progress("write by esptool", 1, 1)
    return port


def erase(job: FlashJob, origin: int, size: int) -> str:
    """Identify the chip and erase `size` bytes of flash at `origin`, then restart it."""
    program, port = _program(), _port(job)
    _identify(program, port, job)
    _run(program, port, job.board, ("erase_region", f"0x{origin:x}", f"0x{size:x}"))
    return port


def _port(job: FlashJob) -> str:
    named = job.port or (str(job.to) if job.to else None)
    return only(
        [named] if named else find(job),
        f"port of {job.board.name}",
        why="it is not plugged in, or this user may not open it",
        fix="plug it in, or name the port: --port /dev/ttyUSB0",
        choose="name one with --port",
    )


def _program() -> list[str]:
    for name in ("esptool", "esptool.py"):
        if found := shutil.which(name):
            return [found]
    if importlib.util.find_spec("esptool"):
        return [sys.executable, "-m", "esptool"]
    raise MissingToolError("esptool is not installed", fix="pip install esptool (GPL; edgegrf only runs it)")


@contextmanager
def _files(job: FlashJob) -> Iterator[list[tuple[int, str]]]:
    """(offset, file) of each part of the image; a RAM image is one file that holds its own addresses."""
    with tempfile.TemporaryDirectory() as folder:
        if job.board.boot == "ram":
            yield [(0, str(_ram_image(job)))]
            return
        places = []
        for segment in job.segments:
            path = Path(folder) / f"{segment.address:08x}.bin"
            write_file(path, segment.data)
            places.append((segment.address, str(path)))
        yield places


def _ram_image(job: FlashJob) -> Path:
    """The file in the ROM's own format that lies beside the image and holds the same bytes."""
    path = job.image.with_suffix(".bin")
    try:
        found = read_esp(path.read_bytes())
    except OSError as error:
        raise ModelError(
            f"{path} is missing", why="esptool loads it", fix=f"edgegrf build --board {job.board.name}"
        ) from error
    parts = {part.address: part.data for part in found.segments}
    if any(not parts.get(one.address, b"").startswith(one.data) for one in job.segments):
        raise ModelError(f"{path} is not of {job.image.name}", fix=f"edgegrf build --board {job.board.name}")
    return path


def _run(program: list[str], port: str, board: Board, words: tuple[str, ...]) -> Finished:
    """Run an esptool command on the board's chip; `words` may begin with further options."""
    try:
        return _call(program, port, board.chip, "hard_reset", "--baud", str(board.flash_baud), *words)
    except ToolFailedError as error:
        raise DeviceError(
            f"esptool failed at {port} ({next(word for word in words if word[0] != '-')})",
            why=error.why,
            fix="close other programs on the port; hold BOOT, press RESET, release BOOT, and try again",
        ) from error


def _call(program: list[str], port: str, chip: str, after: str, *words: str) -> Finished:
    options = ("--chip", chip, "--port", port, "--after", after)
    return run([*program, *options, *words], timeout_s=_TIMEOUT_S, env={"NO_COLOR": "1"})


def _identify(program: list[str], port: str, job: FlashJob) -> _Chip:
    """Which chip answers at `port`; raises DeviceError unless it is the board's.  Changes nothing."""
    try:
        said = _call(program, port, "auto", "no_reset", "flash_id").stdout
    except ToolFailedError as error:
        raise DeviceError(
            f"no ESP chip answers at {port}",
            why=error.why,
            fix="check the cable; hold BOOT, press RESET, release BOOT, and try again",
        ) from error
    family, revision, flash = _FAMILY.search(said), _REVISION.search(said), _FLASH.search(said)
    if family is None:
        raise DeviceError(f"esptool did not say which chip is at {port}", fix="run: esptool flash_id")
    chip = _Chip(
        family.group(1).lower().replace("-", ""),
        (int(revision.group(1)), int(revision.group(2) or 0)) if revision else (0, 0),
        int(flash.group(1)) << (20 if flash.group(2) == "MB" else 10) if flash else None,
    )
    if chip.family != job.board.chip:
        raise DeviceError(
            f"the chip at {port} is an {family.group(1)}, {job.board.name} has an {job.board.chip}",
            why="another board is plugged in",
            fix="name the board that is: --board NAME",
        )
    return chip


def _check(job: FlashJob, chip: _Chip, port: str) -> None:
    end = max(segment.address + len(segment.data) for segment in job.segments)
    if chip.flash_bytes is not None and end > chip.flash_bytes:
        raise DeviceError(
            f"the image ends at 0x{end:x}, the flash of the chip at {port} at 0x{chip.flash_bytes:x}",
            fix="take a smaller student",
        )
    if job.board.boot == "direct" and chip.revision < _DIRECT_BOOT_REVISION:
        raise DeviceError(
            f"the chip at {port} is of revision v{chip.revision[0]}.{chip.revision[1]}",
            why="its ROM starts no image without a boot loader; revision v0.3 is the first that does",
            fix=f"edgegrf build --board {job.board.name} --sdk esp-idf",
        )
