# SPDX-License-Identifier: Apache-2.0
"""`.tflite` file -> a folder of C99 that compiles by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from edgegrf import __version__
from edgegrf.compiler.emit import clean, source_text
from edgegrf.compiler.header import header_text
from edgegrf.compiler.memory import Memory, plan_memory
from edgegrf.compiler.plan import Plan
from edgegrf.compiler.planning import make_plan
from edgegrf.errors import ModelError, OutputError, UnsupportedError, UsageError
from edgegrf.files import new_folder, sha256_file
from edgegrf.graph.reader import read_tflite
from edgegrf.manifest import Interface, Manifest, manifest_path
from edgegrf.resources import firmware_folder

__all__ = ["MODES", "WEIGHTS", "Compiled", "compile_model"]

#: what a user may ask for; a model that cannot do one of `both` is compiled for the other
MODES = ("both", "window", "stream")

#: where constants lie; `auto`: in RAM where that at most trebles what a stream keeps there anyway
WEIGHTS = ("auto", "flash", "ram")
_AUTO_RATIO = 2
_AUTO_BYTES = 8192

#: weights beyond what any supported board can hold
_LARGEST_CONSTANTS = 1 << 22
_INCLUDE = re.compile(r'^#include "(eg_\w+\.h)"', re.MULTILINE)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class Compiled:
    """What `compile_model` wrote, and what it costs; bytes exclude code and stack."""

    folder: Path
    name: str
    plan: Plan
    title: str
    sha256: str  # of the .tflite
    window: Memory | None
    stream: Memory | None
    files: tuple[str, ...] = field(default=())  # in the folder, the manifest left out

    @property
    def modes(self) -> int:
        """1 window, 2 stream, 3 both."""
        return (1 if self.window else 0) | (2 if self.stream else 0)

    @property
    def weight_bytes(self) -> int:
        return sum(layer.constant_bytes for layer in self.plan.layers)

    @property
    def stream_refusal(self) -> str:
        """Why there is no stream mode, naming the layer; empty where there is."""
        return self.plan.stream_refusal

    @property
    def sources(self) -> tuple[Path, ...]:
        """The C files to compile."""
        return tuple(self.folder / name for name in self.files if name.endswith(".c"))


def compile_model(
    tflite: Path, folder: Path, *, name: str = "model", mode: str = "both", weights: str = "auto"
) -> Compiled:
    """Write NAME.h, NAME.c, the kernels they use and NAME.c.json into `folder`, which is replaced as a whole.

    The same file gives the same bytes.  Raises ModelError or UnsupportedError for a model that cannot be
    compiled, or not for `mode`; UsageError for a name that is no C name; OutputError, also for a folder that
    holds anything else.
    """
    if not _NAME.fullmatch(name) or name.startswith("eg_"):
        raise UsageError(
            f"'{name}' cannot name C functions", fix="take lower-case letters, digits and _, at most 40"
        )
    _check_folder(folder)
    data = _read(tflite)
    plan = make_plan(read_tflite(data))
    if sum(layer.constant_bytes for layer in plan.layers) > _LARGEST_CONSTANTS:
        raise UnsupportedError("the weights exceed 4 MiB", why="no supported board holds them")
    window, stream = _placed(plan, weights, *_modes(plan, mode))
    manifest = Manifest.read(tflite) if manifest_path(tflite).is_file() else None
    if manifest is not None:
        _check_interface(plan, manifest.interface, tflite)
    title = clean(manifest.name if manifest else tflite.stem, 31)
    compiled = Compiled(folder, name, plan, title, sha256_file(tflite), window, stream)
    options = f"--mode {mode}" + (f" --weights {weights}" if weights != "auto" else "")
    return _write(compiled, tflite, manifest, options)


def _check_folder(folder: Path) -> None:
    """Refuse a folder with files that this command did not write: it is replaced as a whole."""
    if not folder.exists():
        return
    try:
        names = {path.name for path in folder.iterdir()}
    except OSError as error:
        why = error.strerror or str(error)
        raise OutputError(f"cannot write {folder}", why=why, fix="choose another place with -o") from error
    ours = {name.removesuffix(".c.json") for name in names if name.endswith(".c.json")}
    known = {f"{name}{suffix}" for name in ours for suffix in (".h", ".c", ".c.json")}
    foreign = sorted(name for name in names - known if not (ours and name.startswith("eg_")))
    if foreign:
        why = f"{foreign[0]} would be lost"
        raise OutputError(f"{folder} holds other files", why=why, fix="choose an empty folder with -o")


def _read(tflite: Path) -> bytes:
    try:
        return tflite.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read {tflite}", why=error.strerror or str(error)) from error


def _modes(plan: Plan, mode: str) -> tuple[Memory | None, Memory | None]:
    """The memory plans of the modes that are asked for and possible."""
    if mode == "window" and not plan.window:
        raise UnsupportedError("a step model has no windows", why="it keeps state", fix="--mode stream")
    if mode == "stream" and not plan.stream:
        raise UnsupportedError(
            "the model cannot stream", node=plan.stream_refusal, why=plan.stream_refusal, fix="--mode window"
        )
    window = plan_memory(plan, stream=False) if plan.window and mode != "stream" else None
    stream = plan_memory(plan, stream=True) if plan.stream and mode != "window" else None
    if window is None and stream is None:
        raise UnsupportedError("the model can neither run windows nor stream", why=plan.stream_refusal)
    return window, stream


def _placed(
    plan: Plan, weights: str, window: Memory | None, stream: Memory | None
) -> tuple[Memory | None, Memory | None]:
    """The memory plans with the constants counted in, where they lie in RAM.

    A stream reads every weight once per sample, and from flash waits for each; a window copies them first.
    """
    size = sum(layer.constant_bytes for layer in plan.layers)
    small = stream is not None and size <= min(_AUTO_RATIO * stream.ram_bytes, _AUTO_BYTES)
    if weights == "flash" or (weights == "auto" and not small):
        return window, stream
    placed = [None if memory is None else replace(memory, constant_bytes=size) for memory in (window, stream)]
    return placed[0], placed[1]


def _check_interface(plan: Plan, interface: Interface | None, tflite: Path) -> None:
    if interface is None:
        return
    sensors, outputs = len(interface.sensors), len(interface.outputs)
    if (sensors, outputs) != (plan.input_channels, plan.output_channels):
        raise ModelError(
            f"{tflite} takes {plan.input_channels} values and gives {plan.output_channels}",
            why=f"its manifest names {sensors} sensors and {outputs} outputs",
            fix="export it again",
        )


def _write(compiled: Compiled, tflite: Path, manifest: Manifest | None, options: str) -> Compiled:
    provenance = {
        "command": f"edgegrf compile {clean(tflite.name)} --name {compiled.name} {options}",
        "version": __version__,
        "tflite": clean(tflite.name),
        "sha256": compiled.sha256,
        "name": compiled.name,
    }
    used = {source for layer in compiled.plan.layers for source in layer.sources}
    folder = firmware_folder() / "kernels"
    kernels = _with_headers(folder, used)
    texts = {
        f"{compiled.name}.h": header_text(compiled, manifest, **provenance),
        f"{compiled.name}.c": source_text(compiled.plan, compiled.window, compiled.stream, **provenance),
        **{kernel: (folder / kernel).read_text() for kernel in kernels},
    }
    with new_folder(compiled.folder) as aside:
        for name, text in texts.items():
            (aside / name).write_text(text)
        _manifest(compiled, tflite, manifest, aside / f"{compiled.name}.c", provenance["command"])
    return Compiled(**{**vars(compiled), "files": tuple(texts)})


def _with_headers(folder: Path, sources: set[str]) -> list[str]:
    """Kernel files and the headers that they include, and those these include."""
    found, left = {"eg_kernels.h"}, {*sources}
    while left:
        name = left.pop()
        found.add(name)
        left |= {*_INCLUDE.findall((folder / name).read_text())} - found
    return sorted(found)


def _manifest(
    compiled: Compiled, tflite: Path, manifest: Manifest | None, source: Path, command: str
) -> None:
    plan = compiled.plan
    Manifest(
        kind="c",
        name=manifest.name if manifest else tflite.stem,
        sha256=sha256_file(source),
        interface=manifest.interface if manifest else None,
        model={
            "modes": compiled.modes,
            "receptive_field": plan.receptive_field,
            "stream_refusal": plan.stream_refusal,
            "weight_bytes": compiled.weight_bytes,
            "ram_bytes_window": compiled.window.ram_bytes if compiled.window else 0,
            "ram_bytes_stream": compiled.stream.ram_bytes if compiled.stream else 0,
        },
        quantization={
            "input": {"scale": plan.input_scale, "zero_point": plan.input_zero_point},
            "output": {"scale": plan.output_scale, "zero_point": plan.output_zero_point},
        },
        sources={tflite.name: compiled.sha256},
        command=command,
    ).write(source)
