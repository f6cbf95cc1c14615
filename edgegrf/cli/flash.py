# SPDX-License-Identifier: Apache-2.0
"""`edgegrf flash`: a firmware image onto a board, checked before and greeted after."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from edgegrf.cli.build import built_image
from edgegrf.cli.console import print_json, progress_bar, say
from edgegrf.cli.model import model_option
from edgegrf.errors import UsageError

if TYPE_CHECKING:
    from edgegrf.boards import Board
    from edgegrf.flash import Flashed

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  edgegrf flash                                        build the shipped student, write it by debug probe
  edgegrf flash --port /dev/ttyACM0                    and greet the board afterwards
  edgegrf flash --board esp32c3 --port /dev/ttyUSB0    written and greeted on the same port
  edgegrf flash --board feather_nrf52840               by UF2 drive or boot loader port, whichever is there
  edgegrf flash --board feather_nrf52840 --via dfu --to /dev/ttyACM0 --port /dev/ttyUSB0
  edgegrf flash --board xiao_nrf52840 --via uf2 --to ~/images
  edgegrf flash --image build/x/flasher_args.json --board esp32s3 --port /dev/ttyUSB0
  edgegrf flash --erase-calibration --port /dev/ttyACM0    by the firmware; without --port by the flasher
"""


@click.command(
    epilog=EXAMPLES,
    help="Write a firmware image to a board. It is built first unless --image names one; an image of another "
    "board or of too many bytes is refused before anything is touched, and so is another chip. With a port "
    "the board is greeted afterwards, which proves that it runs the firmware and the model of the image.",
)
@click.option("--board", "board_name", metavar="NAME", default="nrf52840dk", show_default=True)
@model_option
@click.option("--image", type=click.Path(path_type=Path),
              help="A .hex, .uf2 or .elf, or an ESP-IDF build's flasher_args.json.")  # fmt: skip
@click.option("--via", metavar="pyocd|uf2|dfu|esptool|file",
              help="The flasher (default: the board's first that finds something to write to).")  # fmt: skip
@click.option("--to", type=click.Path(path_type=Path),
              help="The UF2 drive or folder, or the boot loader's port; for `file`, the file.")  # fmt: skip
@click.option("--probe", metavar="ID", help="The debug probe, when several are plugged in.")
@click.option("--port", metavar="PORT", help="Where the firmware answers: greet it, compare the hashes.")
@click.option("--erase-calibration", is_flag=True, help="Erase the wearer's calibration; write no image.")
@click.option("--json", "json_wanted", is_flag=True, help="Print the result as JSON.")
def command(
    board_name: str,
    model: Path,
    image: Path | None,
    via: str | None,
    to: Path | None,
    probe: str | None,
    port: str | None,
    erase_calibration: bool,
    json_wanted: bool,
) -> None:
    from edgegrf.boards import board
    from edgegrf.flash import flasher_of

    if image and click.get_current_context().get_parameter_source("model") is not ParameterSource.DEFAULT:
        raise UsageError("--model and --image exclude each other", why="an image has its model inside")
    target = board(board_name)
    flasher_of(target, via)
    named = {"via": via, "probe": probe, "port": port}
    if erase_calibration:
        record = _erased(target, named, json_wanted)
    else:
        record = _flashed(target, model, image, {**named, "to": to}, json_wanted)
    if json_wanted:
        print_json(record)


def _flashed(
    target: Board, model: Path, image: Path | None, named: dict[str, Any], quiet: bool
) -> dict[str, Any]:
    """Build if no image is named, write, and greet where a port is known."""
    from edgegrf.flash import flash
    from edgegrf.link.flash_access import ComputerPorts

    with progress_bar(quiet=quiet) as progress:
        file = image or built_image(target, model, progress)
        done = flash(target, file, ComputerPorts(), **named, progress=progress)
        say(f"{done.bytes} bytes written to {done.where} via {done.via}", quiet=quiet)
        record: dict[str, Any] = dataclasses.asdict(done)
        answers_at = named["port"] or (done.where if done.via == "esptool" else None)
        if answers_at:
            said = record["greeted"] = _greet(answers_at, target, file, wait=done.via != "file")
            firmware = said["firmware_sha256"][:16]
            odd = f"; {said['odd']}" if said["odd"] else ""
            say(f"the board answers with firmware {firmware}, model {said['model']}{odd}", quiet=quiet)
        elif done.via != "file":
            advice = "name the serial port with --port to prove that the firmware runs"
            say(f"nobody was greeted: {advice}", quiet=quiet)
    return record


def _erased(target: Board, named: dict[str, Any], quiet: bool) -> dict[str, Any]:
    """Erase the calibration: by the firmware where only its port is named, else by a flasher."""
    from edgegrf.flash import erase_store
    from edgegrf.link.flash_access import ComputerPorts

    with progress_bar(quiet=quiet) as progress:
        if named["port"] and named["via"] is None:
            done = _erase_over_the_link(target, named["port"])
        else:
            done = erase_store(target, ComputerPorts(), **named, progress=progress)
    say(f"calibration erased via {done.via} at {done.where}", quiet=quiet)
    return dataclasses.asdict(done)


def _erase_over_the_link(target: Board, port: str) -> Flashed:
    """Ask the firmware at `port` to erase its calibration, which any board that scans sensors can."""
    from edgegrf.flash import Flashed
    from edgegrf.link import Device, open_port
    from edgegrf.link.insole import Insole

    with Device(open_port(port, board_name=target.name)) as device:
        Insole(device).erase_calibration()
    return Flashed(target.name, "link", port, target.store_size)


def _greet(port: str, target: Board, file: Path, *, wait: bool) -> dict[str, str]:
    from edgegrf.flash import read_checked
    from edgegrf.link.greeting import prove
    from edgegrf.live.stream import describe

    segments = read_checked(target, file)
    hello = prove(port, target, segments) if wait else prove(port, target, segments, patience_s=0.0)
    return {
        "board": hello.board,
        "model": hello.model,
        "firmware_sha256": hello.firmware_sha256.hex(),
        "model_sha256": hello.model_sha256.hex(),
        "odd": describe(None, hello),
    }
