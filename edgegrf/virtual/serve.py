# SPDX-License-Identifier: Apache-2.0
"""A virtual board behind a pseudo terminal, so that any serial program can talk to it."""

from __future__ import annotations

import os
import select
import tty
from collections.abc import Callable

from edgegrf.errors import DeviceError
from edgegrf.virtual.board import VirtualBoard

__all__ = ["serve"]

_CHUNK = 4096
#: virtual time per turn while the board is at work
_TURN_SECONDS = 0.02
#: the longest wait for the host while the board has plans of its own
_WAIT_SECONDS = 0.5


def serve(board: VirtualBoard, *, on_ready: Callable[[str], None]) -> None:
    """Serve `board` on a pty until interrupted; `on_ready` gets the path to open.

    While the board sleeps this waits for the host without using the processor.  The pty stays when the host
    closes it, so that the next one finds the board as it was.  Raises DeviceError where there are no ptys.
    """
    try:
        ours, theirs = os.openpty()
    except OSError as error:
        raise DeviceError("this system has no pseudo terminals", why=str(error)) from error
    try:
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        on_ready(os.ttyname(theirs))
        _exchange(board, ours)
    finally:
        os.close(ours)
        os.close(theirs)


def _exchange(board: VirtualBoard, pty: int) -> None:
    waiting = board.run(_TURN_SECONDS, until="idle")  # for the host to take
    while True:
        waiting = waiting[_write(pty, waiting) :]
        due = board.due_seconds
        timeout = None if due is None else min(due, _WAIT_SECONDS)
        readable, writable, _ = select.select([pty], [pty] if waiting else [], [], timeout)
        if writable:
            continue
        if readable:
            board.feed(os.read(pty, _CHUNK))
        if readable or due is not None:
            waiting += board.run(max(_TURN_SECONDS, timeout or 0.0))


def _write(pty: int, data: bytes) -> int:
    try:
        return os.write(pty, data) if data else 0
    except BlockingIOError:  # the host does not read; select says when there is room
        return 0
