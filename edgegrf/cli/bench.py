# SPDX-License-Identifier: Apache-2.0
"""`edgegrf bench`: walks through a model on a board; latency, accuracy, parity, memory, link."""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from edgegrf.cli.console import print_json, print_table, progress_bar, say
from edgegrf.cli.model import model_option, personal_option
from edgegrf.cli.port import port_option
from edgegrf.errors import CheckFailedError
from edgegrf.files import write_file

if TYPE_CHECKING:
    from edgegrf.bench.result import BenchResult
    from edgegrf.progress import Progress

__all__ = ["command"]

_PATH = click.Path(path_type=Path)

_EXAMPLES = """\b
Examples:
  edgegrf bench                                        the board that is plugged in, else the virtual one
  edgegrf bench --port virtual:nrf52840dk --json
  edgegrf bench --port /dev/ttyACM0 --data walks/ --report bench.html
  edgegrf bench --port socket://lab:3333 --board nrf52840dk --model my/student_int8.tflite
"""


@click.command(epilog=_EXAMPLES)
@port_option
@click.option(
    "--board", "board_name", help="The board to look for, or the one behind a port that does not tell."
)
@model_option
@personal_option
@click.option("--data", type=_PATH, help="Walks: a file or folder [default: EDGEGRF_DATA, else fetched "
              "gaitpdb, else synthetic].")  # fmt: skip
@click.option("--columns", type=_PATH, help="Column map of CSV files.")
@click.option("--walks", type=click.IntRange(1), default=20, show_default=True,
              help="Run the first N walks of subjects that the shipped students never saw.")  # fmt: skip
@click.option("--mode", type=click.Choice(["stream", "window"]), help="[default: stream if the model can]")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--report", type=_PATH, help="Write a report, one self-contained HTML file.")
@click.option("-o", "--output", type=_PATH, help="Write the whole record, bench.json.")
def command(
    port: str | None,
    board_name: str | None,
    model: Path,
    personal: Path | None,
    data: Path | None,
    columns: Path | None,
    walks: int,
    mode: str | None,
    as_json: bool,
    report: Path | None,
    output: Path | None,
) -> int:
    """Measure a model on a board: latency, accuracy, parity with the host, memory, link.

    Ctrl-C ends early: what was measured until then is printed, marked partial, with exit code 130.
    Exit code 1 when an estimate of the board differs from the host's.
    """
    from edgegrf.files import check_writable
    from edgegrf.link import default_port

    for file in filter(None, (output, report)):
        check_writable(file.parent)
    spec = port or default_port(board_name)
    if port is None:
        found = f"no {board_name or 'known board'} is plugged in, " if spec.startswith("virtual:") else ""
        say(f"no --port: {found}taking {spec}")
    result = _measured(spec, board_name, model, personal, data, columns, walks, mode, quiet=as_json)
    record = json.loads(json.dumps(result.record()))
    if as_json:
        print_json(result.summary())
    else:
        _show(record)
    _write(record, output, report, quiet=as_json)
    if result.partial:
        say("stopped: the figures are of what was measured until then")
        return 130
    if not result.ok:
        raise _differs(result)
    return 0


def _measured(
    spec: str,
    board_name: str | None,
    tflite: Path,
    personal: Path | None,
    data: Path | None,
    columns: Path | None,
    walks: int,
    mode: str | None,
    *,
    quiet: bool,
) -> BenchResult:
    from edgegrf.bench.run import model_interface, run_bench
    from edgegrf.gait.choice import choose_walks
    from edgegrf.link import Device, open_port
    from edgegrf.link.personal import expect_file
    from edgegrf.manifest import Manifest, learnt_from
    from edgegrf.parity.host import HostModel
    from edgegrf.personal.files import wear

    with progress_bar(quiet=quiet) as progress:
        transport = open_port(spec, model=tflite, board_name=board_name, progress=progress)
        with Device(transport) as device:
            if personal:
                tflite = wear(device, personal)
            expect_file(device, tflite)
            interface = model_interface(tflite)
            chosen = choose_walks(
                interface, data, walks=walks, columns=columns, unseen=True,
                learnt_from=learnt_from(Manifest.read(tflite)), progress=progress,
            )  # fmt: skip
            host = HostModel(tflite)
            for line in (f"walks: {chosen.source}", *chosen.oddities):
                say(line, quiet=quiet)
            with _stoppable(progress) as stoppable:
                return run_bench(
                    device,
                    tflite,
                    chosen.trials,
                    mode,
                    stoppable,
                    source=chosen.source,
                    oddities=chosen.oddities,
                    host=host,
                )


@contextlib.contextmanager
def _stoppable(progress: Progress) -> Iterator[Progress]:
    """A progress callback that raises KeyboardInterrupt once Ctrl-C was pressed: between two replies of the
    board, never inside an emulator's callback.  A second Ctrl-C interrupts at once."""
    pressed = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True
        say("stopping ...")

    def report(stage: str, done: int, total: int) -> None:
        progress(stage, done, total)
        if pressed:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, note)
    try:
        yield report
    finally:
        signal.signal(signal.SIGINT, before)


def _write(record: dict[str, Any], output: Path | None, report: Path | None, *, quiet: bool) -> None:
    if output:
        write_file(output, json.dumps(record, indent=1) + "\n")
    if report:
        from edgegrf.report import write_report

        write_report(record, report)
        say(f"report: {report}", quiet=quiet)


def _show(record: dict[str, Any]) -> None:
    from edgegrf.bench.summary import SECTIONS, headline, rows

    table = [(label, value) for section in SECTIONS for label, value in rows(record, section)]
    print_table(f"{record['provenance']['model']} on {headline(record)}", ("what", "value"), table)


def _differs(result: BenchResult) -> CheckFailedError:
    parity = result.parity
    return CheckFailedError(
        f"{parity['mismatches']} of {parity['compared']} estimates differ from the host's, "
        f"by up to {parity['max_lsb']} LSB",
        why="the board does not compute what the generated C computes here",
        fix="edgegrf verify shows which link breaks",
    )
