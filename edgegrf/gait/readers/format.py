# SPDX-License-Identifier: Apache-2.0
"""What a reader of one file format offers to the table of formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edgegrf.gait.recording import Recording

__all__ = ["Format", "Subjects", "Walk", "every_subject"]

#: says of a subject's id whether its walks are wanted
Subjects = Callable[[str], bool]

#: one walk: the recordings of its one or two feet
Walk = list[Recording]


@dataclass(frozen=True)
class Format:
    """A file format: `claims` a path of a folder by its name, `read` yields walk after walk, lazily.

    `read(path, columns, subjects)` raises DataError; `columns` is the column map given by the user.
    """

    name: str
    claims: Callable[[Path], bool]
    read: Callable[[Path, Path | None, Subjects], Iterator[Walk]]


def every_subject(subject: str) -> bool:
    """The choice of subjects that takes them all."""
    return True
