# SPDX-License-Identifier: Apache-2.0
"""Result tables land between their marks and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.marks import fill, table
from edgegrf.errors import UsageError


def test_fill_replaces_what_stands_between_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- a -->\nold\n<!-- /a -->\nafter\n")
    fill(page, "a", "new \\1\nlines")
    assert page.read_text() == "before\n<!-- a -->\nnew \\1\nlines\n<!-- /a -->\nafter\n"


def test_a_missing_mark_is_an_error(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("text")
    with pytest.raises(UsageError):
        fill(page, "a", "new")
    assert page.read_text() == "text"


def test_table_is_markdown() -> None:
    assert table(["x", "y"], [["a", 1]]) == "| x | y |\n| --- | ---: |\n| a | 1 |"
