# SPDX-License-Identifier: Apache-2.0
"""What a sweep is: a small TOML file."""

from __future__ import annotations

import dataclasses
import itertools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgegrf.distill.configuration import recipe_of
from edgegrf.distill.plans import Plan, plan_of
from edgegrf.errors import UsageError

__all__ = ["SUBJECTS", "Cell", "Sweep", "read_sweep"]

#: folds: leave one subject out
SUBJECTS = "subjects"


@dataclass(frozen=True)
class Cell:
    """One training of a sweep; fold -1: the standing split by sevens."""

    student: str
    recipe: str
    seed: int
    fold: int

    @property
    def place(self) -> Path:
        """Its folder, below the sweep's."""
        return (
            Path(self.student)
            / self.recipe
            / f"seed{self.seed}{f'-fold{self.fold}' if self.fold >= 0 else ''}"
        )


@dataclass(frozen=True)
class Sweep:
    """What is combined with what.

    `folds`: 0 the standing split, a number of folds by subject, or "subjects".  `settings` change the
    students' own, `recipe` the hyper-parameters of a recipe.  The teacher is a student's plan; it is trained
    for each fold, so that it never saw who is held out.
    """

    students: tuple[str, ...]
    recipes: tuple[str, ...] = ("none",)
    seeds: tuple[int, ...] = (1, 2, 3)
    folds: int | str = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    teacher: Mapping[str, Any] = field(default_factory=dict)
    board: str = "nrf52840dk"

    def cells(self, folds: int) -> list[Cell]:
        """Every training, in order; `folds` is their number once the subjects are known, 0 for the split."""
        places = range(folds) if folds else (-1,)
        return [Cell(*one) for one in itertools.product(self.students, self.recipes, self.seeds, places)]

    def plan(self, cell: Cell) -> Plan:
        """The plan of a cell."""
        _, plan = plan_of(cell.student, None, {}, {**self.settings, "seed": cell.seed})
        return dataclasses.replace(plan, recipe=recipe_of(cell.recipe, self.recipe.get(cell.recipe, {})))

    def teacher_plan(self) -> Plan:
        """The plan of the teacher; raises UsageError where none is described."""
        if not self.teacher:
            raise UsageError(
                "the sweep has recipes with a teacher, and no [teacher]", fix='[teacher] architecture = "tcn"'
            )
        told = dict(self.teacher)
        interface = {"lookahead": told.pop("lookahead")} if "lookahead" in told else {}
        architecture, hyper = told.pop("architecture", "tcn"), told.pop("hyper", {})
        return plan_of(None, architecture, hyper, told, interface)[1]


def read_sweep(path: Path) -> Sweep:
    """The sweep of a TOML file; every student, recipe and number is checked.  Raises UsageError."""
    try:
        told = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"cannot read the sweep {path}", why=str(error)) from error
    known = {one.name for one in dataclasses.fields(Sweep)}
    if unknown := sorted(set(told) - known):
        raise UsageError(f"{path}: unknown key '{unknown[0]}'", fix=f"known: {', '.join(sorted(known))}")
    if not told.get("students"):
        raise UsageError(f"{path} names no students", fix='students = ["insole4-dstcn16"]')
    lists: dict[str, Any] = {key: tuple(told[key]) for key in ("students", "recipes", "seeds") if key in told}
    told.update(lists)
    sweep = Sweep(**told)
    if not (
        sweep.folds == SUBJECTS or (isinstance(sweep.folds, int) and (sweep.folds == 0 or sweep.folds >= 2))
    ):
        raise UsageError(f"{path}: folds = {sweep.folds!r}", fix=f'0, a number from 2 on, or "{SUBJECTS}"')
    for cell in sweep.cells(0):
        plan = sweep.plan(cell)
        if plan.recipe.taught:
            sweep.teacher_plan()
    return sweep
