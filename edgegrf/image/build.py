# SPDX-License-Identifier: Apache-2.0
"""From a `.tflite` to a firmware image: compile the model to C, build, measure, write the formats."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from edgegrf import __version__
from edgegrf.boards import Board
from edgegrf.errors import ModelError, OutputError
from edgegrf.files import sha256_file, write_file
from edgegrf.image.elf import Elf, read_elf
from edgegrf.image.formats import to_binary, to_hex, to_uf2
from edgegrf.image.identity import firmware_identity
from edgegrf.image.slot import check_fits
from edgegrf.image.toolbox import build_elf, compiler_for
from edgegrf.manifest import Interface, Manifest, manifest_path
from edgegrf.progress import Progress, silent
from edgegrf.toolchain import Compiler

__all__ = ["Image", "build_image", "build_image_of_c"]

_LARGEST = 8
_STACK = ".stack"


@dataclass(frozen=True)
class Image:
    """A firmware image on disk and its sizes in bytes; sizes are 0 for the host.

    `flash_bytes` is what lies in flash, `ram_bytes` what is static in RAM without the stack.
    """

    board: Board
    elf: Path  # for the host: the program
    hex: Path | None
    bin: Path | None
    uf2: Path | None
    manifest: Path
    firmware_sha256: str
    model_sha256: str
    compiler: str
    flash_bytes: int
    ram_bytes: int
    stack_bytes: int
    sections: dict[str, int]
    largest: tuple[tuple[str, int], ...]  # symbols, largest first
    cached: bool  # nothing had changed


def build_image(
    board: Board, tflite: Path, folder: Path, *, compiler: str | None = None, progress: Progress = silent
) -> Image:
    """Build the firmware of `board` with the model `tflite` inside; all files land in `folder`.

    Raises ModelError for the model, MissingToolError, ToolFailedError, OutputError, and UsageError when
    it does not fit.  Building again without a change keeps what is there.
    """
    from edgegrf.compiler import compile_model

    progress("compile model", 0, 1)
    if not tflite.is_file():
        raise ModelError(f"no model at {tflite}", fix="edgegrf export --quantize int8")
    compile_model(tflite, folder / "model")
    progress("compile model", 1, 1)
    return build_image_of_c(board, folder / "model", folder, tflite=tflite, compiler=compiler, progress=progress)


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
    tools = compiler_for(board, compiler)
    identity = firmware_identity(board, tools, model, __version__)
    elf = folder / ("firmware" if board.chip == "host" else "firmware.elf")
    cached = _is_current(elf, identity)
    progress("build firmware", 0, 1)
    if not cached:
        _build(board, tools, model, elf, identity)
    image = _finish(board, tools, elf, identity, _model_sha256(tflite), cached)
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


def _build(board: Board, tools: Compiler, model: Path, elf: Path, identity: str) -> None:
    try:
        elf.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".build-", dir=elf.parent))
    except OSError as error:
        raise OutputError(
            f"cannot write {elf.parent}", why=error.strerror or str(error), fix="choose another place with -o"
        ) from error
    try:
        built = build_elf(board, tools, model, work, firmware_sha256=identity, version=__version__)
        write_file(elf, built.read_bytes())
        elf.chmod(0o755)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _model_sha256(tflite: Path | None) -> str:
    return sha256_file(tflite) if tflite else ""


def _finish(
    board: Board, tools: Compiler, elf: Path, identity: str, model_sha256: str, cached: bool
) -> Image:
    """Write the formats that are made from the ELF, and measure it."""
    common = {
        "board": board, "elf": elf, "manifest": manifest_path(elf), "firmware_sha256": identity,
        "model_sha256": model_sha256, "compiler": tools.version, "cached": cached,
    }
    if board.chip == "host":
        return Image(
            hex=None, bin=None, uf2=None, flash_bytes=0, ram_bytes=0, stack_bytes=0, sections={}, largest=(), **common
        )
    content = read_elf(elf.read_bytes())
    check_fits(board, content.segments)
    hex_file, bin_file, uf2_file = (elf.with_suffix(suffix) for suffix in (".hex", ".bin", ".uf2"))
    write_file(hex_file, to_hex(content.segments))
    write_file(bin_file, to_binary(content.segments)[1])
    if board.uf2_family is not None:
        write_file(uf2_file, to_uf2(content.segments, board.uf2_family))
    return Image(
        hex=hex_file, bin=bin_file, uf2=uf2_file if board.uf2_family is not None else None,
        **_sizes(content), **common,
    )


def _sizes(content: Elf) -> dict[str, object]:
    sections = {section.name: section.size for section in content.sections}
    ram = sum(section.size for section in content.sections if section.writable and section.name != _STACK)
    ranked = sorted(content.symbols.items(), key=lambda item: (-item[1], item[0]))
    return {
        "flash_bytes": sum(len(segment.data) for segment in content.segments),
        "ram_bytes": ram,
        "stack_bytes": sections.get(_STACK, 0),
        "sections": sections,
        "largest": tuple(ranked[:_LARGEST]),
    }


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
        model={"firmware_sha256": image.firmware_sha256, "board": image.board.name, "sections": image.sections},
        metrics={
            "flash [bytes]": image.flash_bytes, "ram [bytes]": image.ram_bytes, "stack [bytes]": image.stack_bytes,
        },
        sources={tflite.name: image.model_sha256} if tflite else {},
        tools={"compiler": tools.version},
    ).write(image.elf)
