# SPDX-License-Identifier: Apache-2.0
"""The record that travels beside each artefact, as `ARTEFACT.json`: what it is, fits and came from."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgegrf import __version__
from edgegrf.errors import ModelError
from edgegrf.files import sha256_file, write_file

__all__ = ["SCHEMA", "Interface", "Manifest", "command_line", "learnt_from", "manifest_path"]

SCHEMA = 1


@dataclass(frozen=True)
class Interface:
    """What goes into a model and comes out of it, from training to the board.

    A window is pressure [window, len(sensors)] in `sensor_unit` and gives force
    [window, len(outputs)] in `output_unit`, both at `sample_rate_hz`.  `frame` is (rows, columns) of a
    matrix insole, whose sensors are named row by row.  The estimate of sample t needs the samples up
    to t + lookahead; lookahead -1 says that the model only sees whole windows.  `gains`, of a personalised
    model, are what each sensor is multiplied with before anything else; () is 1 for all.
    """

    sensors: tuple[str, ...]
    sensor_unit: str
    outputs: tuple[str, ...]
    output_unit: str
    sample_rate_hz: float
    window: int
    lookahead: int = 0
    frame: tuple[int, int] | None = None
    gains: tuple[float, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """One artefact's record; the file is deterministic: no clock, no host, no absolute path."""

    kind: str  # checkpoint, onnx, tflite, c, firmware, golden
    name: str
    sha256: str
    interface: Interface | None = None
    model: Mapping[str, Any] = field(default_factory=dict)  # architecture, hyper-parameters, parameters...
    quantization: Mapping[str, Any] = field(default_factory=dict)  # {"input": {"scale", "zero_point"}, ...}
    metrics: Mapping[str, Any] = field(default_factory=dict)  # name with unit -> number
    sources: Mapping[str, str] = field(default_factory=dict)  # what it was made from: name -> sha256
    tools: Mapping[str, str] = field(default_factory=dict)  # tool -> version
    command: str = ""

    def write(self, artefact: Path) -> Path:
        """Write the manifest beside `artefact` and return its path."""
        path = manifest_path(artefact)
        record = {"schema": SCHEMA, **dataclasses.asdict(self)}
        if self.interface and not self.interface.gains:
            del record["interface"]["gains"]
        record["tools"] = {"edgegrf": __version__, **dict(self.tools)}
        write_file(path, json.dumps(record, indent=1, sort_keys=True) + "\n")
        return path

    @classmethod
    def read(cls, artefact: Path, *, check: bool = True) -> Manifest:
        """The manifest beside `artefact`; raises ModelError if absent, malformed or of other bytes."""
        path = manifest_path(artefact)
        try:
            record = json.loads(path.read_text())
            schema = record.pop("schema")
            if schema != SCHEMA:
                raise ModelError(f"{path}: manifest schema {schema}, this edgegrf reads {SCHEMA}")
            if record.get("interface"):
                record["interface"] = _interface(record["interface"])
            manifest = cls(**record)
        except FileNotFoundError as error:
            raise ModelError(
                f"{artefact} has no manifest", why=f"{path.name} is not beside it", fix="export it again"
            ) from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{path}: not a manifest", why=str(error)) from error
        if check and artefact.is_file() and sha256_file(artefact) != manifest.sha256:
            raise ModelError(
                f"{artefact} is not the file that its manifest describes",
                why="the SHA-256 differs: one of the two was changed",
                fix="export it again",
            )
        return manifest


def manifest_path(artefact: Path) -> Path:
    """Where the manifest of `artefact` lies."""
    return artefact.with_name(artefact.name + ".json")


def learnt_from(*manifests: Manifest) -> frozenset[str]:
    """The subjects that those models were trained on, as far as their manifests say."""
    told = [manifest.model.get("training") or {} for manifest in manifests]
    return frozenset(subject for training in told for subject in training.get("learnt_from", ()))


def command_line() -> str:
    """The command that runs now, as a person would type it, for a manifest's `command`."""
    return " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])


def _interface(record: Mapping[str, Any]) -> Interface:
    frame = record.get("frame")
    return Interface(
        **{
            **record,
            "sensors": tuple(record["sensors"]),
            "outputs": tuple(record["outputs"]),
            "frame": tuple(frame) if frame else None,
            "gains": tuple(record.get("gains", ())),
        }
    )
