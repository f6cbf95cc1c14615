# SPDX-License-Identifier: Apache-2.0
"""Whose code lies where in an image, so that what runs can be counted by owner."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass

from edgegrf.errors import UsageError

__all__ = ["Owners", "Span"]


@dataclass(frozen=True, order=True)
class Span:
    """Code from `start` up to `end` that belongs to `owner` (1, 2, ...)."""

    start: int
    end: int
    owner: int


class Owners:
    """Finds the owner of a block; raises UsageError for spans that overlap or owners beyond `most`."""

    def __init__(self, spans: Sequence[Span], *, most: int = 1024) -> None:
        self._spans = sorted(spans)
        self._starts = [span.start for span in self._spans]
        self.count = 1 + max((span.owner for span in spans), default=0)  # owner 0 is everyone else
        if self.count > most or any(span.owner < 1 for span in spans):
            raise UsageError(f"owners are counted from 1 to {most - 1}")
        for one, other in zip(self._spans, self._spans[1:], strict=False):
            if one.end > other.start:
                raise UsageError(f"the code of owners {one.owner} and {other.owner} overlaps")

    def of(self, address: int, size: int) -> int:
        """The owner of the last span that a block touches; 0 for a block that touches none and so works for
        whoever ran before it."""
        place = bisect.bisect_left(self._starts, address + size) - 1
        if place < 0 or address >= self._spans[place].end:
            return 0
        return self._spans[place].owner
