# SPDX-License-Identifier: Apache-2.0
"""Text tables of numbers: read fast, and refused by line number when they are broken."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import DataError

__all__ = ["numbers", "rate_of", "text_of"]


def text_of(path: Path) -> str:
    """The text of a file without its byte-order mark; raises DataError when unreadable, binary or empty."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"cannot read {path}", why=error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not text",
            why=f"byte {error.start} is not UTF-8",
            fix="save it as UTF-8 text, or give the folder of walks",
        ) from error
    if not text.strip():
        raise DataError(f"{path} is empty", why="the file has no lines", fix="fetch or record it again")
    return text


def numbers(
    text: str, *, path: Path, delimiter: str, columns: int, first_line: int = 1
) -> NDArray[np.float64]:
    """The rows of a text table [T, columns]; `first_line` is where the text begins in its file.

    Raises DataError naming the first line that has another number of columns or holds no number.
    """
    if not text.strip():
        raise DataError(
            f"{path} has no data", why=f"nothing stands from line {first_line} on", fix="record it again"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = np.loadtxt(io.StringIO(text), delimiter=delimiter, comments=None, ndmin=2)
    except ValueError as error:
        raise _broken_line(text, path, delimiter, columns, first_line) or DataError(
            f"{path}: not a table of numbers", why=str(error), fix="edgegrf data check PATH"
        ) from error
    if table.shape[1] != columns:
        raise _broken_line(text, path, delimiter, columns, first_line) or DataError(
            f"{path}: {table.shape[1]} columns where {columns} belong", fix="edgegrf data check PATH"
        )
    return table


def rate_of(time_s: NDArray[np.float64], *, path: Path, first_line: int = 1) -> float:
    """The sample rate in Hz of a time column [T] in s; raises DataError naming the line of the first gap."""
    steps = np.diff(time_s)
    usual = float(np.median(steps)) if len(steps) else 0.0
    if not usual > 0:
        raise DataError(
            f"{path}: time does not run in its {len(time_s)} lines",
            why="a walk needs two lines or more, in order of time in s",
            fix="record it again, or correct the time column",
        )
    wrong = np.flatnonzero(~(np.abs(steps - usual) < 0.5 * usual))
    if len(wrong):
        line = first_line + int(wrong[0]) + 1
        raise DataError(
            f"{path}, line {line}: time steps by {steps[wrong[0]]:.4g} s, not {usual:.4g} s",
            why="lines are missing or out of order",
            fix="fetch or record it again",
        )
    return float(len(steps) / (time_s[-1] - time_s[0]))


def _broken_line(text: str, path: Path, delimiter: str, columns: int, first_line: int) -> DataError | None:
    lines = text.splitlines()
    for index, line in enumerate(lines):
        if not line.strip():
            continue
        where = f"{path}, line {first_line + index}"
        fields = line.rstrip("\r\n").split(delimiter)
        if len(fields) != columns:
            cut = index == len(lines) - 1 and len(fields) < columns
            return DataError(
                f"{where}: {len(fields)} columns where {columns} belong",
                why="the file is cut off in its last line" if cut else "a damaged line, or another format",
                fix="fetch or record it again; or remove that line" if cut else "edgegrf data check PATH",
            )
        for position, value in enumerate(fields, 1):
            if not _is_number(value):
                return DataError(
                    f"{where}, column {position}: '{value.strip()[:40]}' is not a number",
                    why="a damaged line, or another format",
                    fix="correct it, or make it CSV with a column map (docs/data.md)",
                )
    return None


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
