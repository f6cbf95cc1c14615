# SPDX-License-Identifier: Apache-2.0
"""The hash by which a firmware is known: of its sources, its model and the options of the build."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from edgegrf.boards import Board
from edgegrf.resources import firmware_folder
from edgegrf.toolchain import Compiler

__all__ = ["firmware_identity"]


def firmware_identity(
    board: Board, compiler: Compiler, model: Path, version: str, sensors: Sequence[int] = ()
) -> str:
    """SHA-256, hexadecimal, of all that decides an image's bytes; the places of the files do not."""
    digest = hashlib.sha256()
    digest.update(bytes(sensors))
    for name, data in _parts(board, compiler, model, version):
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()


def _parts(board: Board, compiler: Compiler, model: Path, version: str) -> Iterator[tuple[str, bytes]]:
    options = (board.name, compiler.kind, compiler.version, str(compiler.has_asan), version)
    yield "options", "\0".join(options).encode()
    root = firmware_folder()
    folders = [root / "core", root / "engine", root / "cmake", root / "port" / board.port]
    folders += [root / "port" / "bare"]
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    files += [root / "CMakeLists.txt", root / "boards" / board.name / "board.toml"]
    files += [file for file in (root / "port").iterdir() if file.is_file()]
    for file in sorted(files):
        yield file.relative_to(root).as_posix(), file.read_bytes()
    for file in sorted([*model.glob("*.c"), *model.glob("*.h")]):
        yield f"model/{file.name}", file.read_bytes()
