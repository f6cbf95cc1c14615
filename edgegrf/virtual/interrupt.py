# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C while an emulator runs: inside its callbacks a KeyboardInterrupt would be printed and lost."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

__all__ = ["interrupt_held"]


@contextlib.contextmanager
def interrupt_held() -> Iterator[Callable[[], bool]]:
    """Hold SIGINT back inside the block; gives a function that says whether it came.

    What the process had set for SIGINT happens when the block ends.  Outside the main thread, where no
    signal arrives, this does nothing.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield lambda: False
        return
    came: list[FrameType | None] = []
    signal.signal(signal.SIGINT, lambda number, frame: came.append(frame))
    try:
        yield lambda: bool(came)
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        before(signal.SIGINT, came[0])
