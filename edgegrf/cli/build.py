# SPDX-License-Identifier: Apache-2.0
"""`edgegrf build`: the firmware image of a board with a model inside."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgegrf.cli.console import print_json, print_table, progress_bar, say
from edgegrf.cli.model import model_name, model_option

if TYPE_CHECKING:
    from edgegrf.boards import Board
    from edgegrf.image import Image
    from edgegrf.progress import Progress

__all__ = ["as_json", "built_image", "command", "default_folder"]

EXAMPLES = """\b
Examples:
  edgegrf build                                        the shipped student for the nRF52840-DK
  edgegrf build --board feather_nrf52840 --compiler zig
  edgegrf build --model mine_int8.tflite -o build/mine --json
"""


@click.command(epilog=EXAMPLES, help="Build the firmware image of a board with a model inside.")
@click.option("--board", "board_name", metavar="NAME", default="nrf52840dk", show_default=True)
@model_option
@click.option("--compiler", metavar="gcc|zig", help="Insist on one (default: arm-none-eabi-gcc, else zig).")
@click.option("-o", "--output", "folder", type=click.Path(path_type=Path), help="Default: build/MODEL/BOARD.")
@click.option("--json", "json_wanted", is_flag=True, help="Print the result as JSON.")
def command(
    board_name: str, model: Path, compiler: str | None, folder: Path | None, json_wanted: bool
) -> None:
    from edgegrf.boards import board
    from edgegrf.image import build_image

    target = board(board_name)
    with progress_bar(quiet=json_wanted) as progress:
        image = build_image(
            target,
            model,
            folder or default_folder(model, target),
            compiler=compiler,
            progress=progress,
        )
    if json_wanted:
        print_json(as_json(image))
    else:
        _show(image)


def default_folder(model: Path, board: Board) -> Path:
    """build/<student or model>/<board>."""
    return Path("build") / model_name(model) / board.name


def built_image(target: Board, model: Path, progress: Progress) -> Path:
    """Build the firmware of `target` where `edgegrf build` does; gives the file to flash."""
    from edgegrf.image import build_image

    image = build_image(target, model, default_folder(model, target), progress=progress)
    return image.uf2 or image.hex or image.elf


def as_json(image: Image) -> dict[str, Any]:
    """The record printed by `edgegrf build --json`; sizes in bytes."""
    files = {kind: getattr(image, kind) for kind in ("elf", "hex", "bin", "uf2", "manifest")}
    return {
        "board": image.board.name,
        "files": {kind: str(path) for kind, path in files.items() if path is not None},
        "flash_bytes": image.sizes.flash_bytes,
        "flash_slot_bytes": image.board.flash_size,
        "ram_bytes": image.sizes.ram_bytes,
        "stack_bytes": image.sizes.stack_bytes,
        "ram_size_bytes": image.board.ram_size,
        "sections": image.sizes.sections,
        "largest": dict(image.sizes.largest),
        "compiler": image.compiler,
        "firmware_sha256": image.firmware_sha256,
        "model_sha256": image.model_sha256,
        "cached": image.cached,
    }


def _show(image: Image) -> None:
    board = image.board
    if board.flash_size:
        rows = [
            (
                "flash",
                image.sizes.flash_bytes,
                board.flash_size,
                f"{image.sizes.flash_bytes / board.flash_size:.1%}",
            ),
            (
                "RAM, static",
                image.sizes.ram_bytes,
                board.ram_size,
                f"{image.sizes.ram_bytes / board.ram_size:.1%}",
            ),
            (
                "stack, reserved",
                image.sizes.stack_bytes,
                "",
                f"{image.sizes.stack_bytes / board.ram_size:.1%}",
            ),
        ]
        print_table(f"{board.title}", ("memory", "bytes", "of", "share"), rows)
        say("largest: " + ", ".join(f"{name} {size} B" for name, size in image.sizes.largest[:5]))
    say(f"compiler: {image.compiler}")
    say(f"firmware: {image.firmware_sha256[:16]}  model: {image.model_sha256[:16]}")
    say(f"{'unchanged' if image.cached else 'written'}: {image.uf2 or image.hex or image.elf}")
