# SPDX-License-Identifier: Apache-2.0
"""`edgegrf stress`: how a model's error grows with what goes wrong with the insole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgegrf.cli.console import print_json, print_table, progress_bar, say
from edgegrf.errors import UsageError

__all__ = ["command"]

_EXAMPLES = """\b
Examples:
  edgegrf stress                                               the default student, float and int8
  edgegrf stress plain/student.pt robust/student.pt --report stress.html
  edgegrf stress insole4-gru32 build/mine/student_int8.tflite --walks 10 --json
"""
_MOST = 4


@click.command(epilog=_EXAMPLES)
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option(
    "--data", type=click.Path(path_type=Path), help="Walks: a file or folder in any readable format."
)
@click.option(
    "--columns", type=click.Path(path_type=Path, dir_okay=False), help="The column map of CSV files."
)
@click.option(
    "--walks", type=click.IntRange(min=1), default=10, show_default=True, help="Use the first N unseen walks."
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed of the disturbances."
)
@click.option(
    "--report", type=click.Path(path_type=Path, dir_okay=False), help="Write a page with the curves."
)
@click.option("--json", "as_json", is_flag=True, help="Print the record as JSON.")
def command(
    models: tuple[str, ...],
    data: Path | None,
    columns: Path | None,
    walks: int,
    seed: int,
    report: Path | None,
    as_json: bool,
) -> int:
    """Disturb the walks (noise, drift, gains, a dead sensor, lost samples, another weight), at 5 strengths.

    MODEL is a checkpoint (student.pt: float), an int8 .tflite (its C runs here), or a shipped student, which
    stands for both.
    """
    from edgegrf.bench.stress import stress, stressed_model
    from edgegrf.gait.choice import choose_walks
    from edgegrf.gait.trials import trials
    from edgegrf.manifest import Manifest, learnt_from

    paths = _paths(models)
    with progress_bar(quiet=as_json) as progress:
        stressed = [stressed_model(path, name) for path, name in paths]
        interface = stressed[0].interface
        chosen = choose_walks(
            interface, data, walks=walks, columns=columns, unseen=True,
            learnt_from=learnt_from(*(Manifest.read(path) for path, _ in paths)), progress=progress,
        )  # fmt: skip
        for line in chosen.oddities:
            say(line, quiet=as_json)
        seen = [trials(chosen.recordings, model.interface) for model in stressed]
        record = stress(stressed, seen, seed=seed, progress=progress)
    if as_json:
        print_json(record)
    else:
        _show(record)
    if report:
        from edgegrf.report.stress import write_stress_page

        write_stress_page(record, report)
        say(f"report: {report}", quiet=as_json)
    return 0


def _paths(models: tuple[str, ...]) -> list[tuple[Path, str]]:
    """(file, name) of each model; a shipped student gives its float and its int8 file."""
    from edgegrf.resources import DEFAULT_STUDENT, MODEL_FILE, shipped_file, shipped_students

    found: list[tuple[Path, str]] = []
    for model in models or (DEFAULT_STUDENT,):
        if model in shipped_students():
            found += [(shipped_file(model, file), model) for file in ("student.pt", MODEL_FILE)]
        elif Path(model).is_file():
            found.append((Path(model), Path(model).resolve().parent.name))
        else:
            raise UsageError(
                f"'{model}' is neither a file nor a shipped student",
                fix=f"shipped: {', '.join(shipped_students())}",
            )
    if len(found) > _MOST:
        raise UsageError(f"{len(found)} models; a plot shows {_MOST}", fix="name fewer")
    return found


def _show(record: dict[str, Any]) -> None:
    from edgegrf.report.stress import stress_rows

    columns, rows = stress_rows(record)
    about = record["data"]
    synthetic = ", SYNTHETIC walks" if about["synthetic"] else ""
    print_table(
        f"RMSE, {about['trials']} feet's walks of {about['subjects']} subjects{synthetic}", columns, rows
    )
