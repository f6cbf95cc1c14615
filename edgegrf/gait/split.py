# SPDX-License-Identifier: Apache-2.0
"""The split by subject: nobody's walks are on both sides, since splits by record flatter."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol, TypeVar

from edgegrf.errors import DataError

__all__ = ["is_validation", "split_by_subject"]

_EVERY = 7


class _OfSubject(Protocol):
    @property
    def subject(self) -> str: ...


_Item = TypeVar("_Item", bound=_OfSubject)


def is_validation(subject: str) -> bool:
    """Whether a subject ("GaCo07") is held out: the number at the end of the id is divisible by 7.

    Raises DataError for an id that does not end in a number.
    """
    number = re.search(r"\d+$", subject)
    if number is None:
        raise DataError(
            f"subject '{subject}' has no number",
            why="validation subjects are those whose number is divisible by 7",
            fix="name subjects like S01, S02, ... (subject in the column map of a CSV)",
        )
    return int(number.group()) % _EVERY == 0


def split_by_subject(items: Iterable[_Item]) -> tuple[list[_Item], list[_Item]]:
    """Training and validation items (recordings, trials: anything with a `subject`), in their order."""
    training: list[_Item] = []
    validation: list[_Item] = []
    for item in items:
        (validation if is_validation(item.subject) else training).append(item)
    return training, validation
