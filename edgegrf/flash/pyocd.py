# SPDX-License-Identifier: Apache-2.0
"""The flasher for debug probes: pyOCD (Apache-2.0), run as a program."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import struct
import sys
import tempfile
from pathlib import Path

from edgegrf.errors import DeviceError, MissingToolError, UsageError
from edgegrf.files import write_file
from edgegrf.flash.job import FlashJob, only
from edgegrf.image.elf import Segment
from edgegrf.image.formats import to_hex
from edgegrf.process import ToolFailedError, run

__all__ = ["erase", "find", "write"]

_TIMEOUT_S = 120.0
#: target -> (where the chip says what it is, what it says): FICR.INFO.PART of the nRF52840
_PARTS = {"nrf52840": (0x10000100, 0x52840)}
#: where a SoftDevice says how far it reaches
_SOFTDEVICE_END = 0x3008
#: bootloader_settings_t of Adafruit's boot loader: a valid program whose CRC is not looked at, its size
_SETTINGS = struct.Struct("<HHH2xI16x")
_VALID_PROGRAM, _NO_CRC, _NO_SECOND = 0x01, 0, 0xFF


def find(job: FlashJob) -> list[str]:
    """The debug probes that are plugged in."""
    return _probes(_program())


def write(job: FlashJob) -> str:
    """Identify the chip, erase the sectors of the image, write, verify and reset, through the one probe.

    Behind a boot loader its SoftDevice must be there, and its settings are told that they have a program.
    Raises DeviceError when there is no probe or several, the chip is another or locked, or pyOCD fails.
    """
    segments = list(job.segments)
    if job.board.boot_settings is not None:
        size = max(each.address + len(each.data) for each in segments) - job.board.flash_origin
        settings = _SETTINGS.pack(_VALID_PROGRAM, _NO_CRC, _NO_SECOND, size)
        segments.append(Segment(job.board.boot_settings, settings))
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "firmware.hex"
        write_file(image, to_hex(segments))
        return _act(job, "load", "--erase", "sector", str(image))


def erase(job: FlashJob, origin: int, size: int) -> str:
    """Identify the chip, erase `size` bytes of whole sectors at `origin`, and reset."""
    return _act(job, "erase", "--sector", f"0x{origin:x}+0x{size:x}")


def _act(job: FlashJob, command: str, *words: str) -> str:
    target = job.board.pyocd_target
    if target is None:
        raise UsageError(f"pyOCD does not know {job.board.name}", fix=f"--via {job.board.flashers[0]}")
    program = _program()
    probe = only(
        [each for each in _probes(program) if job.probe is None or each.startswith(job.probe)],
        f"debug probe {job.probe or ''}".rstrip(),
        why="none is plugged in, or this user may not open it",
        fix="plug the board in; on Linux install the udev rules of pyOCD",
        choose="name one with --probe",
    )
    _identify(program, probe, job, target)
    job.progress(f"{command} by pyocd", 0, 1)
    # without auto_unlock a locked chip is an error; with it, pyOCD would erase the whole chip to get in
    options = ("--no-wait", "--uid", probe, "--target", target, "-O", "auto_unlock=false")
    try:
        run([*program, command, *options, *words], timeout_s=_TIMEOUT_S)
    except ToolFailedError as error:
        raise DeviceError(
            f"pyOCD could not {command} {job.board.name} through probe {probe}",
            why=error.why,
            fix="check power and cable, then again",
        ) from error
    job.progress(f"{command} by pyocd", 1, 1)
    return f"probe {probe}"


def _program() -> list[str]:
    found = shutil.which("pyocd")
    if found:
        return [found]
    if importlib.util.find_spec("pyocd"):
        return [sys.executable, "-m", "pyocd"]
    raise MissingToolError("pyOCD is not installed", fix="pip install 'edgegrf[flash]'")


def _probes(program: list[str]) -> list[str]:
    said = run([*program, "json", "--probes"], timeout_s=_TIMEOUT_S).stdout
    try:
        return [str(probe["unique_id"]) for probe in json.loads(said)["boards"]]
    except (ValueError, KeyError, TypeError) as error:
        raise MissingToolError(
            "pyOCD did not list the probes", why=str(error), fix="pyocd json --probes"
        ) from error


def _identify(program: list[str], probe: str, job: FlashJob, target: str) -> None:
    """Read the chip's own name as a plain core of any maker, so that nothing is erased or written."""
    address, part = _PARTS[target]
    found, why = _word(program, probe, address)
    if found is None:
        raise DeviceError(
            f"the chip behind probe {probe} does not say what it is",
            why=why,
            fix=f"a locked one is opened by erasing all of it: pyocd erase --mass -t {target}",
        )
    if found != part:
        raise DeviceError(
            f"the chip behind probe {probe} is part 0x{found:x}, not 0x{part:x}",
            why=f"it is not that of {job.board.name}",
            fix="name the board that is plugged in: --board NAME, or another probe: --probe ID",
        )
    if job.board.boot_settings is not None:
        end = _word(program, probe, _SOFTDEVICE_END)[0]
        if end != job.board.flash_origin:
            raise DeviceError(
                f"{job.board.uf2_softdevice} does not lie below 0x{job.board.flash_origin:x}",
                why="the boot loader would start programs elsewhere; it may have been erased",
                fix="install Adafruit's boot loader with its SoftDevice first",
            )


def _word(program: list[str], probe: str, address: int) -> tuple[int | None, str]:
    """A word of the chip's memory; None, and why."""
    options = ("--no-wait", "--uid", probe, "--target", "cortex_m", "--connect", "attach")
    try:
        said = run(
            [*program, "commander", *options, "-c", f"read32 0x{address:x}"], timeout_s=_TIMEOUT_S
        ).stdout
    except ToolFailedError as error:
        return None, f"{error.why}: locked, without power, or of another kind"
    found = re.search(rf"{address:08x}: +([0-9a-f]{{8}})", said)
    return int(found.group(1), 16) if found else None, "its debug port is locked, or it is of another kind"
