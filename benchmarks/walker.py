# SPDX-License-Identifier: Apache-2.0
"""The synthetic walker beside gaitpdb's walks: `python -m benchmarks.walker [DATA]` fills docs/data.md."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.marks import fill, table
from edgegrf.gait.events import THRESHOLD_N, contacts
from edgegrf.gait.readers import default_data, read_walks
from edgegrf.gait.recording import Recording
from edgegrf.gait.walker import walk

__all__ = ["main"]

_PAGE = Path(__file__).parent.parent / "docs" / "data.md"
_SPEED_MPS = 1.15  # the mean self-chosen speed in gaitpdb's table of controls
_SEEDS = range(20)


def _figures(recordings: Sequence[Recording]) -> tuple[dict[str, float], NDArray[np.float64]]:
    """Means over feet of what is compared, and the mean stance curve [101] in BW."""
    curves, strides, stances = [], [], []
    for recording in recordings:
        assert recording.force is not None and recording.body_weight_n is not None
        force = recording.force[:, 0].astype(np.float64) / recording.body_weight_n
        rate = recording.sample_rate_hz
        found = contacts(force, THRESHOLD_N / recording.body_weight_n, rate)
        if len(found.strike) < 5:
            continue
        at = found.strike[:, None] + (found.off - found.strike)[:, None] * np.linspace(0, 1, 101)
        curves.append(np.interp(at, np.arange(len(force)), force).mean(axis=0))
        strides.append(np.median(np.diff(found.strike)) / rate)
        stances.append(np.median(found.off - found.strike) / rate)
    mean = np.mean(curves, axis=0)
    shares = np.mean([r.pressure.mean(axis=0) / r.pressure.sum(axis=1).mean() for r in recordings], axis=0)
    figures = {
        "stride time (s)": float(np.mean(strides)),
        "contact time (s)": float(np.mean(stances)),
        "first peak of the mean stance (BW)": float(mean[5:50].max()),
        "valley (BW)": float(mean[35:65].min()),
        "second peak (BW)": float(mean[50:95].max()),
    }
    names = [sensor.name for sensor in recordings[0].sensors]
    loads = {f"{name}, part of the load": float(share) for name, share in zip(names, shares, strict=True)}
    return {**figures, **loads}, mean


def main(arguments: Sequence[str]) -> None:
    """Compare 20 synthetic walkers with gaitpdb's controls and write the table."""
    data = Path(arguments[0]) if arguments else default_data()
    if data is None:
        sys.exit("no walks: edgegrf data fetch gaitpdb")
    real, curve = _figures(read_walks(data, subjects=lambda subject: "Co" in subject))
    made, other = _figures([foot for seed in _SEEDS for foot in walk(seed, speed_mps=_SPEED_MPS)])
    rows = [(name, f"{real[name]:.3f}", f"{made[name]:.3f}") for name in real]
    rms = float(np.sqrt(np.mean((curve - other) ** 2)))
    text = table(("", "gaitpdb, controls", "synthetic walker"), rows)
    fill(_PAGE, "WALKER", f"{text}\n\nRMS difference of the two mean stance curves: {rms:.3f} BW.\n")


if __name__ == "__main__":
    main(sys.argv[1:])
