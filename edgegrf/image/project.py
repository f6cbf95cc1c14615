# SPDX-License-Identifier: Apache-2.0
"""From a `.tflite` to a project folder of an SDK: the firmware's sources, the model, and what builds them."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from edgegrf import __version__
from edgegrf.boards import Board
from edgegrf.errors import OutputError
from edgegrf.files import new_folder, sha256_file
from edgegrf.image.sdk import Sdk, build_with
from edgegrf.image.sensors import sensor_map
from edgegrf.manifest import Interface, Manifest, manifest_path
from edgegrf.progress import Progress, silent
from edgegrf.resources import firmware_folder

__all__ = ["Project", "write_project"]

_CONFIG = "config.cmake"
_HASH = re.compile(r'set\(FIRMWARE_SHA256 "([0-9a-f]{64})"\)')
_SHARED_CMAKE = ("board.cmake", "core.cmake", "scan.cmake", "project.cmake")
_TFLM_DEPENDENCY = '  espressif/esp-tflite-micro:\n    version: ">=1.3.3"\n'


@dataclass(frozen=True)
class Project:
    """A project on disk; `image` is what its build left to be flashed, None where the SDK is not here."""

    board: Board
    sdk: Sdk
    target: str
    engine: str
    folder: Path
    firmware_sha256: str
    model_sha256: str
    arena_bytes: int | None  # of TFLite Micro
    image: Path | None
    cached: bool


def write_project(
    board: Board,
    tflite: Path,
    folder: Path,
    sdk: Sdk,
    target: str,
    *,
    engine: str = "aot",
    progress: Progress = silent,
) -> Project:
    """Write the project of `board` with the model inside to `folder`, whole or not at all; build it where the
    SDK is at hand.

    Raises ModelError and UnsupportedError for the model, OutputError for a folder with anything else in it,
    MissingToolError and ToolFailedError for the SDK.
    """
    before = _hash_in(folder, sdk)
    progress("write project", 0, 2)
    with tempfile.TemporaryDirectory() as place:
        made = Path(place) / "project"
        arena = _fill(made, board, tflite, sdk, engine)
        identity = _finish(made, board, tflite, sdk, engine)
        if identity != before:
            with new_folder(folder) as aside:
                shutil.copytree(made, aside, dirs_exist_ok=True)
    progress("write project", 1, 2)
    image = build_with(sdk, target, folder)
    progress("write project", 2, 2)
    model = sha256_file(tflite)
    return Project(
        board, sdk, target, engine, folder, identity, model, arena, image, cached=identity == before
    )


def _hash_in(folder: Path, sdk: Sdk) -> str | None:
    """The firmware's hash in a project that is there, None without one; OutputError for anything else."""
    config = folder / sdk.root / _CONFIG
    try:
        if not folder.exists() or not any(folder.iterdir()):
            return None
        found = _HASH.search(config.read_text()) if config.is_file() else None
    except OSError as error:
        why = error.strerror or str(error)
        raise OutputError(f"cannot write {folder}", why=why, fix="choose another place with -o") from error
    if found is None:
        raise OutputError(
            f"{folder} holds other files", why="it would be replaced", fix="choose an empty folder with -o"
        )
    return found.group(1)


def _fill(made: Path, board: Board, tflite: Path, sdk: Sdk, engine: str) -> int | None:
    """Everything but config.cmake; gives the arena's size where there is one."""
    source, root = firmware_folder(), made / sdk.root
    port = source / "port" / sdk.name
    template, module = (port / "project", port / "component")
    if sdk.name == "zephyr":
        template, module = (port / "app", port / "module")
    shutil.copytree(template, made)
    shutil.copytree(module, root, dirs_exist_ok=True)
    shutil.copytree(source / "core", root / "core")
    _copy(source, root, [f"cmake/{name}" for name in _SHARED_CMAKE])
    _copy(source, root, [f"boards/{board.name}/board.toml", "engine/engine.h"])
    _copy(source, root, [file.relative_to(source).as_posix() for file in (source / "port").glob("*.[ch]")])
    _copy(source, root, [file.relative_to(source).as_posix() for file in port.glob("*.[ch]")])
    _copy(
        source, root, [next((source / "engine").glob(f"engine_{engine}.c*")).relative_to(source).as_posix()]
    )
    (root / "include").mkdir()
    shutil.copy(source / "port" / "sdk" / "edgegrf.h", root / "include")
    return _model(root / "model", board, tflite, sdk, engine)


def _copy(source: Path, root: Path, names: Iterable[str]) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / name, root / name)


def _model(folder: Path, board: Board, tflite: Path, sdk: Sdk, engine: str) -> int | None:
    from edgegrf.compiler import compile_model
    from edgegrf.compiler.interpreted import interpret_model

    if engine == "aot":
        compile_model(tflite, folder)
        return None
    kernels = "cmsis-nn" if sdk.name == "zephyr" else "esp-nn-s3" if board.chip == "esp32s3" else "esp-nn"
    return interpret_model(tflite, folder, kernels=kernels).arena.total


def _finish(made: Path, board: Board, tflite: Path, sdk: Sdk, engine: str) -> str:
    """Write what depends on the engine, and config.cmake; gives the hash of all files but that one."""
    root = made / sdk.root
    if engine == "tflm" and sdk.name == "esp-idf":
        manifest = root / "idf_component.yml"
        manifest.write_text(manifest.read_text() + _TFLM_DEPENDENCY)
    if sdk.name == "zephyr":
        extra = made / "tflm.conf"
        if engine == "tflm":
            (made / "prj.conf").write_text((made / "prj.conf").read_text() + extra.read_text())
        extra.unlink()
    sensors = ",".join(map(str, sensor_map(board, _interface(tflite))))
    lines = [f'set(BOARD "{board.name}")', f'set(ENGINE "{engine}")', f'set(SENSOR_MAP "{sensors}")']
    lines.append(f'set(FIRMWARE_VERSION "{__version__}")')
    digest = hashlib.sha256("\n".join(lines).encode())
    for file in sorted(path for path in made.rglob("*") if path.is_file()):
        data = file.read_bytes()
        digest.update(f"{file.relative_to(made).as_posix()}\0{len(data)}\0".encode() + data)
    lines.append(f'set(FIRMWARE_SHA256 "{digest.hexdigest()}")')
    (root / _CONFIG).write_text("\n".join(["# what `edgegrf build` chose", *lines]) + "\n")
    return digest.hexdigest()


def _interface(tflite: Path) -> Interface | None:
    return Manifest.read(tflite).interface if manifest_path(tflite).is_file() else None
