# SPDX-License-Identifier: Apache-2.0
"""Which walks a plan learns from when nobody says."""

from __future__ import annotations

from pathlib import Path

from edgegrf.distill.plans import Plan
from edgegrf.gait.readers import default_data, read_walks
from edgegrf.gait.recording import Recording
from edgegrf.gait.walker import walk
from edgegrf.progress import Progress, silent

__all__ = ["SYNTHETIC", "synthetic_walks", "walks_for"]

#: how synthetic walks are named on a card
SYNTHETIC = "synthetic walker"

_SPEEDS_MPS = (0.9, 1.2, 1.5, 1.8)
_WALKERS = 28
_SECONDS = 30.0


def walks_for(
    plan: Plan,
    path: Path | None = None,
    *,
    columns: Path | None = None,
    limit: int | None = None,
    progress: Progress = silent,
) -> tuple[list[Recording], str]:
    """Walks and their name for the card: of `path`, else the default data, else the synthetic walker."""
    source = path or (None if plan.synthetic else default_data())
    if source is None:
        walkers = _WALKERS if limit is None else limit
        layout = "matrix16x8" if plan.interface.frame else "gaitpdb8"
        return synthetic_walks(walkers, layout=layout, progress=progress), SYNTHETIC
    return read_walks(source, limit=limit, columns=columns, progress=progress), source.resolve().name


def synthetic_walks(
    walkers: int, *, layout: str = "gaitpdb8", seconds: float = _SECONDS, progress: Progress = silent
) -> list[Recording]:
    """Walkers 1 .. `walkers`, each at one of four speeds, both feet."""
    recordings: list[Recording] = []
    for seed in range(1, walkers + 1):
        speed = _SPEEDS_MPS[seed % len(_SPEEDS_MPS)]
        recordings += walk(seed, speed_mps=speed, duration_s=seconds, layout=layout)
        progress("make synthetic walks", seed, walkers)
    return recordings
