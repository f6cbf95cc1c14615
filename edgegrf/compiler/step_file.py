# SPDX-License-Identifier: Apache-2.0
"""`.tflite` of windows -> `.tflite` of a stream, with states, for any interpreter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edgegrf.compiler.driver import read_model
from edgegrf.compiler.step_model import StepModel, step_model
from edgegrf.files import sha256_file, write_file
from edgegrf.graph.reader import read_tflite
from edgegrf.graph.writer import write_tflite
from edgegrf.manifest import Manifest, command_line, manifest_path

__all__ = ["write_step_model"]


def write_step_model(tflite: Path, target: Path) -> StepModel:
    """Write the stream of `tflite` to `target`, and its manifest if the model has one.

    The manifest's `model` says how many `samples` a call takes, how many estimates of the first calls are to
    be `skipped`, and how many `states` there are.  Raises ModelError or UnsupportedError, OutputError where
    `target` cannot be written.
    """
    made = step_model(read_tflite(read_model(tflite)))
    write_file(target, write_tflite(made.graph))
    if manifest_path(tflite).is_file():
        origin = Manifest.read(tflite)
        states = {
            made.graph.tensors[index].name: made.graph.tensors[index].quantization
            for index, _ in made.graph.states
        }
        scales = {
            name: {"scale": float(codes.scales[0]), "zero_point": int(codes.zero_points[0])}
            for name, codes in states.items()
            if codes is not None
        }
        replace(
            origin,
            sha256=sha256_file(target),
            model={
                **origin.model,
                "samples": made.samples,
                "skipped": made.skipped,
                "states": len(made.graph.states),
            },
            quantization={**origin.quantization, **scales},
            metrics={},
            sources={tflite.name: sha256_file(tflite)},
            command=command_line(),
        ).write(target)
    return made
