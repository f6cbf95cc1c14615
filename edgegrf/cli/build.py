# SPDX-License-Identifier: Apache-2.0
"""`edgegrf build`: the firmware image of a board with a model inside."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgegrf.cli.console import print_json, print_table, progress_bar, say
from edgegrf.cli.model import model_name, model_option
from edgegrf.errors import UsageError

if TYPE_CHECKING:
    from edgegrf.boards import Board
    from edgegrf.image import Image
    from edgegrf.image.project import Project
    from edgegrf.progress import Progress

__all__ = ["as_json", "built_image", "command", "default_folder"]

EXAMPLES = """\b
Examples:
  edgegrf build                                        the shipped student for the nRF52840-DK
  edgegrf build --board feather_nrf52840 --compiler zig
  edgegrf build --board esp32s3                        a project for ESP-IDF, built where that is at hand
  edgegrf build --engine tflm                          TFLite Micro in a project for Zephyr
  edgegrf build --model mine_int8.tflite -o build/mine --json
"""


@click.command(
    epilog=EXAMPLES,
    help="Build the firmware image of a board with a model inside. Where an SDK has to do that, its project "
    "is written, and built if the SDK is at hand; else the commands to get it are shown.",
)
@click.option("--board", "board_name", metavar="NAME", default="nrf52840dk", show_default=True)
@model_option
@click.option("--engine", metavar="aot|tflm", default="aot", show_default=True,
              help="What runs the model: C made ahead of time, or TFLite Micro from an SDK.")  # fmt: skip
@click.option("--sdk", metavar="esp-idf|zephyr", help="Write a project for this SDK (default: if needed).")
@click.option("--compiler", metavar="gcc|zig", help="Insist on one (default: the core's gcc, else zig).")
@click.option("-o", "--output", "folder", type=click.Path(path_type=Path), help="Default: build/MODEL/BOARD.")
@click.option("--json", "json_wanted", is_flag=True, help="Print the result as JSON.")
def command(
    board_name: str,
    model: Path,
    engine: str,
    sdk: str | None,
    compiler: str | None,
    folder: Path | None,
    json_wanted: bool,
) -> None:
    from edgegrf.boards import board
    from edgegrf.image import build_image
    from edgegrf.image.sdk import sdk_for

    target = board(board_name)
    chosen = sdk_for(target, sdk, engine)
    if chosen and compiler:
        raise UsageError(
            f"--compiler {compiler} cannot be had for a project of {chosen[0].name}",
            why="the SDK builds it with its own compiler",
            fix="leave --compiler out",
        )
    with progress_bar(quiet=json_wanted) as progress:
        if chosen:
            from edgegrf.image.project import write_project

            place = folder or _project_folder(model, target, chosen[0].name, engine)
            project = write_project(target, model, place, *chosen, engine=engine, progress=progress)
        else:
            place = folder or default_folder(model, target)
            image = build_image(target, model, place, compiler=compiler, progress=progress)
    if chosen:
        print_json(_project_record(project)) if json_wanted else _show_project(project)
    elif json_wanted:
        print_json(as_json(image))
    else:
        _show(image)


def default_folder(model: Path, board: Board) -> Path:
    """build/<student or model>/<board>."""
    return Path("build") / model_name(model) / board.name


def _project_folder(model: Path, board: Board, sdk: str, engine: str) -> Path:
    return Path("build") / model_name(model) / f"{board.name}-{sdk}-{engine}"


def built_image(target: Board, model: Path, progress: Progress) -> Path:
    """Build the firmware of `target` where `edgegrf build` does; gives the file to flash.

    Raises MissingToolError where an SDK would have to build it and is not at hand.
    """
    from edgegrf.errors import MissingToolError
    from edgegrf.image import build_image
    from edgegrf.image.sdk import sdk_for

    chosen = sdk_for(target, None, "aot")
    if chosen:
        from edgegrf.image.project import write_project

        sdk, name = chosen
        place = _project_folder(model, target, sdk.name, "aot")
        built = write_project(target, model, place, sdk, name, progress=progress).image
        if built is None:
            raise MissingToolError(
                f"{target.name} is built with {sdk.title}, which is not at hand",
                why=f"{sdk.variable} is not set",
                fix=" && ".join(sdk.get).format(target=name),
            )
        return built
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
        "all_ram_bytes": image.sizes.all_ram_bytes,
        "ram_size_bytes": image.board.ram_size,
        "sections": image.sizes.sections,
        "largest": dict(image.sizes.largest),
        "compiler": image.compiler,
        "firmware_sha256": image.firmware_sha256,
        "model_sha256": image.model_sha256,
        "cached": image.cached,
    }


def _project_record(project: Project) -> dict[str, Any]:
    sdk = project.sdk
    return {
        "board": project.board.name,
        "project": str(project.folder),
        "sdk": sdk.name,
        "engine": project.engine,
        "arena_bytes": project.arena_bytes,
        "image": str(project.image) if project.image else None,
        "to_get_the_sdk": [command.format(target=project.target) for command in sdk.get],
        "to_build": list(sdk.commands(project.target, project.folder.absolute())),
        "firmware_sha256": project.firmware_sha256,
        "model_sha256": project.model_sha256,
        "cached": project.cached,
    }


def _show_project(project: Project) -> None:
    sdk, record = project.sdk, _project_record(project)
    say(f"{'unchanged' if project.cached else 'written'}: {project.folder}, a project for {sdk.title}")
    if project.arena_bytes:
        say(f"TFLite Micro's arena, computed from the model: {project.arena_bytes} bytes")
    if project.image:
        say(f"built: {project.image}")
        return
    say(f"not built: {sdk.variable} is not set. To get {sdk.title}:")
    for command in [*record["to_get_the_sdk"], *record["to_build"]]:
        click.echo(f"    {command}")


def _show(image: Image) -> None:
    board = image.board
    if board.flash_size:
        rows = [
            (
                "flash",
                image.sizes.flash_bytes,
                board.flash_size,
                f"{100 * image.sizes.flash_bytes / board.flash_size:.1f} %",
            ),
            (
                "RAM, static",
                image.sizes.ram_bytes,
                board.ram_size,
                f"{100 * image.sizes.ram_bytes / board.ram_size:.1f} %",
            ),
            (
                "stack, reserved",
                image.sizes.stack_bytes,
                "",
                f"{100 * image.sizes.stack_bytes / board.ram_size:.1f} %",
            ),
            (
                "RAM, all",
                image.sizes.all_ram_bytes,
                board.ram_size,
                f"{100 * image.sizes.all_ram_bytes / board.ram_size:.1f} %",
            ),
        ]
        print_table(f"{board.title}", ("memory", "bytes", "of", "share"), rows)
        say("largest: " + ", ".join(f"{name} {size} B" for name, size in image.sizes.largest[:5]))
    say(f"compiler: {image.compiler}")
    say(f"firmware: {image.firmware_sha256[:16]}  model: {image.model_sha256[:16]}")
    say(f"{'unchanged' if image.cached else 'written'}: {image.uf2 or image.hex or image.elf}")
