# SPDX-License-Identifier: Apache-2.0
"""`edgegrf sweep`: recipes x students x seeds x folds."""

from __future__ import annotations

from pathlib import Path

import click

from edgegrf.cli.console import print_json, print_table, progress_bar, say

__all__ = ["command"]

_EXAMPLES = """\b
Examples:
  edgegrf sweep sweep.toml                           resumes where it was
  edgegrf sweep sweep.toml --workers 4 --report pareto.html
  edgegrf sweep sweep.toml --dask tcp://login:8786   a cluster's workers, on the same file system

\b
sweep.toml:
  students = ["insole4-dstcn16", "wide"]
  recipes = ["none", "kd", "takd"]
  seeds = [1, 2, 3]
  folds = 5                      # 0: the standing split; "subjects": leave one out
  settings = { epochs = 20 }     # of the trainer, for all students
  recipe.kd = { share = 0.5 }
  [student.wide]                 # one that is not shipped; name it in students
  architecture = "dstcn"
  hyper = { channels = 32 }
  lookahead = 8
  [teacher]                      # or [[teacher]] several times: an ensemble
  name = "wrn28-1"               # or architecture and hyper; without folds: checkpoint = "a/student.pt"
  epochs = 8
  [[variants]]                   # beside the recipes: one more way to learn
  name = "takd-spheres"
  recipe = "takd"
  settings = { spheres = 0.01 }
  hyper = { similar = 0.2 }      # and as needed: students = ["wide"], teacher = { ... }
"""


@click.command(epilog=_EXAMPLES)
@click.argument("sweep", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--data", type=click.Path(path_type=Path), help="Walks: a file or folder in any readable format."
)
@click.option(
    "--columns", type=click.Path(path_type=Path, dir_okay=False), help="The column map of CSV files."
)
@click.option(
    "--teacher",
    "teachers",
    multiple=True,
    metavar="CHECKPOINT",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A trained network in place of the file's [teacher]; several: an ensemble.",
)
@click.option(
    "--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes on this machine."
)
@click.option("--dask", default="", metavar="ADDRESS", help="A Dask scheduler whose workers do it instead.")
@click.option(
    "-o",
    "--output",
    "out",
    type=click.Path(path_type=Path),
    help="Folder of all runs.  [default: build/sweep]",
)
@click.option(
    "--report", type=click.Path(path_type=Path, dir_okay=False), help="Write a page with the Pareto plot."
)
@click.option("--json", "as_json", is_flag=True, help="Print every result as JSON.")
def command(
    sweep: Path,
    data: Path | None,
    columns: Path | None,
    teachers: tuple[Path, ...],
    workers: int,
    dask: str,
    out: Path | None,
    report: Path | None,
    as_json: bool,
) -> int:
    """Train every combination that SWEEP names, export each to int8, and judge both on who was held out.

    What has been trained is not trained again unless its plan, walks or teacher have changed; a training
    that was cut short goes on.
    """
    from edgegrf.students import require_torch

    require_torch()
    from edgegrf.manifest import command_line
    from edgegrf.sweep.file import read_sweep
    from edgegrf.sweep.run import run_sweep
    from edgegrf.sweep.summary import COLUMNS, heading, summary, table

    plan = read_sweep(sweep, teachers)
    with progress_bar(quiet=as_json) as progress:
        record = run_sweep(
            plan,
            out or Path("build/sweep"),
            data=data,
            columns=columns,
            workers=workers,
            dask=dask,
            progress=progress,
        )
    record |= {"summary": summary(record), "provenance": {"command": command_line()}}
    if as_json:
        print_json(record)
    else:
        rows = table(record["summary"])
        told = [at for at in range(len(COLUMNS)) if any(row[at] for row in rows)]
        print_table(
            heading(record["summary"]),
            [COLUMNS[at] for at in told],
            [[row[at] for at in told] for row in rows],
        )
    if report:
        from edgegrf.sweep.page import write_sweep_page

        write_sweep_page(record, report)
        say(f"report: {report}", quiet=as_json)
    return 0
