# SPDX-License-Identifier: Apache-2.0
"""How far a model really looks back and ahead, felt by perturbing one input sample at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Reach", "felt_reach"]

Floats = NDArray[np.float32]

_SIGNALS = 3
_BATCH = 50


@dataclass(frozen=True)
class Reach:
    """Samples that an estimate feels: `back`, its own counted, and `ahead` of it; `whole`: all there are."""

    back: int
    ahead: int
    whole: bool


def felt_reach(
    run: Callable[[Floats], Floats], samples: int, channels: int, *, rounding: float = 0.0
) -> Reach:
    """The reach of `run`, which takes pressure [N, samples, channels] to estimates [N, E, K].

    Random signals have each sample in turn raised, or lowered, by about one unit, by another amount in
    every channel: several signals and both directions, so that neither a closed ReLU nor channels that
    cancel hide a path.  What is below `rounding` of the estimates' range (1 unit at least) is not felt.
    """
    felt = np.logical_or.reduce([_felt(run, samples, channels, seed, rounding) for seed in range(_SIGNALS)])
    period = samples // felt.shape[1]
    moved, estimates = np.nonzero(felt)
    lag = (estimates + 1) * period - 1 - moved  # of the estimate behind the sample that moved it
    back, ahead = int(lag.max(initial=0)) + 1, int((-lag).max(initial=0))
    return Reach(back, ahead, whole=samples > 1 and back == samples and ahead == samples - period)


def _felt(
    run: Callable[[Floats], Floats], samples: int, channels: int, seed: int, rounding: float
) -> NDArray[np.bool_]:
    """[samples, E]: whether the sample moves the estimate, around one signal."""
    generator = np.random.default_rng(seed)
    still = (0.1 * seed + 0.5 * generator.random((1, samples, channels))).astype(np.float32)
    step = generator.uniform(0.5, 1.5, channels).astype(np.float32) * (-1) ** seed
    before = run(still)
    rows = []
    for start in range(0, samples, _BATCH):
        many = np.repeat(still, min(_BATCH, samples - start), axis=0)
        each = np.arange(len(many))
        many[each, start + each] += step
        rows.append(np.abs(run(many) - before).max(axis=2))
    largest = max(1.0, float(np.abs(before).max()))
    felt: NDArray[np.bool_] = np.concatenate(rows) > rounding * largest
    return felt
