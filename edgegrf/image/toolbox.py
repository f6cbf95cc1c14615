# SPDX-License-Identifier: Apache-2.0
"""Runs CMake and Ninja on firmware/: configure, compile, link, each with its own kind of failure."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from edgegrf.boards import Board
from edgegrf.errors import MissingToolError, UsageError
from edgegrf.process import ToolFailedError, run
from edgegrf.resources import firmware_folder
from edgegrf.toolchain import Compiler, core_compiler, host_compiler

__all__ = ["build_elf", "compiler_for"]


def compiler_for(board: Board, kind: str | None) -> Compiler:
    """The compiler of the board's core; `kind` (gcc or zig) insists on one.  Raises MissingToolError."""
    if board.chip != "host":
        return core_compiler(board.core, kind)
    if kind is None:
        return host_compiler()
    raise UsageError(f"{board.name} is built with this computer's own compiler, not '{kind}'", fix="set CC")


def build_elf(
    board: Board,
    compiler: Compiler,
    model: Path,
    work: Path,
    *,
    firmware_sha256: str,
    version: str,
    sensors: Sequence[int] = (),
) -> Path:
    """The executable that CMake builds of firmware/ and the C in `model`, in the empty folder `work`.

    `sensors` says which scanned sensor feeds each model input; empty: in order.

    Raises MissingToolError, ToolFailedError when something does not compile, UsageError when all
    compiles but does not fit the board's memory.
    """
    cmake = _program("cmake")
    definitions = {
        "BOARD": board.name,
        "MODEL_DIR": str(model.resolve()),
        "FIRMWARE_SHA256": firmware_sha256,
        "FIRMWARE_VERSION": version,
        "SENSOR_MAP": ",".join(map(str, sensors)),
        "CMAKE_TOOLCHAIN_FILE": str(firmware_folder() / "cmake" / _toolchain_file(board, compiler)),
        "CMAKE_C_COMPILER": ";".join(compiler.argv),
        "CMAKE_MAKE_PROGRAM": _program("ninja"),
    }
    if board.chip == "host":
        definitions["SANITIZE"] = "address,undefined" if compiler.has_asan else "undefined"
    run(
        [cmake, "-S", str(firmware_folder()), "-B", str(work), "-G", "Ninja"]
        + [f"-D{name}={value}" for name, value in definitions.items()]
    )
    run([cmake, "--build", str(work), "--target", "objects"])
    try:
        run([cmake, "--build", str(work)])
    except ToolFailedError as error:
        raise UsageError(
            f"the image does not fit the memory of {board.name}", why=error.why, fix="take a smaller student"
        ) from error
    return work / ("firmware" if board.chip == "host" else "firmware.elf")


def _toolchain_file(board: Board, compiler: Compiler) -> str:
    if board.chip == "host":
        return "host.cmake"
    family = "riscv" if board.core.startswith("RV32") else "arm"
    return f"{family}-{compiler.kind}.cmake"


def _program(name: str) -> str:
    """The program beside this Python (a wheel's), else on the PATH."""
    beside = str(Path(sys.executable).parent)
    found = shutil.which(name, path=os.pathsep.join([beside, os.environ.get("PATH", "")]))
    if found is None:
        raise MissingToolError(f"{name} is not installed", fix="pip install 'edgegrf[build]'")
    return found
