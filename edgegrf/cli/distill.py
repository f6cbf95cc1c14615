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
  edgegrf distill --data walks/                        kd; a teacher is trained first, beside the student
  edgegrf distill --sensors heel,toe --data walks/     a student of your own insole's sensors
  edgegrf distill --recipe takd --teacher wrn16-3      another teacher by name: dstcn, tcn, wrn28-3...
  edgegrf distill --teacher dstcn --teacher wrn28-1    an ensemble, which teaches better than one
  edgegrf distill --recipe sckd --teacher a/student.pt --teacher b/student.pt --data gaitpdb
  edgegrf distill --recipe patchswap                                               no teacher at all
  edgegrf distill --recipe takd --show-config > takd.toml                          hyper-parameters to edit
  edgegrf distill --recipe takd --config takd.toml --teacher build/tcn/student.pt -o build/mine
  edgegrf distill --qat 5 --teacher build/tcn/student.pt         the last five epochs train the int8 model
  edgegrf distill --from build/mine/student.pt --qat 5 --teacher build/tcn/student.pt         only those
  edgegrf distill --list

A teacher is a network by name (dstcn, tcn, tcn-centred, wrn16-1, wrn28-1, wrn16-3, wrn28-3, attention),
trained first with the student's sensors, or any student's checkpoint: `edgegrf train --student tcn`.
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
    "--teacher", "teachers", multiple=True, metavar="CHECKPOINT|NAME",
    help="Whom to learn from: a trained network, or one by name, which is trained first; several: the mean "
    "of their estimates.  [default: dstcn, where the recipe has a teacher]",
)  # fmt: skip
@click.option(
    "--teacher-epochs", type=click.IntRange(min=1), help="Passes of a teacher by name.  [default: its own]"
)
@click.option(
    "--list", "as_list", is_flag=True, help="List the recipes with their sources, and do nothing else."
)
@click.option("--show-config", is_flag=True, help="Print all hyper-parameters as TOML, and do nothing else.")
@learning_options
def command(
    recipe: str,
    teachers: tuple[str, ...],
    teacher_epochs: int | None,
    as_list: bool,
    show_config: bool,
    data: Path | None,
    columns: Path | None,
    walks: int | None,
    device: str,
    threads: int | None,
    tensorboard: Path | None,
    out: Path | None,
    as_json: bool,
    **plan: Any,
) -> int:
    from edgegrf.students import require_torch

    require_torch()
    if as_list:
        _list()
        return 0
    course = planned(recipe=recipe, **plan)
    chosen = course.plan
    if show_config:
        from edgegrf.distill.configuration import written_configuration

        click.echo(written_configuration(chosen.settings, chosen.recipe), nl=False)
        return 0
    if teachers and not chosen.recipe.taught:
        raise UsageError(f"the recipe {recipe} has no teacher", fix="leave --teacher out")
    teacher = None
    if chosen.recipe.taught:
        from edgegrf.cli.teaching import teacher_from
        from edgegrf.distill.device import check_device

        check_device(device)
        teacher = teacher_from(
            teachers or ("dstcn",), chosen, out or Path("build") / course.name, epochs=teacher_epochs,
            data=data, columns=columns, walks=walks, device=device, threads=threads, quiet=as_json,
        )  # fmt: skip
    return learn(
        course, data=data, columns=columns, walks=walks, device=device, threads=threads,
        tensorboard=tensorboard, out=out, as_json=as_json, teacher=teacher,
    )  # fmt: skip


def _list() -> None:
    from edgegrf.distill.recipes import RECIPES

    rows = [(name, kind.line, kind.source, kind.grade) for name, kind in RECIPES.items()]
    print_table("recipes", ("recipe", "what it does", "after", "grade"), rows)
