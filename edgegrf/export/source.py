# SPDX-License-Identifier: Apache-2.0
"""Where an export starts: a checkpoint, or an ONNX file from anywhere with its interface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from edgegrf.errors import ModelError, UnknownNameError, UnsupportedError
from edgegrf.export.interface import fix_shapes
from edgegrf.export.onnx_file import load_onnx
from edgegrf.export.torch_export import export_onnx
from edgegrf.files import sha256_file
from edgegrf.gait.readers.columns import UNITS
from edgegrf.graph.model import STATE_PREFIX
from edgegrf.manifest import Interface, Manifest, manifest_path

__all__ = ["Source", "from_checkpoint", "from_onnx"]


@dataclass(frozen=True)
class Source:
    """A float model in ONNX with what is known of it; `student` is the torch module, if there is one.

    `lookahead` says whether the interface's is known, only declared by a person, or open: to be measured.
    """

    name: str
    onnx: Any
    interface: Interface
    model: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    student: Any = None
    lookahead: Literal["known", "declared", "open"] = "known"
    learnt: Mapping[str, Any] = field(default_factory=dict)  # with the rounding in place

    @property
    def is_step(self) -> bool:
        """True for a step model: states go in beside pressure."""
        return any(value.name.startswith(STATE_PREFIX) for value in self.onnx.graph.input)

    @property
    def history(self) -> int:
        """Samples at the start of a window whose estimates do not count, for want of history."""
        if self.interface.lookahead < 0:
            return 0
        window, reach = self.interface.window, self.model.get("receptive_field")
        if reach is None or reach > window - window // 8:  # unknown, or too few samples would be left
            return window // 2
        return int(reach) - 1


def from_checkpoint(path: Path) -> Source:
    """A student's checkpoint, exported to ONNX; raises ModelError or, if untraceable, UnsupportedError."""
    from edgegrf.students import load
    from edgegrf.students.checkpoint import learnt_in

    student = load(path)
    manifest = Manifest.read(path)
    return Source(
        manifest.name or path.stem,
        export_onnx(student),
        student.interface,
        manifest.model,
        {path.name: sha256_file(path)},
        student,
        learnt=learnt_in(path),
    )


def from_onnx(path: Path, interface: Interface | None, *, open_lookahead: bool = False) -> Source:
    """An ONNX file; its interface is given, or stands in the manifest beside it.

    `open_lookahead`: the given interface does not say how far the model looks ahead.
    """
    model = load_onnx(path)
    described = Manifest.read(path) if manifest_path(path).is_file() else None
    known = interface or (described.interface if described else None)
    if known is None:
        raise ModelError(
            f"{path} says nothing about its sensors",
            why=f"{manifest_path(path).name} is not beside it",
            fix="name them: --sensors s1,s3,s4,s7 --rate 100",
        )
    if known.sensor_unit not in UNITS:
        raise UnknownNameError("unit", known.sensor_unit, UNITS)
    if not len(model.graph.input):
        raise UnsupportedError(f"{path} has no input")
    name = described.name if described else path.stem
    details = described.model if described else {}
    lookahead: Literal["known", "declared", "open"] = "declared"
    if open_lookahead:
        lookahead = "open"
    elif described and known == described.interface and "receptive_field" in details:
        lookahead = "known"
    return Source(
        name,
        fix_shapes(model, known.window),
        known,
        details,
        {path.name: sha256_file(path)},
        lookahead=lookahead,
    )
