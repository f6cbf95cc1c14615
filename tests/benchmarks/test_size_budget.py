# SPDX-License-Identifier: Apache-2.0
"""`make size`: within the budget 0, past it 1 with the numbers, and budgets that are none."""

from __future__ import annotations

import json
import tomllib

import pytest

from benchmarks import size
from benchmarks.size import BUDGET, KINDS, Size, check, measure, read_budget
from edgegrf.boards import board
from edgegrf.errors import CheckFailedError, UsageError
from edgegrf.resources import DEFAULT_STUDENT, shipped_students

LIMITS = {"flash": 100, "ram": 50, "stack": 10}
BUDGETS = {"nrf52840dk": {"a": LIMITS, "b": LIMITS}}


def test_at_the_limit_is_within_it():
    check([Size("nrf52840dk", "a", 100, 50, 10), Size("nrf52840dk", "b", 1, 1, 1)], BUDGETS)


@pytest.mark.parametrize("kind", KINDS)
def test_one_byte_past_a_limit_fails_with_the_numbers(kind):
    over = Size("nrf52840dk", "b", **(LIMITS | {kind: LIMITS[kind] + 1}))
    with pytest.raises(CheckFailedError) as caught:
        check([Size("nrf52840dk", "a", 1, 1, 1), over], BUDGETS)
    assert f"b on nrf52840dk: {kind} {LIMITS[kind] + 1} B, budget {LIMITS[kind]} B" in caught.value.what
    assert caught.value.exit_code == 1 and len(caught.value.lines()) == 3


def test_the_budget_has_every_student_and_says_why():
    budget = read_budget(BUDGET)
    for target, models in budget.items():
        assert set(models) == set(shipped_students())
        for kinds in models.values():
            assert kinds["flash"] <= board(target).flash_size and kinds["ram"] <= board(target).ram_size
            assert 2 * kinds["stack"] <= board(target).stack_size
    given = [line for line in BUDGET.read_text().splitlines() if " = " in line]
    assert len(given) == len(KINDS) * sum(map(len, budget.values()))
    assert all(len(line.partition("# ")[2]) > 5 for line in given)


def test_a_students_image_is_measured_and_fits():
    found = measure("nrf52840dk", DEFAULT_STUDENT)
    check([found], read_budget(BUDGET))
    assert found.flash > 6_000 and found.ram > 2_000 and 100 < found.stack < 576


@pytest.fixture
def main(tmp_path, monkeypatch, capsys):
    """The program with sizes that need no build."""
    monkeypatch.setattr(
        size, "measure", lambda target, model, compiler: Size(target, model, 9_000, 8_000, 300)
    )

    def run(*arguments, **changes):
        records = tomllib.loads(BUDGET.read_text())
        records["nrf52840dk"][DEFAULT_STUDENT] |= changes
        path = tmp_path / "budget.toml"
        lines = []
        for target, models in records.items():
            for model, kinds in models.items():
                lines += [f"[{target}.{model}]", *(f"{kind} = {limit}" for kind, limit in kinds.items())]
        path.write_text("\n".join(lines))
        return size.main(["--budget", str(path), *arguments]), *capsys.readouterr()

    return run


def test_the_exit_code_is_the_answer(main):
    code, out, err = main()
    limit = read_budget(BUDGET)["nrf52840dk"][DEFAULT_STUDENT]["flash"]
    assert (code, err) == (0, "") and f"| nrf52840dk | {DEFAULT_STUDENT} | 9000 of {limit} |" in out
    code, out, err = main(flash=8_999)
    assert code == 1 and "flash 9000 B, budget 8999 B" in err and DEFAULT_STUDENT in out


def test_json_names_what_is_over(main):
    code, out, _ = main("--json", stack=299)
    record = json.loads(out)
    assert code == 1 and len(record["sizes"]) == sum(map(len, read_budget(BUDGET).values()))
    assert record["over"] == [
        {"board": "nrf52840dk", "model": DEFAULT_STUDENT, "kind": "stack", "bytes": 300, "budget": 299}
    ]


@pytest.mark.parametrize(
    "text",
    ["flash = ", "[nrf52840dk.nobody]\nflash = 1\n", "[no_such_board.x]\n", "", "nrf52840dk = 1\n"],
    ids=["no TOML", "students missing", "no such board", "empty", "no table"],
)
def test_what_is_no_budget_is_refused(text, tmp_path):
    path = tmp_path / "budget.toml"
    path.write_text(text)
    with pytest.raises(UsageError):
        read_budget(path)
    with pytest.raises(UsageError):
        read_budget(tmp_path / "absent.toml")


def test_a_budget_without_a_kind_is_refused(tmp_path):
    path = tmp_path / "budget.toml"
    path.write_text(BUDGET.read_text().replace("stack = 576", "stock = 576", 1))
    with pytest.raises(UsageError, match="not flash, ram and stack"):
        read_budget(path)
