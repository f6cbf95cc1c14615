# SPDX-License-Identifier: Apache-2.0
"""The split by subject: nobody's walks are on both sides, since splits by record flatter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from edgegrf.errors import DataError

__all__ = ["BY_SEVEN", "Split", "fold", "is_validation", "split_by_subject", "standing"]

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


@dataclass(frozen=True)
class Split:
    """Who is held out, and how a card says so."""

    line: str
    held_out: Callable[[str], bool]


BY_SEVEN = Split("by subject: validation where the subject's number is divisible by 7", is_validation)


def standing(subjects: Iterable[str]) -> Split:
    """The split that every command makes of these subjects: BY_SEVEN where it leaves people on both sides.

    Else every seventh of the names in their order is held out, or the last; of one subject nobody.
    """
    everyone = sorted(set(subjects))
    numbered = all(re.search(r"\d+$", subject) for subject in everyone)
    if numbered and len({is_validation(subject) for subject in everyone}) == 2:
        return BY_SEVEN
    if len(everyone) < 2:
        return Split("none: there is one subject", lambda subject: False)
    held_out = everyone[_EVERY - 1 :: _EVERY] or everyone[-1:]
    return Split(f"by subject: validation {_some(held_out)}", frozenset(held_out).__contains__)


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def fold(subjects: Iterable[str], index: int, count: int) -> Split:
    """Fold `index` of `count`: every `count`-th of the subjects in the order of their names is held out.

    Raises DataError for more folds than subjects.
    """
    everyone = sorted(set(subjects))
    if not 0 <= index < count or count > len(everyone) or count < 2:
        raise DataError(
            f"fold {index + 1} of {count} with {len(everyone)} subjects",
            fix="2 folds or more, one subject in each",
        )
    held_out = frozenset(everyone[index::count])
    return Split(f"by subject: fold {index + 1} of {count}", held_out.__contains__)


def split_by_subject(items: Iterable[_Item], split: Split = BY_SEVEN) -> tuple[list[_Item], list[_Item]]:
    """Training and validation items (recordings, trials: anything with a `subject`), in their order."""
    training: list[_Item] = []
    validation: list[_Item] = []
    for item in items:
        (validation if split.held_out(item.subject) else training).append(item)
    return training, validation
