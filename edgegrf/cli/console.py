# SPDX-License-Identifier: Apache-2.0
"""What every command shows a person: progress on stderr, tables and JSON on stdout."""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import click

from edgegrf.progress import Progress

__all__ = ["print_json", "print_table", "progress_bar", "say"]


_NUMBER = re.compile(r"$|[-+]?\d")

#: columns of a table that goes into a file or a pipe
_PIPED_WIDTH = 110

#: what stays on one line in the first column
_LONGEST_NAME = 40


def say(text: str, *, quiet: bool = False) -> None:
    """A line for the person at the terminal, on stderr, so that stdout stays the result's."""
    if not quiet:
        click.echo(text, err=True)


def print_json(record: Any) -> None:
    """The result as strict JSON on stdout: what could not be computed (NaN, infinity) is null."""
    click.echo(json.dumps(_finite(record), indent=2, default=str, allow_nan=False))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list | tuple) else value


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table on stdout; columns of numbers are aligned right, others left; names in the first stay whole.

    Text is shown as it is: "[counts]" is a unit and no markup.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    cells = [[str(cell) for cell in row] for row in rows]
    for index, column in enumerate(columns):
        numbers = all(_NUMBER.match(row[index]) for row in cells)
        names = index == 0 and all(len(row[0]) <= _LONGEST_NAME for row in cells)
        side: Literal["left", "right"] = "right" if numbers else "left"
        table.add_column(Text(column), justify=side, overflow="fold", no_wrap=names)
    for row in cells:
        table.add_row(*map(Text, row))
    console = Console()
    console = console if console.is_terminal else Console(width=_PIPED_WIDTH)
    console.print(Text(title, style="bold"))
    console.print(table)


@contextlib.contextmanager
def progress_bar(*, quiet: bool = False) -> Iterator[Progress]:
    """A progress callback drawn on stderr (nothing when quiet or not a terminal); restores the terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        tasks: dict[str, Any] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage)
            bar.update(tasks[stage], completed=done, total=total or None)

        yield report
