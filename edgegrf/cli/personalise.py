# SPDX-License-Identifier: Apache-2.0
"""`edgegrf personalise`: a student fitted to its wearer, and kept by the board as data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgegrf.cli.console import print_json, print_table, progress_bar, say
from edgegrf.cli.model import model_argument
from edgegrf.cli.port import port_option
from edgegrf.errors import CheckFailedError, UsageError

if TYPE_CHECKING:
    from edgegrf.link.personal_record import PersonalRecord
    from edgegrf.personal.run import Personalised

__all__ = ["command"]

_PATH = click.Path(path_type=Path)

_EXAMPLES = """\b
Examples:
  edgegrf personalise --walk lab.csv -o me --report me.html
  edgegrf personalise insole4-gru32 --walk gaitpdb/ --subject GaCo07 --foot right --json
  edgegrf personalise --apply me/personal.json --port /dev/ttyACM0
  edgegrf bench --model me/student_int8.tflite --port /dev/ttyACM0
  edgegrf bench --personal me/personal.json --port virtual:nrf52840dk
  edgegrf personalise --erase --port /dev/ttyACM0
"""


@click.command(epilog=_EXAMPLES)
@model_argument
@click.option("--walk", type=_PATH, help="Walks of the wearer with a reference force: a file or a folder.")
@click.option("--columns", type=_PATH, help="Column map of CSV files.")
@click.option("--subject", help="Whose walks, where there are several people's.")
@click.option("--foot", type=click.Choice(["left", "right"]), help="[default: left, if there are both]")
@click.option("--seconds", type=click.FloatRange(20, 3600), default=60, show_default=True,
              help="Fit to so much of the first walk; the rest judges.")  # fmt: skip
@click.option("-o", "--output", type=_PATH, default=Path("build/personal"), show_default=True,
              help="Folder for the personalised .tflite and personal.json.")  # fmt: skip
@click.option("--report", type=_PATH, help="Write a self-contained HTML page.")
@click.option("--apply", "apply_file", type=_PATH, metavar="FILE", help="Store a personal.json on the board.")
@click.option("--show", is_flag=True, help="Show what the board keeps; change nothing.")
@click.option("--erase", is_flag=True, help="Forget what the board keeps.")
@port_option
@click.option("--board", "board_name", help="The board behind a port that does not tell.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(
    model: Path,
    walk: Path | None,
    columns: Path | None,
    subject: str | None,
    foot: str | None,
    seconds: float,
    output: Path,
    report: Path | None,
    apply_file: Path | None,
    show: bool,
    erase: bool,
    port: str | None,
    board_name: str | None,
    as_json: bool,
) -> None:
    """Fit a model to its wearer from a minute of walking, or put such a fit on a board.

    The wearer's input gains and the last layer of an int8 student; nothing is compiled or flashed anew. Exit
    code 1 where the model as it was made is as good on held-out parts of the minute.
    """
    if sum((walk is not None, apply_file is not None, show, erase)) != 1:
        raise UsageError("give one of --walk, --apply, --show and --erase")
    if walk is None:
        _on_board(model, port, board_name, apply_file, erase=erase, as_json=as_json)
        return
    from edgegrf.files import check_writable

    for folder in filter(None, (output, report and report.parent)):
        check_writable(folder)
    result = _fitted(model, walk, columns, subject, foot, seconds, output, quiet=as_json)
    record = result.record()
    if as_json:
        print_json(record)
    else:
        _show(record)
    if not result.fit.helps:
        found = result.fit
        raise CheckFailedError(
            f"{record['model']} fitted to {record['subject']} is no better: {found.chosen.rmse_bw:.4f} BW on "
            f"held-out parts of the minute, {found.general_rmse_bw:.4f} BW as it was made",
            why="the model already fits this wearer, or the reference is of something else",
            fix="keep the model as it was made; nothing was written",
        )
    if report:
        from edgegrf.personal.page import write_personal_page

        write_personal_page(result, report)
        say(f"report: {report}", quiet=as_json)
    say(f"written: {output}/; next: edgegrf personalise --apply {output}/personal.json", quiet=as_json)


def _fitted(
    model: Path,
    walk: Path,
    columns: Path | None,
    subject: str | None,
    foot: str | None,
    seconds: float,
    output: Path,
    *,
    quiet: bool,
) -> Personalised:
    from edgegrf.gait.readers import read_walks
    from edgegrf.personal.run import personalised
    from edgegrf.personal.student import Student
    from edgegrf.personal.wearer import wearer

    student = Student(model)
    with progress_bar(quiet=quiet) as progress:
        wanted = (lambda name: name == subject) if subject else (lambda name: True)
        recordings = read_walks(walk, columns=columns, subjects=wanted, progress=progress)
        whose = wearer(recordings, student.interface, seconds=seconds, subject=subject, foot=foot)
        return personalised(student, whose, output, progress)


def _on_board(
    model: Path, port: str | None, board_name: str | None, file: Path | None, *, erase: bool, as_json: bool
) -> None:
    from edgegrf.link import Device, default_port, open_port
    from edgegrf.link.personal import erase_personal, personal_of
    from edgegrf.personal.files import wear

    spec = port or default_port(board_name)
    with progress_bar(quiet=as_json) as progress:
        transport = open_port(spec, model=model, board_name=board_name, progress=progress)
    with Device(transport) as device:
        if erase:
            erase_personal(device)
        elif file:
            wear(device, file)
        kept, info = personal_of(device), device.info
    table = {"board": info.board, "model": info.model, "virtual": info.virtual, **_kept(kept, model)}
    if as_json:
        print_json(table)
    elif kept is None:
        say(f"{info.board} keeps no personalisation: {info.model} runs as it was made")
    else:
        rows = [("model", f"{info.model} {table['model_sha256'][:16]}"),
                ("personalised", table["personal_sha256"][:16]),
                *((f"gain of {name}", f"{gain:.3f}") for name, gain in table["gains"].items())]  # fmt: skip
        print_table(f"personalisation of {info.board}", ("", "value"), rows)
    if file and info.virtual and not as_json:
        say(f"an emulated board forgets when it ends: edgegrf bench --personal {file}")


def _kept(kept: PersonalRecord | None, model: Path) -> dict[str, Any]:
    """What the board keeps, its inputs named as `model` has them if that is the one."""
    from edgegrf.errors import ModelError
    from edgegrf.manifest import Manifest
    from edgegrf.personal.files import personal_table

    if kept is None:
        return {"personal_sha256": None}
    try:
        manifest = Manifest.read(model)
    except ModelError:
        manifest = None
    names = tuple(f"input {number}" for number in range(len(kept.gains)))
    if manifest and manifest.interface and manifest.sha256 == kept.model_sha256.hex():
        names = manifest.interface.sensors
    return personal_table(kept, names)


def _show(record: dict[str, Any]) -> None:
    from edgegrf.personal.table import rows

    whose = f"{record['subject']}, {record['foot']} foot{', SYNTHETIC' if record['synthetic'] else ''}"
    columns = ("", "as made", "personalised", "change")
    print_table(f"{record['model']} for {whose}: what was not fitted to", columns, rows(record))
    chosen = "gains and last layer" if record["gains_fitted"] else "last layer"
    say(f"{chosen}, fitted to {record['fitted_seconds']:g} s; reference: {record['force_source']}")
