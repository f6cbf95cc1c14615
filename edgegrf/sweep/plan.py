# SPDX-License-Identifier: Apache-2.0
"""What a sweep is: students and variants of learning, each with each, for every seed and fold."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgegrf.distill.configuration import recipe_of
from edgegrf.distill.plans import Plan, plan_of
from edgegrf.errors import UsageError

__all__ = ["ALONE", "SUBJECTS", "Cell", "Sweep", "TeacherOf", "Variant"]

#: folds: leave one subject out
SUBJECTS = "subjects"

#: the student that every variant is set against
ALONE = "none"

Table = Mapping[str, Any]


@dataclass(frozen=True)
class Variant:
    """A way to learn, by name: a recipe with its hyper-parameters, settings of the trainer, a teacher.

    `students` are those it is for, all without; without teachers of its own it has the sweep's.
    """

    name: str
    recipe: str = ALONE
    hyper: Table = field(default_factory=dict)
    settings: Table = field(default_factory=dict)
    students: tuple[str, ...] = ()
    teacher: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Cell:
    """One training of a sweep; fold -1: the standing split by sevens."""

    student: str
    variant: str
    seed: int
    fold: int

    @property
    def place(self) -> Path:
        """Its folder, below the sweep's."""
        fold = f"-fold{self.fold}" if self.fold >= 0 else ""
        return Path(self.student) / self.variant / f"seed{self.seed}{fold}"


@dataclass(frozen=True)
class TeacherOf:
    """A network that teaches a cell: what it is trained by, or None where the checkpoint is given.

    A checkpoint that is trained lies below the sweep's folder; a given one has an absolute path.
    """

    checkpoint: Path
    plan: Plan | None
    fold: int


@dataclass(frozen=True)
class Sweep:
    """What is combined with what.

    `folds`: 0 the standing split, a number of folds by subject, or "subjects".  `settings` are for all
    students, `student` describes those that are not shipped or shall differ.  A teacher is a network to be
    trained for each fold, so that it never saw who is held out, or a checkpoint; several are an ensemble.
    """

    students: tuple[str, ...]
    variants: tuple[Variant, ...] = (Variant(ALONE),)
    seeds: tuple[int, ...] = (1, 2, 3)
    folds: int | str = 0
    settings: Table = field(default_factory=dict)
    student: Mapping[str, Table] = field(default_factory=dict)
    teacher: tuple[Table, ...] = ()
    board: str = "nrf52840dk"

    def cells(self, folds: int) -> list[Cell]:
        """Every training, in order; `folds` is their number once the subjects are known, 0 for the split."""
        places = range(folds) if folds else (-1,)
        return [
            Cell(student, variant.name, seed, fold)
            for student in self.students
            for variant in self.variants
            if not variant.students or student in variant.students
            for seed in self.seeds
            for fold in places
        ]

    def variant(self, cell: Cell) -> Variant:
        """How a cell learns."""
        return next(one for one in self.variants if one.name == cell.variant)

    def plan(self, cell: Cell) -> Plan:
        """The plan of a cell; raises UsageError for what does not exist or does not fit."""
        variant = self.variant(cell)
        told = {**self.settings, **self.student.get(cell.student, {}), **variant.settings, "seed": cell.seed}
        plan = _network(cell.student, told)
        return dataclasses.replace(plan, recipe=recipe_of(variant.recipe, variant.hyper))

    def teachers(self, cell: Cell) -> list[TeacherOf]:
        """Who teaches a cell; none where its recipe has no teacher.  Raises UsageError without one."""
        variant = self.variant(cell)
        if not self.plan(cell).recipe.taught:
            return []
        told = variant.teacher or self.teacher
        if not told:
            raise UsageError(
                f"the recipe {variant.recipe} has a teacher, and the sweep describes none",
                fix='[teacher] name = "dstcn", or checkpoint = "teacher/student.pt"',
            )
        home = Path("teacher") / (variant.name if variant.teacher else "")
        return [
            self._teacher(one, home / (str(number) if len(told) > 1 else ""), cell.fold)
            for number, one in enumerate(told)
        ]

    def _teacher(self, told: Table, home: Path, fold: int) -> TeacherOf:
        if "checkpoint" not in told:
            place = home / (f"fold{fold}" if fold >= 0 else "split")
            return TeacherOf(place / "student.pt", _teaching(told), fold)
        if unknown := sorted(set(told) - {"checkpoint"}):
            raise UsageError(f"a teacher's checkpoint with '{unknown[0]}'", why="it is trained already")
        if self.folds:
            raise UsageError(
                f"the checkpoint {told['checkpoint']} cannot teach folds",
                why="it may have seen who is held out",
                fix="describe the teacher (architecture, hyper, epochs): each fold trains its own",
            )
        return TeacherOf(Path(told["checkpoint"]).absolute(), None, fold)


def _teaching(told: Table) -> Plan:
    """The plan of a teacher's table: `name` is one of those that are known by name, or of the students."""
    rest = dict(told)
    name = rest.pop("name", None if "architecture" in told else "dstcn")
    if name and "architecture" in told:
        raise UsageError(f"a teacher '{name}' with an architecture", why="its name says which it has")
    return _network(name, rest)


def _network(name: str | None, told: Table) -> Plan:
    """The plan of a table with architecture, hyper, sensors, lookahead, and settings of the trainer."""
    rest = dict(told)
    interface: dict[str, Any] = {key: rest.pop(key) for key in ("sensors", "lookahead") if key in rest}
    if "sensors" in interface:
        interface["sensors"] = tuple(interface["sensors"])
    architecture, hyper = rest.pop("architecture", None), rest.pop("hyper", {})
    return plan_of(name, architecture, hyper, rest, interface)[1]
