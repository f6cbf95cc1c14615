# SPDX-License-Identifier: Apache-2.0
"""The hyper-parameters of a training as a TOML file: of the trainer [settings], of the recipe [recipe]."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from edgegrf.distill.bounds import wrong
from edgegrf.distill.recipes import RECIPES
from edgegrf.distill.recipes.recipe import Recipe
from edgegrf.distill.settings import Settings
from edgegrf.errors import UnknownNameError, UsageError

__all__ = ["changed", "read_configuration", "recipe_of", "written_configuration"]

_Fields = TypeVar("_Fields", Settings, Recipe)


def read_configuration(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """([settings], [recipe]) of a TOML file; raises UsageError for an unreadable one and for other tables."""
    try:
        content = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"cannot read the configuration {path}", why=str(error)) from error
    for table, values in content.items():
        if table not in ("settings", "recipe") or not isinstance(values, dict):
            raise UsageError(
                f"{path}: '{table}' is no table of a configuration",
                fix="edgegrf distill --recipe NAME --show-config prints one to start from",
            )
    return content.get("settings", {}), content.get("recipe", {})


def recipe_of(name: str, values: Mapping[str, Any]) -> Recipe:
    """A recipe by name with those hyper-parameters; raises UnknownNameError, UsageError."""
    if name not in RECIPES:
        raise UnknownNameError("recipe", name, RECIPES)
    return changed(RECIPES[name](), values)


def changed(fields: _Fields, values: Mapping[str, Any]) -> _Fields:
    """A dataclass of numbers with some of them changed; raises UsageError for others and for wrong ones."""
    known = {field.name: getattr(fields, field.name) for field in dataclasses.fields(fields)}
    for key, value in values.items():
        if key not in known:
            raise UnknownNameError("hyper-parameter", key, known)
        right = (int, float) if isinstance(known[key], float) else (int,)
        if not isinstance(value, right) or isinstance(value, bool):
            raise UsageError(f"hyper-parameter {key} = {value!r}", why=f"it is a {type(known[key]).__name__}")
        if why := wrong(type(fields), key, value):
            raise UsageError(f"hyper-parameter {key} = {value!r}", why=why)
    return dataclasses.replace(fields, **values)


def written_configuration(settings: Settings, recipe: Recipe) -> str:
    """The TOML of all hyper-parameters as they are."""
    lines = [f"# {recipe.name}: {recipe.line}", f"# {recipe.source}; grade {recipe.grade}"]
    for table, fields in (("settings", settings), ("recipe", recipe)):
        lines += ["", f"[{table}]"]
        lines += [f"{field.name} = {getattr(fields, field.name):.9g}" for field in dataclasses.fields(fields)]
    return "\n".join(lines) + "\n"
