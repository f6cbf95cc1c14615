# SPDX-License-Identifier: Apache-2.0
"""How a model's error grows with what goes wrong with the insole: float students and int8 models alike."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf import __version__
from edgegrf.bench.score import WARMUP
from edgegrf.errors import DataError, ModelError
from edgegrf.gait.disturbances import DISTURBANCES
from edgegrf.gait.trials import Trial
from edgegrf.gait.windows import cut
from edgegrf.manifest import Interface, Manifest, command_line
from edgegrf.progress import Progress, silent

__all__ = ["Stressed", "errors_by_subject", "stress", "stressed_model"]

Force = NDArray[np.float32]


@dataclass(frozen=True)
class Stressed:
    """A model to put under stress: pressure [T, C] becomes force [T', K], from the first sample on.

    T' < T where the last samples have no estimate: their future, or the rest of their window, is missing.
    """

    name: str
    interface: Interface
    estimate: Callable[[Force], Force]


def stressed_model(path: Path, name: str) -> Stressed:
    """The model of a checkpoint (torch, float) or a `.tflite` (the generated C, int8); raises ModelError.

    One that sees whole windows only is given them one after the other.
    """
    interface = Manifest.read(path).interface
    if interface is None:
        raise ModelError(f"{path} does not say what it estimates", fix="export it again")
    estimate = (_of_int8 if path.suffix == ".tflite" else _of_float)(path, interface)
    return Stressed(f"{name} {'int8' if path.suffix == '.tflite' else 'float'}", interface, estimate)


def _of_float(path: Path, interface: Interface) -> Callable[[Force], Force]:
    from edgegrf.distill.evaluate import of_pieces, of_walk
    from edgegrf.students import load

    student = load(path)
    if interface.lookahead < 0:
        return lambda pressure: _joined(path, of_pieces(student, cut(pressure, interface.window)), interface)
    return lambda pressure: of_walk(student, pressure)[: len(pressure) - interface.lookahead]


def _of_int8(path: Path, interface: Interface) -> Callable[[Force], Force]:
    from edgegrf.graph.affine import dequantize, quantize
    from edgegrf.parity.host import HostModel

    model, codes = HostModel(path), Manifest.read(path).quantization
    into, out = ((codes[key]["scale"], codes[key]["zero_point"]) for key in ("input", "output"))

    def estimate(pressure: Force) -> Force:
        coded = quantize(pressure, *into)[0]
        if interface.lookahead < 0:
            windows = len(coded) // interface.window * interface.window
            pieces = coded[:windows].reshape(-1, interface.window, coded.shape[1])
            return _joined(path, dequantize(model.window(pieces), *out).astype(np.float32), interface)
        model.reset()
        return dequantize(model.stream(coded), *out).astype(np.float32)

    return estimate


def _joined(path: Path, force: Force, interface: Interface) -> Force:
    """[T', K] of windows' estimates [N, E, K]; raises ModelError unless there is one for every sample."""
    if force.shape[1] != interface.window:
        raise ModelError(
            f"{path} cannot be put under stress",
            why=f"it gives {force.shape[1]} estimate(s) in a window of {interface.window} samples",
            fix="take a student with one estimate a sample",
        )
    return force.reshape(-1, force.shape[2])


def stress(
    models: Sequence[Stressed],
    trials: Sequence[Sequence[Trial]],
    *,
    seed: int = 1,
    progress: Progress = silent,
) -> dict[str, Any]:
    """The record of each model's RMSE in BW, undisturbed and for each disturbance at each strength.

    `trials[m]` are the walks as model m wants them.  A disturbance is drawn from the walk's name, its own
    and the seed, so that all models with the same sensors meet the same.  Raises DataError for walks that are
    too short or have no reference.
    """
    steps, done = len(models) * (1 + sum(len(kind.strengths) for kind in DISTURBANCES.values())), 0
    rows = []
    for model, walks in zip(models, trials, strict=True):
        _check(walks)
        plain = _rmse(model, walks, lambda trial: trial.x)
        progress("stress", done := done + 1, steps)
        found: dict[str, list[float]] = {}
        for name, kind in DISTURBANCES.items():
            found[name] = []
            for strength in kind.strengths:

                def disturbed(trial: Trial, name: str = name, strength: float = strength) -> Force:
                    return DISTURBANCES[name].apply(trial.x, strength, _draw(seed, name, trial.name))

                found[name].append(_rmse(model, walks, disturbed))
                progress("stress", done := done + 1, steps)
        rows.append({"model": model.name, "rmse_bw": plain, "disturbed_rmse_bw": found})
    return {
        "models": rows,
        "disturbances": {
            name: {
                "line": kind.line,
                "unit": kind.unit,
                "strengths": list(kind.strengths),
                "middle": kind.middle,
            }
            for name, kind in DISTURBANCES.items()
        },
        "seed": seed,
        "data": _data(trials[0]),
        "provenance": {"command": command_line(), "edgegrf": __version__},
    }


def errors_by_subject(model: Stressed, walks: Sequence[Trial]) -> dict[str, tuple[float, int]]:
    """Each subject's squared error in BW^2, summed over all its undisturbed walks, and the number summed.

    Without the first WARMUP samples of a walk; raises DataError for walks that are of no use.
    """
    _check(walks)
    return _errors(model, walks, lambda trial: trial.x)


def _data(walks: Sequence[Trial]) -> dict[str, Any]:
    return {
        "trials": len(walks),
        "subjects": len({trial.subject for trial in walks}),
        "synthetic": any(trial.synthetic for trial in walks),
        "force_source": "; ".join(sorted({trial.force_source for trial in walks})),
        "warmup_samples": WARMUP,
    }


def _check(walks: Sequence[Trial]) -> None:
    for trial in walks:
        if trial.y is None or len(trial.x) <= WARMUP:
            raise DataError(
                f"{trial.name} is of no use here",
                why=f"it has no reference force, or not more than the {WARMUP} samples that do not count",
                fix="give walks of some seconds with a reference",
            )


def _rmse(model: Stressed, walks: Sequence[Trial], seen: Callable[[Trial], Force]) -> float:
    squares, counts = zip(*_errors(model, walks, seen).values(), strict=True)
    return float(np.sqrt(sum(squares) / sum(counts)))


def _errors(
    model: Stressed, walks: Sequence[Trial], seen: Callable[[Trial], Force]
) -> dict[str, tuple[float, int]]:
    found: dict[str, tuple[float, int]] = {}
    for trial in walks:
        assert trial.y is not None
        force = model.estimate(seen(trial))
        error = (force[WARMUP:] - trial.y[WARMUP : len(force)]).astype(np.float64)
        squares, count = found.get(trial.subject, (0.0, 0))
        found[trial.subject] = squares + float(np.square(error).sum()), count + error.size
    return found


def _draw(seed: int, disturbance: str, walk: str) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed}/{disturbance}/{walk}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))
