# SPDX-License-Identifier: Apache-2.0
"""The flasher for debug probes: pyOCD (Apache-2.0), run as a program."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
import tempfile
from pathlib import Path

from edgegrf.errors import DeviceError, MissingToolError, UsageError
from edgegrf.files import write_file
from edgegrf.flash.job import FlashJob
from edgegrf.image.formats import to_hex
from edgegrf.process import ToolFailedError, run

__all__ = ["write"]

_TIMEOUT_S = 120.0


def write(job: FlashJob) -> str:
    """Erase the sectors of the image, write, verify and reset, through the one probe or `job.probe`.

    Raises DeviceError when no probe is plugged in, several are, or pyOCD fails.
    """
    if job.board.pyocd_target is None:
        raise UsageError(f"pyOCD does not know {job.board.name}", fix=f"--via {job.board.flashers[0]}")
    program = _program()
    probe = _only_probe(program, job.probe)
    options = ("--uid", probe, "--target", job.board.pyocd_target, "--erase", "sector")
    job.progress("write by pyocd", 0, 1)
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "firmware.hex"
        write_file(image, to_hex(job.segments))
        try:
            run(
                [*program, "load", "--no-wait", *options, str(image)],
                timeout_s=_TIMEOUT_S,
            )
        except ToolFailedError as error:
            raise DeviceError(
                f"pyOCD could not write {job.board.name} through probe {probe}",
                why=error.why,
                fix=f"check power and cable; a locked chip: pyocd erase --mass -t {job.board.pyocd_target}",
            ) from error
    job.progress("write by pyocd", 1, 1)
    return f"probe {probe}"


def _program() -> list[str]:
    found = shutil.which("pyocd")
    if found:
        return [found]
    if importlib.util.find_spec("pyocd"):
        return [sys.executable, "-m", "pyocd"]
    raise MissingToolError("pyOCD is not installed", fix="pip install 'edgegrf[flash]'")


def _only_probe(program: list[str], wanted: str | None) -> str:
    said = run([*program, "json", "--probes"], timeout_s=_TIMEOUT_S).stdout
    try:
        probes = [str(probe["unique_id"]) for probe in json.loads(said)["boards"]]
    except (ValueError, KeyError, TypeError) as error:
        raise MissingToolError(
            "pyOCD did not list the probes", why=str(error), fix="pyocd json --probes"
        ) from error
    chosen = [probe for probe in probes if wanted is None or probe.startswith(wanted)]
    if not chosen:
        raise DeviceError(
            f"no debug probe {wanted or ''}".rstrip(),
            why="none is plugged in, or this user may not open it",
            fix="plug the board in; on Linux install the udev rules of pyOCD",
        )
    if len(chosen) > 1:
        raise DeviceError(f"several debug probes: {', '.join(chosen)}", fix="name one with --probe")
    return chosen[0]
