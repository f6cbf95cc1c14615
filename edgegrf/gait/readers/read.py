# SPDX-License-Identifier: Apache-2.0
"""Reading walks from whatever is there: a file or a folder of a known format."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from edgegrf.errors import DataError
from edgegrf.gait.readers.archive import ARCHIVE
from edgegrf.gait.readers.format import Format, Subjects, Walk, every_subject
from edgegrf.gait.readers.gaitpdb import GAITPDB_TEXT
from edgegrf.gait.readers.packed import PACKED_WALKS, members
from edgegrf.gait.readers.plain_csv import PLAIN_CSV
from edgegrf.gait.recording import Recording
from edgegrf.progress import Progress, silent
from edgegrf.resources import cache_folder

__all__ = ["FORMATS", "default_data", "read_walks", "walk_files"]

#: a folder is read in the first of these that has files in it
FORMATS: tuple[Format, ...] = (PACKED_WALKS, GAITPDB_TEXT, ARCHIVE, PLAIN_CSV)

_STAGE = "read walks"


def read_walks(
    path: Path,
    *,
    limit: int | None = None,
    columns: Path | None = None,
    subjects: Subjects = every_subject,
    progress: Progress = silent,
) -> list[Recording]:
    """The recordings of a file or folder in any readable format; left and right foot are separate.

    `limit` counts walks (the two feet of a walk are one) among those of the chosen `subjects`, and
    nothing behind the last one is decoded.  `columns` is the column map of CSV files.
    Raises DataError for what is absent, empty, truncated or not understood.
    """
    walks = []
    for walk in islice(_walks(path, columns, subjects), limit):
        walks.append(walk)
        progress(_STAGE, len(walks), limit or 0)
    if not walks and limit != 0:
        raise DataError(f"{path} holds no walk of the subjects that were asked for")
    return [recording for walk in walks for recording in walk]


def default_data() -> Path | None:
    """Where walks are when nobody says: `EDGEGRF_DATA`, else what `edgegrf data fetch` left, else None."""
    named = os.environ.get("EDGEGRF_DATA")
    if named:
        return Path(named)
    fetched = cache_folder() / "gaitpdb"
    return fetched if fetched.is_dir() and _of_folder(fetched) else None


def walk_files(path: Path) -> list[Path]:
    """The files that `read_walks(path)` reads, in its order; raises DataError when there are none."""
    return _files(path)[1]


def _walks(path: Path, columns: Path | None, subjects: Subjects) -> Iterator[Walk]:
    form, files = _files(path)
    for file in files:
        yield from form.read(file, columns, subjects)


def _files(path: Path) -> tuple[Format, list[Path]]:
    if not path.exists():
        raise DataError(
            f"{path} does not exist", fix="name another file or folder, or edgegrf data fetch gaitpdb"
        )
    if not path.is_dir():
        return _format_of(path), [path]
    found = _of_folder(path)
    if found is None:
        raise DataError(
            f"{path} holds no walks",
            why="no walks.npz, GaCo01_01.txt, .npz or .csv in it",
            fix="edgegrf data fetch gaitpdb, or edgegrf data make -o FOLDER",
        )
    return found


def _of_folder(folder: Path) -> tuple[Format, list[Path]] | None:
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise DataError(f"cannot read {folder}", why=error.strerror or str(error)) from error
    for form in FORMATS:
        claimed = [path for path in files if form.claims(path)]
        if claimed:
            return form, claimed
    return None


def _format_of(path: Path) -> Format:
    """The format of a file: an `.npz` by its arrays, text by its ending."""
    if path.suffix == ".npz":
        return PACKED_WALKS if "newton_per_count" in members(path) else ARCHIVE
    if path.suffix == ".txt":
        return GAITPDB_TEXT
    if path.suffix in (".csv", ".tsv"):
        return PLAIN_CSV
    raise DataError(
        f"{path}: no reader for '{path.suffix}' files",
        why="readable: .txt (gaitpdb), .npz, .csv with a column map",
        fix="convert it to CSV (docs/data.md)",
    )
