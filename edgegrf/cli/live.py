# SPDX-License-Identifier: Apache-2.0
"""`edgegrf live`: the insole as a board sees it, while it happens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgegrf.cli.console import print_json, print_table, progress_bar, say
from edgegrf.cli.model import model_option, personal_option
from edgegrf.cli.port import port_option
from edgegrf.cli.wearing import wearer_options, worn_by
from edgegrf.errors import CheckFailedError, DeviceError, UnknownNameError

if TYPE_CHECKING:
    from edgegrf.gait.insole import Worn
    from edgegrf.link import Device
    from edgegrf.link.calibration_record import CalibrationRecord
    from edgegrf.link.live_messages import Content, ScanFacts
    from edgegrf.live.checking import Proof
    from edgegrf.live.stream import Stream

__all__ = ["command"]

_PATH = click.Path(path_type=Path)

_EXAMPLES = """\b
Examples:
  edgegrf live                                         the board that is plugged in, else the virtual one
  edgegrf live --port /dev/ttyACM0 --record walk.npz --report walk.html
  edgegrf live --port virtual:nrf52840dk --walk walks/ --seconds 30 --verify --json
  edgegrf live --port native: --model matrix16x8-st --rate 200
"""


@click.command(epilog=_EXAMPLES)
@port_option
@click.option("--board", "board_name", help="The board behind a port that does not tell.")
@model_option
@personal_option
@wearer_options
@click.option("--seconds", type=click.FloatRange(0.1), help="Stop after so long [default: Ctrl-C].")
@click.option("--rate", "rate_hz", type=click.FloatRange(0.1, 10_000), default=None,
              help="Scans per second [default: the model's].")  # fmt: skip
@click.option(
    "--every", type=click.IntRange(1, 255), default=1, show_default=True, help="Send each N-th sample."
)
@click.option("--content", default="pressure,estimate", show_default=True, metavar="LIST",
              help="Of raw, pressure, estimate.")  # fmt: skip
@click.option("--calibration", type=_PATH, help="Store this saved calibration on the board first.")
@click.option("--record", type=_PATH, help="Write the walk, .csv or .npz, as edgegrf data and bench read it.")
@click.option("--report", type=_PATH, help="Write a self-contained HTML page.")
@click.option("--verify", is_flag=True, help="Compare every value with the host's own, bit for bit.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def command(
    port: str | None,
    board_name: str | None,
    model: Path,
    personal: Path | None,
    walk: Path | None,
    columns: Path | None,
    foot: str,
    seed: int,
    seconds: float | None,
    rate_hz: float | None,
    every: int,
    content: str,
    calibration: Path | None,
    record: Path | None,
    report: Path | None,
    verify: bool,
    as_json: bool,
) -> int:
    """Stream sensors and estimates from a board.

    Sensors that are open or saturated are named, missing samples counted. Exit code 1 when --verify finds a
    difference, 130 when Ctrl-C comes before --seconds are over.
    """
    from edgegrf.cli.live_view import live_view
    from edgegrf.link import default_port
    from edgegrf.link.personal import expect_file, personal_of, sensor_gains
    from edgegrf.live.keeping import check_record_path
    from edgegrf.live.stream import Terms, follow

    if record:
        check_record_path(record)
    terms = Terms(_content(content), rate_hz or 0.0, every)
    spec = port or default_port(board_name)
    worn = worn_by(spec, model, walk, columns, foot, seed)
    with _opened(spec, board_name, model, worn, as_json) as device:
        if personal:
            from edgegrf.personal.files import wear

            model = wear(device, personal)
        if verify:
            expect_file(device, model)
        facts, kept = _prepare(device, calibration, as_json)
        gains = sensor_gains(personal_of(device), facts)
        with live_view(quiet=as_json) as draw:
            stream = follow(device, terms, seconds, on_frame=draw)
    proof = _proof(stream, model, facts, kept, gains) if verify else None
    _hand_over(stream, proof, model, foot, kept.weight_mn / 1000, gains, record, report, as_json)
    if stream.broken:
        raise stream.broken
    cut_short = stream.interrupted and seconds is not None
    if cut_short:
        say(f"stopped: {stream.total_seconds:.1f} s of the {seconds:g} s that were asked for")
    if proof and proof.mismatches:
        raise CheckFailedError(
            f"{proof.mismatches} values differ from the host's",
            why="the board does not compute what the generated C computes here",
            fix="edgegrf verify shows which link breaks",
        )
    return 130 if cut_short else 0


def _content(text: str) -> Content:
    from edgegrf.link.live_messages import Content

    known = {part.name.lower(): part for part in Content if part.name}
    chosen = Content(0)
    for name in text.split(","):
        if name.strip() not in known:
            raise UnknownNameError("content", name.strip(), known)
        chosen |= known[name.strip()]
    return chosen


def _opened(spec: str, board_name: str | None, model: Path, worn: Worn | None, quiet: bool) -> Device:
    from edgegrf.link import Device, open_port

    with progress_bar(quiet=quiet) as progress:
        return Device(open_port(spec, model=model, board_name=board_name, worn=worn, progress=progress))


def _prepare(device: Device, calibration: Path | None, quiet: bool) -> tuple[ScanFacts, CalibrationRecord]:
    """Tell what stopped the board before, store a calibration that was given; the sensors and what holds."""
    from edgegrf.link.insole import Insole, fault_of
    from edgegrf.live.stream import describe, sensor_names

    said = describe(fault_of(device, clear=True), device.info)
    if said:
        say(said, quiet=quiet)
    insole = Insole(device)
    if calibration:
        from edgegrf.live.backup import read_calibration

        insole.calibrate(read_calibration(calibration, sensor_names(insole)))
    return insole.facts, insole.calibration()


def _proof(
    stream: Stream, model: Path, facts: ScanFacts, calibration: CalibrationRecord, gains: tuple[int, ...]
) -> Proof:
    from edgegrf.live.checking import prove
    from edgegrf.parity.host import HostModel

    return prove(stream, HostModel(model), facts, calibration, gains)


def _hand_over(
    stream: Stream,
    proof: Proof | None,
    model: Path,
    foot: str,
    weight_n: float,
    gains: tuple[int, ...],
    record: Path | None,
    report: Path | None,
    as_json: bool,
) -> None:
    from edgegrf.live.keeping import write_stream
    from edgegrf.live.summary import summary

    if not any(part.frames for part in stream.parts()):
        raise DeviceError(
            f"{stream.hello.board}: no sample came",
            why="the ADC never completed a scan" if stream.silent else "the run was too short",
            fix="reset the board; check the insole's plug",
        )
    found = summary(stream, proof)
    outputs = _outputs(model, found["model_sha256"])
    if as_json:
        print_json(found)
    else:
        _show(found)
    if record:
        files = write_stream(record, stream, foot=foot, weight_n=weight_n, outputs=outputs, gains=gains)
        names = ", ".join(map(str, files))
        say(f"walk: {names} (without force: an estimate is no reference)", quiet=as_json)
    if report:
        from edgegrf.live.page import write_live_page

        write_live_page(found, stream, report, outputs=outputs)
        say(f"report: {report}", quiet=as_json)


def _outputs(model: Path, sha256: str) -> tuple[str, ...]:
    """The names of the model's outputs, if it is `model` that ran."""
    from edgegrf.errors import ModelError
    from edgegrf.link.personal import general_of
    from edgegrf.manifest import Manifest

    try:
        manifest = Manifest.read(model)
    except ModelError:
        return ()
    ran = sha256 in (manifest.sha256, general_of(model))
    return manifest.interface.outputs if manifest.interface and ran else ()


def _show(found: dict[str, Any]) -> None:
    from edgegrf.live.table import facts, warnings

    where = f"{found['board']}{', emulated' if found['virtual'] else ''}"
    print_table(f"{found['model']} on {where}, live", ("", "value"), facts(found))
    for line in warnings(found):
        click.echo(f"  {line}")
