# SPDX-License-Identifier: Apache-2.0
"""Which C compilers are at hand: the host's, and those for the boards' cores; zig stands in for any."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import sys
from dataclasses import dataclass

from edgegrf.errors import MissingToolError, UnknownNameError
from edgegrf.process import run

__all__ = ["ARM_COMPILERS", "CROSS_COMPILERS", "Compiler", "arm_compiler", "core_compiler", "host_compiler"]

ARM_COMPILERS = CROSS_COMPILERS = ("gcc", "zig")


@dataclass(frozen=True)
class Compiler:
    """A C compiler: `argv` starts it, `kind` is "gcc", "clang" or "zig"."""

    kind: str
    argv: tuple[str, ...]
    version: str
    has_asan: bool = False


@dataclass(frozen=True)
class _Family:
    """Cores that one cross compiler serves: what people call them, its program, what chooses it."""

    title: str
    gcc: str
    variable: str


#: by the `core` of a board
_CORES = {
    "Cortex-M4F": _Family("ARM", "arm-none-eabi-gcc", "EDGEGRF_ARM_COMPILER"),
    "RV32IMC": _Family("RISC-V", "riscv64-unknown-elf-gcc", "EDGEGRF_RISCV_COMPILER"),
}


def host_compiler() -> Compiler:
    """The host's C compiler: $CC, cc, gcc, clang, else zig; raises MissingToolError."""
    for name in filter(None, (os.environ.get("CC"), "cc", "gcc", "clang")):
        path = shutil.which(name)
        if path:
            version = _version(path)
            return Compiler("clang" if "clang" in version else "gcc", (path,), version, has_asan=True)
    if importlib.util.find_spec("ziglang"):
        return _zig()
    raise MissingToolError(
        "no C compiler for this computer",
        why="neither cc, gcc, clang nor ziglang was found",
        fix="pip install 'edgegrf[build]'",
    )


def arm_compiler(kind: str | None = None) -> Compiler:
    """A Cortex-M compiler: arm-none-eabi-gcc if on the PATH, else zig; `kind` insists on one.

    `EDGEGRF_ARM_COMPILER` (gcc or zig) decides where `kind` is None.  Raises MissingToolError.
    """
    return core_compiler("Cortex-M4F", kind)


def core_compiler(core: str, kind: str | None = None) -> Compiler:
    """The compiler for a board's `core`: its gcc if on the PATH, else zig; `kind` insists on one.

    `EDGEGRF_ARM_COMPILER` or `EDGEGRF_RISCV_COMPILER` (gcc or zig) decides where `kind` is None.  Raises
    MissingToolError.
    """
    if core not in _CORES:
        raise MissingToolError(f"no compiler for {core}", why="it takes its maker's own SDK")
    family = _CORES[core]
    kind = kind or os.environ.get(family.variable) or None
    if kind is not None and kind not in CROSS_COMPILERS:
        raise UnknownNameError(f"{family.title} compiler", kind, CROSS_COMPILERS)
    gcc = shutil.which(family.gcc) if kind in (None, "gcc") else None
    if gcc:
        return Compiler("gcc", (gcc,), _version(gcc))
    if kind in (None, "zig") and importlib.util.find_spec("ziglang"):
        return _zig()
    raise MissingToolError(
        f"no compiler for {core} ({kind or f'{family.gcc} or ziglang'})",
        fix=f"pip install 'edgegrf[build]', or install {family.gcc}",
    )


def _zig() -> Compiler:
    argv = (sys.executable, "-m", "ziglang")
    return Compiler("zig", (*argv, "cc"), "zig " + _version(*argv, "version"))


@functools.cache
def _version(program: str, *words: str) -> str:
    """What a program says of itself, asked once; which program is taken may change with the environment."""
    return run([program, *(words or ("--version",))]).stdout.splitlines()[0]
