# SPDX-License-Identifier: Apache-2.0
"""The files that an export leaves, each with its manifest, written when everything is made."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from edgegrf.export.source import Source
from edgegrf.files import write_file
from edgegrf.graph.model import STATE_PREFIX, Graph
from edgegrf.manifest import Manifest, command_line

__all__ = ["Artefact", "Exported", "quantization_record", "write_artefacts"]

ONNX, GOLDEN = "student.onnx", "golden.npz"


@dataclass(frozen=True)
class Artefact:
    """A file to be: its kind in the manifest, its name, its bytes and what its manifest adds."""

    kind: str
    file: str
    data: bytes
    model: Mapping[str, Any] = field(default_factory=dict)
    quantization: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    tools: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Exported:
    """What an export made, for the command line and for whoever calls it from Python."""

    onnx: Path
    tflite: Path | None
    golden: Path | None
    opset: int
    operators: Mapping[str, int]
    macs: int
    metrics: Mapping[str, float]
    scheme: str  # "int8", "int16x8"; "" where there is only ONNX
    calibration: str
    data: str
    synthetic: bool
    oddities: tuple[str, ...]
    explanation: Mapping[str, Any] | None = None  # of --explain
    other: Mapping[str, Any] | None = None  # of --cross-check

    def as_json(self) -> dict[str, Any]:
        """The record printed by `edgegrf export --json`; sizes in bytes."""
        files = [path for path in (self.onnx, self.tflite, self.golden) if path is not None]
        return {
            "tflite": self.tflite and str(self.tflite),
            "onnx": str(self.onnx),
            "golden": self.golden and str(self.golden),
            "opset": self.opset,
            "operators": dict(self.operators),
            "macs": self.macs,
            "bytes": {path.name: path.stat().st_size for path in files},
            **self.metrics,
            "scheme": self.scheme,
            "calibration": self.calibration,
            "data": self.data,
            "synthetic": self.synthetic,
            "oddities": list(self.oddities),
            **({"explain": dict(self.explanation)} if self.explanation else {}),
            **({"cross_check": dict(self.other)} if self.other else {}),
        }


def quantization_record(graph: Graph) -> dict[str, dict[str, float | int]]:
    """Scale and zero point of "input" and "output" (and of every state by name), as a manifest has them."""
    record = {}
    ends = (("input", graph.inputs), ("output", graph.outputs))
    for end, indices in ends:
        for index in indices:
            tensor = graph.tensors[index]
            if tensor.quantization is None:
                continue
            name = tensor.name if tensor.name.startswith(STATE_PREFIX) else end
            record[name] = {
                "scale": float(tensor.quantization.scales[0]),
                "zero_point": int(tensor.quantization.zero_points[0]),
            }
    return record


def write_artefacts(source: Source, folder: Path, artefacts: list[Artefact]) -> dict[str, Path]:
    """Write the files, then their manifests; returns kind -> path."""
    paths = {artefact.kind: folder / artefact.file for artefact in artefacts}
    for artefact in artefacts:
        write_file(paths[artefact.kind], artefact.data)
    for artefact in artefacts:
        Manifest(
            kind=artefact.kind,
            name=source.name,
            sha256=artefact.sha256,
            interface=source.interface,
            model={**source.model, **artefact.model},
            quantization=artefact.quantization,
            metrics=artefact.metrics,
            sources=artefact.sources,
            tools={tool: version(tool) for tool in artefact.tools},
            command=command_line(),
        ).write(paths[artefact.kind])
    return paths
