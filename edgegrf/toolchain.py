# SPDX-License-Identifier: Apache-2.0
"""Which C compilers are at hand: the host's, and one for Cortex-M; zig stands in for either."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import sys
from dataclasses import dataclass

from edgegrf.errors import MissingToolError, UnknownNameError
from edgegrf.process import run

__all__ = ["ARM_COMPILERS", "Compiler", "arm_compiler", "host_compiler"]

ARM_COMPILERS = ("gcc", "zig")


@dataclass(frozen=True)
class Compiler:
    """A C compiler: `argv` starts it, `kind` is "gcc", "clang" or "zig"."""

    kind: str
    argv: tuple[str, ...]
    version: str
    has_asan: bool = False


@functools.cache
def host_compiler() -> Compiler:
    """The host's C compiler: $CC, cc, gcc, clang, else zig; raises MissingToolError."""
    for name in filter(None, (os.environ.get("CC"), "cc", "gcc", "clang")):
        path = shutil.which(name)
        if path:
            version = run([path, "--version"]).stdout.splitlines()[0]
            return Compiler("clang" if "clang" in version else "gcc", (path,), version, has_asan=True)
    if importlib.util.find_spec("ziglang"):
        return _zig()
    raise MissingToolError(
        "no C compiler for this computer",
        why="neither cc, gcc, clang nor ziglang was found",
        fix="pip install 'edgegrf[build]'",
    )


@functools.cache
def arm_compiler(kind: str | None = None) -> Compiler:
    """A Cortex-M compiler: arm-none-eabi-gcc if on the PATH, else zig; `kind` insists on one.

    `EDGEGRF_ARM_COMPILER` (gcc or zig) decides where `kind` is None.  Raises MissingToolError.
    """
    kind = kind or os.environ.get("EDGEGRF_ARM_COMPILER") or None
    if kind is not None and kind not in ARM_COMPILERS:
        raise UnknownNameError("ARM compiler", kind, ARM_COMPILERS)
    gcc = shutil.which("arm-none-eabi-gcc") if kind in (None, "gcc") else None
    if gcc:
        return Compiler("gcc", (gcc,), run([gcc, "--version"]).stdout.splitlines()[0])
    if kind in (None, "zig") and importlib.util.find_spec("ziglang"):
        return _zig()
    raise MissingToolError(
        f"no compiler for Cortex-M ({kind or 'arm-none-eabi-gcc or ziglang'})",
        fix="pip install 'edgegrf[build]', or install arm-none-eabi-gcc",
    )


def _zig() -> Compiler:
    argv = (sys.executable, "-m", "ziglang", "cc")
    return Compiler("zig", argv, "zig " + run([*argv[:3], "version"]).stdout.strip())
