# SPDX-License-Identifier: Apache-2.0
"""`edgegrf distill`: a student learns from walks and from a teacher."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgegrf.cli.console import print_table
from edgegrf.cli.learning import learn, learning_options, planned
from edgegrf.errors import UsageError

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  edgegrf distill --recipe kd --teacher build/tcn/student.pt --data gaitpdb
  edgegrf distill --recipe sckd --teacher a/student.pt --teacher b/student.pt      an ensemble teaches
  edgegrf distill --recipe patchswap                                               no teacher at all
  edgegrf distill --recipe takd --show-config > takd.toml                          hyper-parameters to edit
  edgegrf distill --recipe takd --config takd.toml --teacher build/tcn/student.pt -o build/mine
  edgegrf distill --list

A teacher is any student's checkpoint: `edgegrf train --architecture tcn --hyper channels=64`.
"""


@click.command(
    epilog=EXAMPLES,
    help="Train a student with a recipe of the distillation papers. A run that was killed or stopped by "
    "Ctrl-C goes on where it was when the same command is given again.",
)
@click.option(
    "--recipe", default="kd", show_default=True, metavar="NAME", help="How it learns; --list shows all."
)
@click.option(
    "--teacher", "teachers", multiple=True, metavar="CHECKPOINT",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A trained network to learn from; several: the mean of their estimates.",
)  # fmt: skip
@click.option(
    "--list", "as_list", is_flag=True, help="List the recipes with their sources, and do nothing else."
)
@click.option("--show-config", is_flag=True, help="Print all hyper-parameters as TOML, and do nothing else.")
@learning_options
def command(
    recipe: str,
    teachers: tuple[Path, ...],
    as_list: bool,
    show_config: bool,
    data: Path | None,
    columns: Path | None,
    walks: int | None,
    device: str,
    threads: int | None,
    out: Path | None,
    as_json: bool,
    **plan: Any,
) -> int:
    from edgegrf.students import require_torch

    require_torch()
    if as_list:
        _list()
        return 0
    name, chosen = planned(recipe=recipe, **plan)
    if show_config:
        from edgegrf.distill.configuration import written_configuration

        click.echo(written_configuration(chosen.settings, chosen.recipe), nl=False)
        return 0
    if chosen.recipe.taught != bool(teachers):
        raise UsageError(
            f"the recipe {recipe} {'needs a teacher' if chosen.recipe.taught else 'has no teacher'}",
            fix="--teacher CHECKPOINT, made by edgegrf train"
            if chosen.recipe.taught
            else "leave --teacher out",
        )
    from edgegrf.distill.teacher import load_teacher

    teacher = load_teacher(teachers) if teachers else None
    return learn(
        name, chosen, data=data, columns=columns, walks=walks, device=device, threads=threads, out=out,
        as_json=as_json, teacher=teacher,
    )  # fmt: skip


def _list() -> None:
    from edgegrf.distill.recipes import RECIPES

    rows = [(name, kind.line, kind.source, kind.grade) for name, kind in RECIPES.items()]
    print_table("recipes", ("recipe", "what it does", "after", "grade"), rows)
