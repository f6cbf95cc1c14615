# SPDX-License-Identifier: Apache-2.0
"""The files of one chain: a `.tflite`, and the ONNX and the checkpoint that it came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgegrf.errors import ModelError
from edgegrf.files import sha256_file
from edgegrf.manifest import Manifest, manifest_path
from edgegrf.resources import shipped_file, shipped_students

__all__ = ["Chain", "find_chain"]


@dataclass(frozen=True)
class Chain:
    """What a model's manifests say that it came from; None where nothing is told or the file is gone."""

    tflite: Path
    manifest: Manifest | None
    onnx: Path | None = None
    checkpoint: Path | None = None

    @property
    def missing(self) -> list[str]:
        """The files that are not there, in words."""
        wanted = {"the ONNX file": self.onnx, "the checkpoint": self.checkpoint}
        return [name for name, path in wanted.items() if path is None]


def find_chain(tflite: Path) -> Chain:
    """The chain that ends in `tflite`; sources are known by their SHA-256, beside it or among the shipped.

    Raises ModelError if the file is absent or is not the one that its manifest describes.
    """
    if not tflite.is_file():
        raise ModelError(f"no such model: {tflite}", fix="edgegrf export --quantize int8 writes one")
    if not manifest_path(tflite).is_file():
        return Chain(tflite, None)
    manifest = Manifest.read(tflite)
    onnx = _source(manifest, tflite, "*.onnx")
    origin = Manifest.read(onnx) if onnx and manifest_path(onnx).is_file() else manifest
    checkpoint = _source(origin, tflite, "*.pt") or _source(origin, tflite, "*.safetensors")
    return Chain(tflite, manifest, onnx, checkpoint)


def _source(manifest: Manifest, tflite: Path, pattern: str) -> Path | None:
    hashes = set(manifest.sources.values())
    return next((path for path in _candidates(tflite, pattern) if sha256_file(path) in hashes), None)


def _candidates(tflite: Path, pattern: str) -> Iterator[Path]:
    yield from sorted(tflite.parent.glob(pattern))
    for student in shipped_students():
        yield from sorted(shipped_file(student, "").glob(pattern))
