# SPDX-License-Identifier: Apache-2.0
"""A sweep as a small TOML file."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from edgegrf.errors import UsageError
from edgegrf.sweep.plan import ALONE, SUBJECTS, Sweep, Variant

__all__ = ["read_sweep"]

_NAME = re.compile(r"[\w][\w.+-]*")  # it becomes a folder's
_KEYS = {one.name for one in dataclasses.fields(Sweep)} | {"recipes", "recipe"}
_LISTS = ("students", "recipes", "seeds", "variants")
_TABLES = ("settings", "student", "recipe")


def read_sweep(path: Path, teachers: Sequence[Path] = ()) -> Sweep:
    """The sweep of a TOML file; every student, recipe and number is checked.  Raises UsageError.

    Checkpoints given as `teachers` take the place of its [teacher].
    """
    try:
        told = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"cannot read the sweep {path}", why=str(error)) from error
    _known(path, "", told, _KEYS)
    for keys, kind, name in ((_LISTS, list, "list"), (_TABLES, dict, "table")):
        for key in keys:
            if not isinstance(told.get(key, kind()), kind):
                raise UsageError(f"{path}: {key} = {told[key]!r}", why=f"it is a {name}")
    if not told.get("students"):
        raise UsageError(f"{path} names no students", fix='students = ["insole4-dstcn16"]')
    recipe, recipes = told.pop("recipe", {}), told.pop("recipes", None)
    variants = [Variant(name, name, recipe.get(name, {})) for name in recipes or ()]
    variants += [_variant(path, one, recipe) for one in told.pop("variants", ())]
    told["variants"] = tuple(variants) or (Variant(ALONE),)
    told["teacher"] = _teachers(path, told.get("teacher", []))
    if teachers:
        told["teacher"] = tuple({"checkpoint": str(one.absolute())} for one in teachers)
    told.update({key: tuple(told[key]) for key in _LISTS if key in told})
    sweep = Sweep(**told)
    _check(path, sweep)
    return sweep


def _known(path: Path, where: str, told: Mapping[str, Any], known: Collection[str]) -> None:
    if unknown := sorted(set(told) - set(known)):
        raise UsageError(
            f"{path}{where}: unknown key '{unknown[0]}'", fix=f"known: {', '.join(sorted(known))}"
        )


def _variant(path: Path, told: Any, recipes: Mapping[str, Any]) -> Variant:
    keys = {one.name for one in dataclasses.fields(Variant)}
    if not isinstance(told, dict) or "name" not in told:
        raise UsageError(f"{path}: a variant without a name", fix='[[variants]] name = "kd-strong"')
    _known(path, f", variant '{told['name']}'", told, keys)
    recipe = told.get("recipe", ALONE)
    changed = {
        "hyper": {**recipes.get(recipe, {}), **told.get("hyper", {})},
        "students": tuple(told.get("students", ())),
        "teacher": _teachers(path, told.get("teacher", [])),
    }
    return Variant(**{**told, **changed})


def _teachers(path: Path, told: Any) -> tuple[Mapping[str, Any], ...]:
    """One table or several; a checkpoint's path is relative to the file."""
    tables = [told] if isinstance(told, dict) else told
    if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
        raise UsageError(f"{path}: teacher = {told!r}", why="it is a table, or a list of tables")
    return tuple(
        {**one, "checkpoint": str((path.parent / one["checkpoint"]).absolute())}
        if "checkpoint" in one
        else one
        for one in tables
    )


def _check(path: Path, sweep: Sweep) -> None:
    """Raises UsageError for names that are no folders' or come twice, and for plans that do not exist."""
    if sweep.folds != SUBJECTS and (type(sweep.folds) is not int or sweep.folds == 1 or sweep.folds < 0):
        raise UsageError(f"{path}: folds = {sweep.folds!r}", fix=f'0, a number from 2 on, or "{SUBJECTS}"')
    for kind, names in (
        ("student", sweep.students),
        ("variant", [one.name for one in sweep.variants]),
        ("seed", sweep.seeds),
    ):
        told = [str(name) for name in names]
        for name in told:
            if told.count(name) > 1:
                raise UsageError(f"{path}: the {kind} {name} comes twice")
            if not _NAME.fullmatch(name):
                raise UsageError(
                    f"{path}: {kind} '{name}' makes no folder's name", fix="letters, digits, . + - _"
                )
    cells = sweep.cells(0)
    named = {*sweep.student, *(name for one in sweep.variants for name in one.students)}
    for student in (*sweep.students, *sorted(named)):
        if not any(cell.student == student for cell in cells):
            raise UsageError(
                f"{path}: the student {student} is never trained",
                why="no variant is for it, or students does not name it",
            )
    for cell in cells:
        sweep.plan(cell)
        sweep.teachers(cell)
