# SPDX-License-Identifier: Apache-2.0
"""What a hyper-parameter may be, said in its type: `share: Share = 0.99`.  Without a word: 0 or more."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, get_type_hints

__all__ = ["Count", "Kept", "Positive", "Share", "wrong"]


@dataclass(frozen=True)
class _Bound:
    line: str
    holds: Callable[[float], bool]


_OTHERS = _Bound("0 or more", lambda value: 0 <= value < math.inf)
_POSITIVE = _Bound("more than 0", lambda value: 0 < value < math.inf)

#: of something there has to be
Count = Annotated[int, _POSITIVE]
#: what divides, or is worth nothing at 0
Positive = Annotated[float, _POSITIVE]
#: a part of a whole
Share = Annotated[float, _Bound("from 0 to 1", lambda value: 0 <= value <= 1)]
#: what is kept of something from step to step: never all of it
Kept = Annotated[float, _Bound("0 or more and less than 1", lambda value: 0 <= value < 1)]


def wrong(fields: type[Any], key: str, value: float) -> str:
    """What a number of that name has to be, where it is not; else nothing."""
    (bound,) = getattr(get_type_hints(fields, include_extras=True)[key], "__metadata__", (_OTHERS,))
    return "" if bound.holds(value) else f"it is {bound.line}"
