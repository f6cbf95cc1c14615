# SPDX-License-Identifier: Apache-2.0
"""How long work reports itself: a callback, so that no layer below `cli/` knows a terminal."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress", "silent"]

#: called as progress(stage, done, total); total 0 means unknown
Progress = Callable[[str, int, int], None]


def silent(stage: str, done: int, total: int) -> None:
    """The progress callback that shows nothing."""
