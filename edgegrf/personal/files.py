# SPDX-License-Identifier: Apache-2.0
"""A personalisation as files: the personalised `.tflite`, and the small file that goes to the board."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from edgegrf.errors import DataError, ModelError
from edgegrf.files import sha256_file, write_file
from edgegrf.graph.reader import read_tflite
from edgegrf.link.device import Device
from edgegrf.link.personal import personalise
from edgegrf.link.personal_record import GAIN_ONE, PersonalRecord
from edgegrf.manifest import Manifest, command_line
from edgegrf.personal.fitting import Fit
from edgegrf.personal.student import Student, head_of
from edgegrf.resources import MODEL_FILE

__all__ = [
    "RECORD_FILE",
    "Personal",
    "personal_table",
    "read_personal",
    "wear",
    "write_personal",
]

RECORD_FILE = "personal.json"

_SCHEMA = 1
_GAINS = (GAIN_ONE // 4, GAIN_ONE * 4)


@dataclass(frozen=True)
class Personal:
    """What a file holds: the record for the board, and the `.tflite` that the board computes with it."""

    record: PersonalRecord
    sensors: tuple[str, ...]
    tflite: Path


def write_personal(
    folder: Path, student: Student, found: Fit, metrics: Mapping[str, float], about: Mapping[str, Any]
) -> Personal:
    """Write the personalised `.tflite`, its manifest and the file for the board into `folder`.

    `metrics` go into the manifest, `about` (whose walk, how much of it) into both.  Raises DataError for a
    last layer that the board could not compute, OutputError.
    """
    data = student.with_last(found.layer)
    digest = hashlib.sha256(data).digest()
    head = head_of(read_tflite(data))
    assert head is not None  # with_last
    general = student.manifest.sha256
    gains = tuple(round(gain * GAIN_ONE) for gain in found.gains)
    record = PersonalRecord(bytes.fromhex(general), digest, gains, head.scales, head.weights)
    tflite = folder / MODEL_FILE
    write_file(tflite, data)
    used = {"model_sha256": general, "gains_fitted": found.chosen.gains, **about}
    replace(
        student.manifest,
        sha256=digest.hex(),
        interface=replace(student.interface, gains=found.gains if found.chosen.gains else ()),
        model={**student.manifest.model, "personal": used},
        metrics=dict(metrics),
        sources={student.tflite.name: general},
        command=command_line(),
    ).write(tflite)
    personal = Personal(record, student.interface.sensors, tflite)
    table = {"schema": _SCHEMA, **personal_table(record, personal.sensors), "tflite": tflite.name, **about}
    write_file(folder / RECORD_FILE, json.dumps(table, indent=1) + "\n")
    return personal


def personal_table(record: PersonalRecord, sensors: tuple[str, ...]) -> dict[str, Any]:
    """The record as plain values, gains by sensor."""
    bias, multiplier, shift = record.scales.T.tolist()
    return {
        "model_sha256": record.model_sha256.hex(),
        "personal_sha256": record.personal_sha256.hex(),
        "gains": {name: gain / GAIN_ONE for name, gain in zip(sensors, record.gains, strict=True)},
        "last_layer": {
            "weights": record.weights.tolist(), "bias": bias, "multiplier": multiplier, "shift": shift,
        },
    }  # fmt: skip


def read_personal(path: Path) -> Personal:
    """The personalisation in a file that `write_personal` wrote; raises DataError, ModelError."""
    try:
        table = json.loads(path.read_text())
        if table["schema"] != _SCHEMA:
            raise DataError(f"{path}: schema {table['schema']}, this edgegrf reads {_SCHEMA}")
        tflite = path.with_name(Path(table["tflite"]).name)
        personal = Personal(_record(table), tuple(table["gains"]), tflite)
    except FileNotFoundError as error:
        raise DataError(f"no such file: {path}", fix="edgegrf personalise writes one") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise DataError(
            f"{path} is no personalisation", why=str(error) or type(error).__name__,
            fix="give the personal.json that edgegrf personalise wrote",
        ) from error  # fmt: skip
    _check(personal, path)
    return personal


def wear(device: Device, path: Path) -> Path:
    """Put the personalisation in a file in force on a board; the `.tflite` that the board computes then.

    Raises DataError, ModelError, DeviceError, UsageError.
    """
    personal = read_personal(path)
    personalise(device, personal.record)
    return personal.tflite


def _record(table: Mapping[str, Any]) -> PersonalRecord:
    last = table["last_layer"]
    weights = np.array(last["weights"], np.int64)
    scales = np.stack([np.array(last[key], np.int64) for key in ("bias", "multiplier", "shift")], axis=1)
    if weights.ndim != 2 or len(weights) != len(scales) or np.abs(weights).max() > 127:
        raise ValueError("its last layer has other shapes")
    if np.abs(scales).max() >= 1 << 31:
        raise ValueError("a number is outside its field")
    hashes = [bytes.fromhex(table[key]) for key in ("model_sha256", "personal_sha256")]
    if any(len(one) != 32 for one in hashes):
        raise ValueError("a hash has another length")
    gains = tuple(round(float(gain) * GAIN_ONE) for gain in table["gains"].values())
    return PersonalRecord(hashes[0], hashes[1], gains, scales.astype(np.int32), weights.astype(np.int8))


def _check(personal: Personal, path: Path) -> None:
    low, high = _GAINS
    for name, gain in zip(personal.sensors, personal.record.gains, strict=True):
        if not low <= gain <= high:
            raise DataError(
                f"{path}: a gain of {gain / GAIN_ONE:g} for sensor {name}",
                why=f"plausible is {low / GAIN_ONE:g} to {high / GAIN_ONE:g}",
                fix="check the sensor, then edgegrf personalise again",
            )
    if not personal.tflite.is_file():
        raise ModelError(
            f"{path} has lost its model",
            why=f"{personal.tflite.name} is not beside it",
            fix="keep them together",
        )
    if sha256_file(personal.tflite) != personal.record.personal_sha256.hex():
        raise ModelError(
            f"{personal.tflite} is not the model that {path.name} speaks of",
            why="one of the two was changed",
            fix="edgegrf personalise again",
        )
    Manifest.read(personal.tflite)
