# SPDX-License-Identifier: Apache-2.0
"""The generated C on the host: compiled to a shared library once, called through ctypes."""

from __future__ import annotations

import ctypes
import hashlib
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgegrf.compiler import Compiled, compile_model
from edgegrf.errors import DataError, MissingToolError, UnsupportedError
from edgegrf.files import write_file
from edgegrf.graph.affine import Codes
from edgegrf.process import run
from edgegrf.resources import cache_folder
from edgegrf.toolchain import Compiler, host_compiler

__all__ = ["WARNINGS", "HostModel", "shared_library"]


#: what generated code and kernels compile cleanly under, on every compiler
WARNINGS = (
    "-std=c99",
    "-Wall",
    "-Wextra",
    "-Wconversion",
    "-Wmissing-prototypes",
    "-Wdouble-promotion",
    "-Werror",
)
_HARNESS = Path(__file__).with_name("host_library.c")
_SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")


class HostModel:
    """The C that `compile_model` makes of a `.tflite`, as a library; each instance has its own stream."""

    def __init__(self, tflite: Path, *, compiler: Compiler | None = None) -> None:
        with tempfile.TemporaryDirectory(prefix="edgegrf-") as name:
            self.info: Compiled = compile_model(tflite, Path(name) / "c")
            sources = (*self.info.sources, _HARNESS)
            built = shared_library(sources, self.info.folder, compiler or host_compiler())
            # a copy of its own: a library that is loaded twice from one path shares its static buffers
            own = Path(shutil.copy(built, Path(name) / f"model{_SUFFIX}"))
            self._library: Any = ctypes.CDLL(str(own))
        for function in (self._library.host_window, self._library.host_stream):
            function.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
            function.restype = ctypes.c_int64
        self.reset()

    @property
    def modes(self) -> int:
        """1 window, 2 stream, 3 both."""
        return self.info.modes

    def window(self, x: Codes) -> Codes:
        """Estimates [N, estimates, K] of windows x [N, samples, C] (or [N, samples, rows, columns])."""
        plan = self.info.plan
        if not self.modes & 1:
            raise UnsupportedError("a step model has no windows", fix="use stream()")
        x = self._fitting(x, (plan.samples, plan.input_channels))
        out = np.empty((len(x), plan.estimates, plan.output_channels), self.dtype)
        self._library.host_window(x.ctypes.data, out.ctypes.data, len(x))
        return out

    def reset(self) -> None:
        """Let the stream forget all samples."""
        self._library.host_reset()

    def stream(self, x: Codes) -> Codes:
        """Estimates [T', K] of the next samples x [T, C] (or [T, rows, columns]), codes."""
        plan = self.info.plan
        if not self.modes & 2:
            why = self.info.stream_refusal
            raise UnsupportedError("the model cannot stream", why=why, fix="use window()")
        x = self._fitting(x, (plan.input_channels,))
        out = np.empty((len(x), plan.output_channels), self.dtype)
        return out[: self._library.host_stream(x.ctypes.data, out.ctypes.data, len(x))]

    @property
    def dtype(self) -> Any:
        """int8, or int16 of an int16x8 model."""
        return np.dtype(self.info.plan.dtype)

    def _fitting(self, x: Codes, each: tuple[int, ...]) -> Codes:
        """x [N, ...] as contiguous codes [N, *each]; raises DataError."""
        count = int(np.prod(each))
        if x.dtype != self.dtype or x.ndim < 1 or x.size != len(x) * count:
            raise DataError(
                f"{x.dtype} of shape {list(x.shape)} does not fit",
                why=f"the model takes {list(each)} {self.dtype}",
            )
        return np.ascontiguousarray(x).reshape(len(x), *each)


def shared_library(
    sources: Sequence[Path], include: Path, compiler: Compiler, flags: Sequence[str] = ("-O2",)
) -> Path:
    """The library of `sources` in the cache, compiled if not there; keyed by text, flags and compiler."""
    arguments = [*WARNINGS, *flags, "-fPIC", "-shared"]
    digest = hashlib.sha256(repr((compiler.argv, compiler.version, arguments)).encode())
    for path in sorted([*include.glob("*.h"), *sources]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    built = cache_folder() / "host" / f"{digest.hexdigest()[:32]}{_SUFFIX}"
    if not built.is_file():
        with tempfile.TemporaryDirectory(prefix="edgegrf-") as name:
            aside = Path(name) / built.name
            run([*compiler.argv, *arguments, f"-I{include}", *map(str, sources), "-o", str(aside)])
            if not aside.is_file():
                raise MissingToolError(f"{compiler.version} wrote no library", fix="edgegrf doctor")
            write_file(built, aside.read_bytes())
    return built
