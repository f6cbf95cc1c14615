# SPDX-License-Identifier: Apache-2.0
"""`edgegrf boards`: what is known, what is plugged in, and a virtual or native board to talk to."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgegrf.cli.console import print_json, print_table, progress_bar, say
from edgegrf.cli.greeting import greet
from edgegrf.cli.model import model_option
from edgegrf.cli.wearing import wearer_of
from edgegrf.errors import UsageError

if TYPE_CHECKING:
    from edgegrf.boards import Board
    from edgegrf.image import Image
    from edgegrf.link.ports import Plugged

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  edgegrf boards                                       what is known and what is plugged in
  edgegrf boards --json
  edgegrf boards --port /dev/ttyACM0                   what it runs, and why it last restarted
  edgegrf boards --serve virtual:nrf52840dk            an emulated board on a pty, until Ctrl-C
  edgegrf boards --serve native: --model mine.tflite
"""


@click.command(
    epilog=EXAMPLES,
    help="List boards, known and plugged in; ask one what it is; or serve a virtual one on a pty, its insole "
    "worn by the synthetic walker.",
)
@click.option("--port", help="Greet the board there.")
@click.option("--serve", metavar="PORT", help="virtual:BOARD or native:, on a pty whose path is printed.")
@model_option
@click.option("--json", "json_wanted", is_flag=True, help="Print the result as JSON.")
def command(port: str | None, serve: str | None, model: Path, json_wanted: bool) -> None:
    if port and serve:
        raise UsageError("--port and --serve exclude each other")
    if port:
        greet(port, model, as_json=json_wanted)
        return
    if serve:
        _serve(serve, model, json_wanted)
        return
    from edgegrf.boards import boards
    from edgegrf.link import plugged_in

    known, plugged = list(boards().values()), plugged_in()
    drives = _drives()
    if json_wanted:
        ports = list(map(_port, plugged))
        print_json({"boards": list(map(_record, known)), "plugged_in": ports, "uf2_drives": drives})
        return
    rows = [
        (item.name, item.title, item.core, _sensors(item), ", ".join(item.flashers), _opened_as(item))
        for item in known
    ]
    print_table("known boards", ("name", "board", "core", "sensors", "flashed by", "opened as"), rows)
    say("sensors: single ones, the largest matrix; *: behind a multiplexer, docs/boards.md")
    lines = [_line(port) for port in plugged]
    lines += [
        (item["path"], ", ".join(item["boards"]) or "unknown", "uf2", "", item["model"]) for item in drives
    ]
    if lines:
        print_table("plugged in", ("port", "board", "flashed by", "serial number", "says"), lines)
    else:
        say("nothing known is plugged in; try --port virtual:nrf52840dk")


def _line(port: Plugged) -> tuple[str, ...]:
    record = _port(port)
    names = list(record["boards"])
    names += [f"{name} (boot loader)" for name in record["boot_loaders"]]
    names += [f"{name}?" for name in record["adapter_of"]]
    flashers = ", ".join(record["flashers"])
    return port.device, ", ".join(names) or "unknown", flashers, port.serial_number, port.description


def _drives() -> list[dict[str, Any]]:
    """The UF2 drives that are mounted, and whose they are."""
    from edgegrf.boards import boards
    from edgegrf.flash.uf2 import find_drives

    return [
        {
            "path": str(drive.path),
            "model": drive.model,
            "boards": [
                item.name
                for item in boards().values()
                if item.uf2_boards and drive.board_id.startswith(item.uf2_boards)
            ],
        }
        for drive in find_drives()
    ]


def _opened_as(board: Board) -> str:
    from edgegrf.virtual.board import CHIPS

    if board.chip == "host":
        return "native:"
    return f"a port, virtual:{board.name}" if board.chip in CHIPS else "a port"


def _sensors(board: Board) -> str:
    """As "8, 16 x 8 *": single ones, the largest matrix, and a star where a multiplexer is wired up."""
    scan = board.scan
    if scan is None:
        return "-"
    matrix = f", {scan.depth} x {scan.width}" if scan.depth else ""
    return f"{scan.width}{matrix}{' *' if scan.column_address else ''}"


def _record(board: Board) -> dict[str, Any]:
    return {
        "name": board.name, "title": board.title, "core": board.core, "clock_hz": board.clock_hz,
        "flash_slot_bytes": board.flash_size, "ram_bytes": board.ram_size, "baud": board.baud,
        "flashers": list(board.flashers), "opened_as": _opened_as(board), "verified": board.verified,
        "note": board.note, "sensors": board.scan.width if board.scan else 0,
        "matrix": [board.scan.depth, board.scan.width] if board.scan and board.scan.depth else None,
        "multiplexed": bool(board.scan and board.scan.column_address),
    }  # fmt: skip


def _port(port: Plugged) -> dict[str, Any]:
    owners = (*port.boards, *port.adapter_of)
    fitting = {name for board in owners for name in board.flashers if name in ("pyocd", "esptool")}
    return {
        "device": port.device, "boards": [board.name for board in port.boards],
        "boot_loaders": [board.name for board in port.boot_loaders],
        "adapter_of": [board.name for board in port.adapter_of],
        "flashers": sorted(fitting | ({"dfu"} if port.boot_loaders else set())), "usb": port.usb,
        "description": port.description, "serial_number": port.serial_number,
    }  # fmt: skip


def _serve(spec: str, model: Path, json_wanted: bool) -> None:
    from edgegrf.boards import board

    kind, _, name = spec.partition(":")
    if kind not in ("virtual", "native") or (kind == "native" and name):
        raise UsageError(f"cannot serve '{spec}'", fix="--serve virtual:nrf52840dk or --serve native:")
    target = board(name if kind == "virtual" else "native")

    def on_ready(path: str) -> None:
        if json_wanted:
            print_json({"port": path, "board": target.name, "virtual": kind == "virtual"})
        else:
            click.echo(path)
        say(f"{target.title} answers at {path}; Ctrl-C ends it", quiet=json_wanted)

    with tempfile.TemporaryDirectory() as folder:
        image, worn = _image(target, model, Path(folder), json_wanted), wearer_of(target, model)
        if kind == "native":
            from edgegrf.link.serving import serve_native

            serve_native(image.elf, on_ready=on_ready, worn=worn)
        else:
            from edgegrf.virtual import VirtualBoard, serve

            emulated = VirtualBoard(image.elf, target)
            if worn:
                emulated.wear(worn.counts, worn.sample_rate_hz)
            serve(emulated, on_ready=on_ready)


def _image(target: Board, model: Path, folder: Path, quiet: bool) -> Image:
    from edgegrf.image import build_image

    with progress_bar(quiet=quiet) as progress:
        return build_image(target, model, folder, progress=progress)
