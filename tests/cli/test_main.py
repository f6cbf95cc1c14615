# SPDX-License-Identifier: Apache-2.0
"""The table of commands, and how errors leave the program."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from edgegrf.cli.console import print_json, print_table
from edgegrf.cli.table import COMMANDS, main
from edgegrf.errors import CheckFailedError, EdgegrfError, LinkError, MissingToolError, ModelError

_table = main.__globals__["_edgegrf"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    result = CliRunner().invoke(_table, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert f"edgegrf {name}" in result.output.split("Options:")[-1], "an example in the epilog"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CheckFailedError("no"), 1),
        (ModelError("bad", why="because", fix="that"), 2),
        (LinkError("silent"), 3),
        (MissingToolError("absent"), 4),
        (KeyboardInterrupt(), 130),
    ],
)
def test_errors_become_text_and_an_exit_code(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(_table, "main", fail)
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == code
    said = capsys.readouterr().err
    assert "Traceback" not in said
    if isinstance(error, EdgegrfError):
        assert said.splitlines()[0] == f"edgegrf: {error.what}"
        assert len(said.splitlines()) <= 3


def test_an_unknown_command_is_a_usage_error() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from edgegrf.cli import main; main()", "exprot"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "No such command" in done.stderr


def test_a_check_that_says_no_exits_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_table, "main", lambda **_: 1)
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 1


def test_json_is_strict(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"r": float("nan"), "walks": [1.5, float("inf")], "name": None})
    assert json.loads(capsys.readouterr().out, parse_constant=pytest.fail) == {
        "r": None, "walks": [1.5, None], "name": None,
    }  # fmt: skip


def test_cells_of_a_wide_table_are_folded_and_its_names_whole(capsys: pytest.CaptureFixture[str]) -> None:
    name, other = "blocks.17.pointwise.norm", "b" * 90
    print_table("", ("what", "of", "value"), [(name, "a" * 60, other)])
    text = capsys.readouterr().out
    assert "…" not in text and name in text
    rows = [line.split("│")[1:4] for line in text.splitlines() if line.startswith("│")]
    assert "".join(row[2].strip() for row in rows) == other


def test_a_table_keeps_units_in_brackets_and_cuts_nothing_off(capsys: pytest.CaptureFixture[str]) -> None:
    long = "virtual:" + "x" * 130
    print_table(
        "a title that is longer than its table [N]", ("offset [counts]", "how"), [(1, "[b]"), (2, long)]
    )
    said = capsys.readouterr().out
    assert said.splitlines()[0] == "a title that is longer than its table [N]"
    assert "offset [counts]" in said and "[b]" in said and said.count("x") == 130 and "…" not in said
