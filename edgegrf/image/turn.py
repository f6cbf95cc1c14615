# SPDX-License-Identifier: Apache-2.0
"""One build at a time in a folder, across processes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from edgegrf.errors import OutputError

__all__ = ["turn_in"]


@contextlib.contextmanager
def turn_in(folder: Path) -> Iterator[None]:
    """Make `folder` and wait until no other process builds in it; raises OutputError.

    Where the system cannot lock folders (Windows) there is no waiting.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot write {folder}", why=error.strerror or str(error), fix="choose another place with -o"
        ) from error
    try:
        from fcntl import LOCK_EX, flock
    except ImportError:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        flock(handle, LOCK_EX)
        yield
    finally:
        os.close(handle)
