# SPDX-License-Identifier: Apache-2.0
"""`edgegrf profile`: what each layer of a model costs on a virtual board."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from edgegrf.cli.console import print_json, print_table, progress_bar, say
from edgegrf.cli.model import model_argument
from edgegrf.errors import CheckFailedError

__all__ = ["command"]

_EXAMPLES = """\b
Examples:
  edgegrf profile                                   the default student, one sample of its stream
  edgegrf profile insole4-tcn32 --mode window
  edgegrf profile mine_int8.tflite --json --report profile.html
"""


@click.command(epilog=_EXAMPLES)
@model_argument
@click.option("--port", default="virtual:nrf52840dk", show_default=True, help="A virtual board.")
@click.option("--mode", type=click.Choice(["window", "stream"]), help="[default: stream if the model can]")
@click.option("--compiler", metavar="gcc|zig", help="Insist on one [default: arm-none-eabi-gcc, else zig].")
@click.option("--json", "as_json", is_flag=True, help="Print the record as JSON.")
@click.option("--report", type=click.Path(path_type=Path), help="Write a self-contained HTML page with bars.")
def command(
    model: Path, port: str, mode: str | None, compiler: str | None, as_json: bool, report: Path | None
) -> int:
    """Show per layer: cycles, instructions, MACs, flash and RAM, of one sample or one window.

    The image that runs is not instrumented. Cycles are an estimate and say so. Exit code 1 when an
    estimate of the board differs from the host's.
    """
    from edgegrf.profile import check_port, run_profile

    target = check_port(port)
    with progress_bar(quiet=as_json) as progress:
        profile = run_profile(model, target, mode, compiler=compiler, progress=progress)
    record = json.loads(json.dumps(profile.record()))
    if as_json:
        print_json(record)
    else:
        _show(record)
    if report:
        from edgegrf.profile import write_profile_page

        write_profile_page(record, report)
        say(f"report: {report}", quiet=as_json)
    if profile.mismatches:
        raise CheckFailedError(
            f"{profile.mismatches} of {profile.compared} estimates differ from the host's, "
            f"by up to {profile.max_lsb} LSB",
            why="the board does not compute what the generated C computes here",
            fix="edgegrf verify shows which link breaks",
        )
    return 0


def _show(record: dict[str, Any]) -> None:
    from edgegrf.bench.summary import duration, grouped
    from edgegrf.profile.table import COLUMNS, headline, rows, total

    print_table(headline(record), COLUMNS, [*rows(record), total(record)])
    click.echo(
        f"  {grouped(record['cycles'])} cycles = {duration(record['microseconds'])} per {record['per']} "
        f"at {record['clock_hz'] / 1e6:g} MHz: {record['cycles_are']}\n"
        f"  {record['mismatches']} of {grouped(record['compared'])} estimates differ from the host's"
    )
