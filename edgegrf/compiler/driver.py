# SPDX-License-Identifier: Apache-2.0
"""`.tflite` file -> a folder of C99 that compiles by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from edgegrf import __version__
from edgegrf.compiler.emit import clean, source_text, sources_of
from edgegrf.compiler.header import header_text
from edgegrf.compiler.layout import Layout, make_layout
from edgegrf.compiler.memory import Memory
from edgegrf.compiler.plan import Layer, Plan
from edgegrf.compiler.planning import make_plan
from edgegrf.compiler.timing import EVERY_SAMPLE
from edgegrf.errors import ModelError, OutputError, UnsupportedError, UsageError
from edgegrf.files import new_folder, sha256_file
from edgegrf.graph.reader import read_tflite
from edgegrf.manifest import Interface, Manifest, manifest_path
from edgegrf.resources import firmware_folder

__all__ = ["Compiled", "compile_model", "read_model"]

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
    layout: Layout
    sample_rate_hz: float = 0.0  # of the manifest; 0 where it is not known
    files: tuple[str, ...] = field(default=())  # in the folder, the manifest left out

    @property
    def window(self) -> Memory | None:
        """The memory of windows, by themselves."""
        return self.layout.window

    @property
    def stream(self) -> Memory | None:
        """The memory of the stream, by itself."""
        return self.layout.stream

    def layers(self, mode: str) -> tuple[Layer, ...]:
        """What runs for a window or, in stream mode, for a sample; LAYER() counts them from 1 on."""
        return self.plan.run(stream=mode == "stream" or self.layout.through_stream)

    @property
    def pace(self) -> str:
        """When a stream's estimates come, in words; empty where each sample brings its own at once."""
        clock, ahead = self.plan.clock, self.plan.lookahead
        if clock == EVERY_SAMPLE:
            return ""
        every = "every sample" if clock.period == 1 else f"every {clock.period} samples"
        time = f", {1000 * ahead / self.sample_rate_hz:.9g} ms" if self.sample_rate_hz else ""
        waits = f"; each looks {ahead} samples ahead{time}" if ahead > 0 else ""
        return f"the first estimate comes with sample {clock.first} (from 0 on), the next ones {every}{waits}"

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
    tflite: Path,
    folder: Path,
    *,
    name: str = "model",
    mode: str = "both",
    weights: str = "auto",
    memory: str = "auto",
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
    data = read_model(tflite)
    plan = make_plan(read_tflite(data))
    if sum(layer.constant_bytes for layer in plan.layers) > _LARGEST_CONSTANTS:
        raise UnsupportedError("the weights exceed 4 MiB", why="no supported board holds them")
    layout = make_layout(plan, mode=mode, weights=weights, memory=memory)
    manifest = Manifest.read(tflite) if manifest_path(tflite).is_file() else None
    if manifest is not None:
        _check_interface(plan, manifest.interface, tflite)
    title = clean(manifest.name if manifest else tflite.stem, 31)
    rate = manifest.interface.sample_rate_hz if manifest and manifest.interface else 0.0
    compiled = Compiled(folder, name, plan, title, sha256_file(tflite), layout, rate)
    chosen = {"weights": weights, "memory": memory}
    options = f"--mode {mode}" + "".join(f" --{key} {one}" for key, one in chosen.items() if one != "auto")
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


def read_model(tflite: Path) -> bytes:
    """The bytes of a model file; raises ModelError."""
    try:
        return tflite.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read {tflite}", why=error.strerror or str(error)) from error


def _check_interface(plan: Plan, interface: Interface | None, tflite: Path) -> None:
    if interface is None:
        return
    sensors, outputs = len(interface.sensors), len(interface.outputs)
    many = plan.input_channels // sensors if plan.states else 1  # a step may take several samples
    if (
        sensors * many != plan.input_channels
        or plan.output_channels % outputs
        or (not plan.states and outputs != plan.output_channels)
    ):
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
    folder = firmware_folder() / "kernels"
    kernels = _with_headers(folder, sources_of(compiled.plan))
    texts = {
        f"{compiled.name}.h": header_text(compiled, manifest, **provenance),
        f"{compiled.name}.c": source_text(compiled.plan, compiled.layout, **provenance),
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
            "period": plan.clock.period,
            "lookahead": plan.lookahead,
            "ram_bytes": compiled.layout.ram_bytes,
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
