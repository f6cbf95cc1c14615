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
from edgegrf.manifest import Interface, Manifest, command_line
from edgegrf.progress import Progress, silent

__all__ = ["Stressed", "plain_error", "stress", "stressed_model"]

Force = NDArray[np.float32]


@dataclass(frozen=True)
class Stressed:
    """A model to put under stress: pressure [T, C] becomes force [T', K], from the first sample on."""

    name: str
    interface: Interface
    estimate: Callable[[NDArray[np.float32]], Force]


def stressed_model(path: Path, name: str) -> Stressed:
    """The model of a checkpoint (torch, float) or a `.tflite` (the generated C, int8); raises ModelError."""
    interface = Manifest.read(path).interface
    if interface is None or interface.lookahead < 0:
        raise ModelError(
            f"{path} cannot be put under stress", why="it sees whole windows only, or has no interface",
            fix="take a student that streams",
        )  # fmt: skip
    estimate = _of_int8(path) if path.suffix == ".tflite" else _of_float(path)
    return Stressed(f"{name} {'int8' if path.suffix == '.tflite' else 'float'}", interface, estimate)


def _of_float(path: Path) -> Callable[[NDArray[np.float32]], Force]:
    from edgegrf.distill.evaluate import of_walk
    from edgegrf.students import load

    student = load(path)
    return lambda pressure: of_walk(student, pressure)


def _of_int8(path: Path) -> Callable[[NDArray[np.float32]], Force]:
    from edgegrf.graph.affine import dequantize, quantize
    from edgegrf.parity.host import HostModel

    model, codes = HostModel(path), Manifest.read(path).quantization
    into, out = ((codes[key]["scale"], codes[key]["zero_point"]) for key in ("input", "output"))

    def estimate(pressure: NDArray[np.float32]) -> Force:
        model.reset()
        return dequantize(model.stream(quantize(pressure, *into)[0]), *out).astype(np.float32)

    return estimate


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
        plain = plain_error(model, walks)
        progress("stress", done := done + 1, steps)
        found: dict[str, list[float]] = {}
        for name, kind in DISTURBANCES.items():
            found[name] = []
            for strength in kind.strengths:

                def disturbed(
                    trial: Trial, name: str = name, strength: float = strength
                ) -> NDArray[np.float32]:
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


def plain_error(model: Stressed, walks: Sequence[Trial]) -> float:
    """The model's RMSE in BW on undisturbed walks, without the first WARMUP samples; raises DataError."""
    _check(walks)
    return _rmse(model, walks, lambda trial: trial.x)


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


def _rmse(model: Stressed, walks: Sequence[Trial], seen: Callable[[Trial], NDArray[np.float32]]) -> float:
    squares, count = 0.0, 0
    for trial in walks:
        assert trial.y is not None
        force = model.estimate(seen(trial))
        error = (force[WARMUP:] - trial.y[WARMUP : len(force)]).astype(np.float64)
        squares += float(np.square(error).sum())
        count += error.size
    return float(np.sqrt(squares / count))


def _draw(seed: int, disturbance: str, walk: str) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed}/{disturbance}/{walk}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))
