# SPDX-License-Identifier: Apache-2.0
"""Replacing the text between `<!-- NAME -->` and `<!-- /NAME -->` in a Markdown file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from edgegrf.errors import UsageError
from edgegrf.files import write_file

__all__ = ["fill", "table"]


def fill(path: Path, name: str, text: str) -> None:
    """Put `text` between the marks `name` of `path`; raises UsageError without exactly one such pair."""
    pattern = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- /{re.escape(name)} -->)", re.DOTALL)
    filled, count = pattern.subn(
        lambda match: match[1] + text.rstrip("\n") + "\n" + match[2], path.read_text()
    )
    if count != 1:
        raise UsageError(f"{path}: {count} places marked '{name}', expected 1")
    write_file(path, filled)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table, its first column left-aligned, the others right."""
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
