# SPDX-License-Identifier: Apache-2.0
"""From a `.tflite` to a firmware image: compile the model to C, build, measure, write the formats."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgegrf import __version__
from edgegrf.boards import Board
from edgegrf.errors import ModelError, OutputError, UsageError
from edgegrf.files import sha256_file, write_file
from edgegrf.image.elf import read_elf
from edgegrf.image.esp import to_esp
from edgegrf.image.formats import to_binary, to_hex, to_uf2
from edgegrf.image.identity import firmware_identity
from edgegrf.image.sdk import SDKS
from edgegrf.image.sensors import sensor_map
from edgegrf.image.sizes import Sizes, measure
from edgegrf.image.slot import check_fits
from edgegrf.image.toolbox import build_elf, compiler_for
from edgegrf.image.turn import turn_in
from edgegrf.manifest import Interface, Manifest, manifest_path
from edgegrf.progress import Progress, silent
from edgegrf.toolchain import Compiler

__all__ = ["Image", "build_image", "build_image_of_c"]


@dataclass(frozen=True)
class Image:
    """A firmware image on disk; `sizes` are all 0 for the host."""

    board: Board
    elf: Path  # for the host: the program
    hex: Path | None
    bin: Path | None
    uf2: Path | None
    firmware_sha256: str
    model_sha256: str
    compiler: str
    sizes: Sizes
    cached: bool  # nothing had changed

    @property
    def manifest(self) -> Path:
        """The record beside the ELF file."""
        return manifest_path(self.elf)


def build_image(
    board: Board, tflite: Path, folder: Path, *, compiler: str | None = None, progress: Progress = silent
) -> Image:
    """Build the firmware of `board` with the model `tflite` inside; all files land in `folder`.

    Raises ModelError for the model, MissingToolError, ToolFailedError, OutputError, and UsageError when
    it does not fit.  Building again without a change keeps what is there.
    """
    from edgegrf.compiler import compile_model

    if board.port in SDKS:
        raise UsageError(
            f"{board.name} has no image of our own", why=board.note, fix=f"edgegrf build --board {board.name}"
        )
    progress("compile model", 0, 1)
    if not tflite.is_file():
        raise ModelError(f"no model at {tflite}", fix="edgegrf export --quantize int8")
    with turn_in(folder):
        compile_model(tflite, folder / "model")
        progress("compile model", 1, 1)
        return _build_image(board, folder / "model", folder, tflite, compiler, progress)


def build_image_of_c(
    board: Board,
    model: Path,
    folder: Path,
    *,
    tflite: Path | None = None,
    compiler: str | None = None,
    progress: Progress = silent,
) -> Image:
    """As `build_image`, from the C of a model that lies in the folder `model`."""
    with turn_in(folder):
        return _build_image(board, model, folder, tflite, compiler, progress)


def _build_image(
    board: Board, model: Path, folder: Path, tflite: Path | None, compiler: str | None, progress: Progress
) -> Image:
    tools = compiler_for(board, compiler)
    sensors = sensor_map(board, _interface(tflite))
    identity = firmware_identity(board, tools, model, __version__, sensors)
    elf = folder / ("firmware" if board.chip == "host" else "firmware.elf")
    cached = _is_current(elf, identity)
    progress("build firmware", 0, 1)
    if not cached:
        _build(board, tools, model, elf, identity, sensors)
    files = _formats(board, elf)
    image = Image(
        board=board,
        elf=elf,
        hex=files.get("hex"),
        bin=files.get("bin"),
        uf2=files.get("uf2"),
        firmware_sha256=identity,
        model_sha256=sha256_file(tflite) if tflite else "",
        compiler=tools.version,
        sizes=Sizes() if board.chip == "host" else measure(read_elf(elf.read_bytes())),
        cached=cached,
    )
    if not cached:
        _write_manifest(image, tools, tflite)
    progress("build firmware", 1, 1)
    return image


def _is_current(elf: Path, identity: str) -> bool:
    if not elf.is_file() or not manifest_path(elf).is_file():
        return False
    try:
        return bool(Manifest.read(elf).model.get("firmware_sha256") == identity)
    except ModelError:
        return False


def _build(
    board: Board, tools: Compiler, model: Path, elf: Path, identity: str, sensors: Sequence[int]
) -> None:
    try:
        work = Path(tempfile.mkdtemp(prefix=".build-", dir=elf.parent))
    except OSError as error:
        raise OutputError(
            f"cannot write {elf.parent}", why=error.strerror or str(error), fix="choose another place with -o"
        ) from error
    try:
        built = build_elf(
            board, tools, model, work, firmware_sha256=identity, version=__version__, sensors=sensors
        )
        write_file(elf, built.read_bytes())
        elf.chmod(0o755)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _formats(board: Board, elf: Path) -> dict[str, Path]:
    """Check the ELF against the board's slot and write .hex, .bin and, where the board takes it, .uf2."""
    if board.chip == "host":
        return {}
    found = read_elf(elf.read_bytes())
    segments = found.segments
    check_fits(board, segments)
    in_ram = board.boot == "ram"
    binary = to_esp(segments, found.entry, board.chip) if in_ram else to_binary(segments)[1]
    content: dict[str, bytes | str] = {"hex": to_hex(segments), "bin": binary}
    if board.uf2_family is not None:
        content["uf2"] = to_uf2(segments, board.uf2_family)
    for kind, data in content.items():
        write_file(elf.with_suffix(f".{kind}"), data)
    return {kind: elf.with_suffix(f".{kind}") for kind in content}


def _interface(tflite: Path | None) -> Interface | None:
    if tflite is None or not manifest_path(tflite).is_file():
        return None
    return Manifest.read(tflite).interface


def _write_manifest(image: Image, tools: Compiler, tflite: Path | None) -> None:
    Manifest(
        kind="firmware",
        name=image.board.name,
        sha256=sha256_file(image.elf),
        interface=_interface(tflite),
        model={
            "firmware_sha256": image.firmware_sha256,
            "board": image.board.name,
            "sections": image.sizes.sections,
        },
        metrics={
            "flash [bytes]": image.sizes.flash_bytes,
            "ram [bytes]": image.sizes.ram_bytes,
            "stack [bytes]": image.sizes.stack_bytes,
        },
        sources={tflite.name: image.model_sha256} if tflite else {},
        tools={"compiler": tools.version},
    ).write(image.elf)
