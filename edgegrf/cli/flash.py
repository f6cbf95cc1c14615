# SPDX-License-Identifier: Apache-2.0
"""`edgegrf flash`: a firmware image onto a board, checked before and greeted after."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from edgegrf.cli.build import default_folder
from edgegrf.cli.console import print_json, progress_bar, say
from edgegrf.cli.model import model_option
from edgegrf.errors import UsageError

if TYPE_CHECKING:
    from edgegrf.boards import Board
    from edgegrf.image import Image
    from edgegrf.progress import Progress

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  edgegrf flash                                        build the shipped student, write it by debug probe
  edgegrf flash --port /dev/ttyACM0                    and greet the board afterwards
  edgegrf flash --board feather_nrf52840               to the UF2 drive that is mounted
  edgegrf flash --board feather_nrf52840 --via uf2 --to ~/images
  edgegrf flash --image firmware.hex --via pyocd --probe 0006
"""


@click.command(
    epilog=EXAMPLES,
    help="Write a firmware image to a board. It is built first unless --image names one; an image of another "
    "board or of too many bytes is refused before anything is touched.",
)
@click.option("--board", "board_name", metavar="NAME", default="nrf52840dk", show_default=True)
@model_option
@click.option("--image", type=click.Path(path_type=Path), help="A .hex, .uf2 or .elf; nothing is built.")
@click.option("--via", metavar="pyocd|uf2|file", help="The flasher (default: the board's first).")
@click.option("--to", type=click.Path(path_type=Path), help="The UF2 drive or folder; for `file`, the file.")
@click.option("--probe", metavar="ID", help="The debug probe, when several are plugged in.")
@click.option("--port", metavar="PORT", help="Greet the board there afterwards and compare the hashes.")
@click.option("--json", "json_wanted", is_flag=True, help="Print the result as JSON.")
def command(
    board_name: str,
    model: Path,
    image: Path | None,
    via: str | None,
    to: Path | None,
    probe: str | None,
    port: str | None,
    json_wanted: bool,
) -> None:
    from edgegrf.boards import board
    from edgegrf.flash import flash, flasher_of

    if image and click.get_current_context().get_parameter_source("model") is not ParameterSource.DEFAULT:
        raise UsageError("--model and --image exclude each other", why="an image has its model inside")
    target = board(board_name)
    via = flasher_of(target, via)
    with progress_bar(quiet=json_wanted) as progress:
        built = None if image else _build(target, model, progress)
        file = image or (built.uf2 or built.hex or built.elf if built else Path())
        done = flash(target, file, via=via, to=to, probe=probe, progress=progress)
        record: dict[str, Any] = dataclasses.asdict(done)
        if port:
            record["greeted"] = _greet(port, target, built)
    if json_wanted:
        print_json(record)
        return
    say(f"{done.bytes} bytes written to {done.where} via {done.via}")
    if port:
        say(f"the board answers with firmware {record['greeted']['firmware_sha256'][:16]}")
    elif via != "file":
        say("nobody was greeted: name the serial port with --port to prove that the firmware runs")


def _build(board: Board, model: Path, progress: Progress) -> Image:
    from edgegrf.image import build_image

    return build_image(board, model, default_folder(model, board), progress=progress)


def _greet(port: str, board: Board, built: Image | None) -> dict[str, str]:
    """HELLO at `port`; raises FirmwareMismatchError when another firmware answers."""
    from edgegrf.errors import FirmwareMismatchError
    from edgegrf.link import Device, open_port

    with Device(open_port(port, board_name=board.name)) as device:
        hello = device.hello()
    found = hello.firmware_sha256.hex()
    if built and found != built.firmware_sha256:
        raise FirmwareMismatchError(
            f"the board at {port} runs firmware {found[:16]}, not {built.firmware_sha256[:16]}",
            why="it did not restart, or another board is at that port",
            fix="press reset, then: edgegrf bench",
        )
    return {"board": hello.board, "model": hello.model, "firmware_sha256": found}
