# SPDX-License-Identifier: Apache-2.0
"""A student on disk: a plain state dict (.pt or .safetensors) and, beside it, its manifest."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from edgegrf.errors import MissingToolError, ModelError
from edgegrf.files import sha256_file, write_file
from edgegrf.manifest import Manifest, manifest_path
from edgegrf.students.build import create
from edgegrf.students.cost import macs_per_sample
from edgegrf.students.student import Student

__all__ = ["learnt_in", "load", "save"]

#: before the names of what was learnt with the rounding in place
_LEARNT = "quantised."


def save(
    student: Student,
    path: Path,
    *,
    name: str = "",
    metrics: Mapping[str, Any] | None = None,
    sources: Mapping[str, str] | None = None,
    training: Mapping[str, Any] | None = None,
    command: str = "",
    learnt: Mapping[str, Tensor] | None = None,
) -> Manifest:
    """Write the weights to `path` (.safetensors if so named, else by torch.save) and the manifest.

    `name` is the student's, else the folder's; `training` says how it was trained and lands in
    `model.training`; `learnt` is what was learnt with the rounding in place.  Raises OutputError.
    """
    write_file(path, _encode(student, path, learnt or {}))
    manifest = Manifest(
        kind="checkpoint",
        name=name or path.resolve().parent.name,
        sha256=sha256_file(path),
        interface=student.interface,
        model={
            "architecture": student.architecture,
            "hyper": dict(student.hyper),
            "parameters": student.parameters_count,
            "macs_per_sample": macs_per_sample(student),
            "receptive_field": student.receptive_field,
            "causal": student.causal,
            "recurrent": student.recurrent,
            **({"training": dict(training)} if training else {}),
        },
        metrics=dict(metrics or {}),
        sources=dict(sources or {}),
        tools={"torch": torch.__version__},
        command=command,
    )
    manifest.write(path)
    return manifest


def load(path: Path) -> Student:
    """The student at `path`, in evaluation mode.

    Raises ModelError if it is unsafe, damaged, or of another architecture than its manifest says.
    """
    weights = {key: value for key, value in _decode(path).items() if not key.startswith(_LEARNT)}
    if not manifest_path(path).is_file():
        raise ModelError(
            f"{path} has no manifest",
            why=f"{manifest_path(path).name} is not beside it: weights alone do not name their network",
            fix="save it with edgegrf.students.save(student, path)",
        )
    manifest = Manifest.read(path)
    if manifest.kind != "checkpoint" or manifest.interface is None or "architecture" not in manifest.model:
        raise ModelError(f"{path} is not a student's checkpoint", why=f"its manifest says {manifest.kind}")
    name = str(manifest.model["architecture"])
    student = create(name, manifest.interface, **manifest.model.get("hyper", {}))
    _check_same(path, student, weights)
    student.load_state_dict(weights)
    return student.eval()


def learnt_in(path: Path) -> dict[str, Tensor]:
    """What the checkpoint holds of a training with the rounding in place; empty where there was none."""
    found = {key: value for key, value in _decode(path).items() if key.startswith(_LEARNT)}
    return {key.removeprefix(_LEARNT): value for key, value in found.items()}


def _encode(student: Student, path: Path, learnt: Mapping[str, Tensor]) -> bytes:
    tensors = {**student.state_dict(), **{_LEARNT + key: value for key, value in learnt.items()}}
    weights = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    if path.suffix == ".safetensors":
        encoded: bytes = _safetensors().save(weights)
        return encoded
    buffer = io.BytesIO()
    torch.save(weights, buffer)
    return buffer.getvalue()


def _decode(path: Path) -> dict[str, Tensor]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        fix = f"edgegrf train -o {path.parent} writes one" if isinstance(error, FileNotFoundError) else ""
        raise ModelError(f"cannot read {path}", why=error.strerror or str(error), fix=fix) from error
    decode = _decode_safetensors if path.suffix == ".safetensors" else _decode_torch
    weights = decode(path, raw)
    for key, value in weights.items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise ModelError(f"{path}: {key} holds NaN or infinity", fix="train it again with a lower rate")
    return weights


def _decode_torch(path: Path, raw: bytes) -> dict[str, Tensor]:
    try:
        weights = torch.load(io.BytesIO(raw), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{path} is refused: it holds more than tensors",
            why="a pickled module or other object could run code when loaded",
            fix="save only the weights, with edgegrf.students.save(student, path)",
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"{path} is not a readable checkpoint",
            why="empty, cut short or not written by torch.save",
            fix="copy or train it again",
        ) from error
    if not isinstance(weights, dict) or not all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in weights.items()
    ):
        raise ModelError(
            f"{path} is not a plain state dict",
            why=f"it holds a {type(weights).__name__} that is not name -> tensor throughout",
            fix="save the weights with edgegrf.students.save(student, path)",
        )
    return dict(weights)


def _decode_safetensors(path: Path, raw: bytes) -> dict[str, Tensor]:
    package = _safetensors()
    from safetensors import SafetensorError

    try:
        weights: dict[str, Tensor] = package.load(raw)
    except SafetensorError as error:
        raise ModelError(f"{path} is not a readable safetensors file", why=str(error)) from error
    return weights


def _safetensors() -> Any:
    try:
        import safetensors.torch
    except ModuleNotFoundError as error:
        raise MissingToolError("safetensors is not installed", fix="pip install 'edgegrf[train]'") from error
    return safetensors.torch


def _check_same(path: Path, student: Student, weights: Mapping[str, Tensor]) -> None:
    wanted = student.state_dict()
    for key in [*wanted, *weights]:
        here, there = wanted.get(key), weights.get(key)
        if here is not None and there is not None and here.shape == there.shape:
            continue
        raise ModelError(
            f"{path} does not fit {student.architecture} {dict(student.hyper)}",
            why=f"{key}: the network has {_shape(here)}, the file {_shape(there)}",
            fix="name the architecture and hyper-parameters it was trained with in its manifest",
        )


def _shape(tensor: Tensor | None) -> str:
    return "nothing" if tensor is None else str(list(tensor.shape))
