# SPDX-License-Identifier: Apache-2.0
"""The native firmware behind a pseudo terminal, so that any serial program can talk to it."""

from __future__ import annotations

import os
import subprocess
import tty
from collections.abc import Callable
from pathlib import Path

from edgegrf.errors import DeviceError, MissingToolError
from edgegrf.gait.insole import Worn
from edgegrf.link.native_insole import NativeInsole

__all__ = ["serve_native"]


def serve_native(program: Path, *, on_ready: Callable[[str], None], worn: Worn | None = None) -> None:
    """Run `program` on a pty until interrupted; `on_ready` gets the path to open.

    Its sensors see what is `worn`.  The pty stays when a host closes it.  Raises MissingToolError where there
    are no ptys, DeviceError when the firmware ends by itself.
    """
    try:
        ours, theirs = os.openpty()
    except (AttributeError, OSError) as error:  # AttributeError: Windows has no pty
        raise MissingToolError("no pseudo terminals on this computer", why=str(error)) from error
    insole = NativeInsole(worn)
    try:
        tty.setraw(theirs)
        process = subprocess.Popen([str(program)], stdin=ours, stdout=ours, env=insole.environment)
        try:
            on_ready(os.ttyname(theirs))
            code = process.wait()
        finally:
            process.terminate()
            process.wait()
    finally:
        os.close(ours)
        os.close(theirs)
        insole.close()
    raise DeviceError(f"the firmware's process ended with code {code}", why="see what it printed")
