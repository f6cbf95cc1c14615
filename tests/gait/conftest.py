# SPDX-License-Identifier: Apache-2.0
"""Small gaitpdb files made for a test: plausible forces, in both of its formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgegrf.gait.walker import CLEAN, walk


def _counts(seed: int, seconds: float) -> NDArray[np.uint16]:
    """Two feet's sensors [T, 16] in counts of 0.02 N."""
    feet = walk(seed, duration_s=seconds, faults=CLEAN)
    return np.rint(np.concatenate([foot.pressure for foot in feet], axis=1) / 0.02).astype(np.uint16)


@pytest.fixture
def packed(tmp_path: Path) -> Callable[..., Path]:
    """Writes a walks.npz of the named records (uncompressed, so that a test can damage a known place)."""

    def make(*records: str, seconds: float = 4.0, **override: object) -> Path:
        counts = [_counts(index, seconds) for index in range(len(records))]
        arrays = {
            "force": np.concatenate(counts),
            "record": np.array(records),
            "samples": np.array([len(count) for count in counts]),
            "newton_per_count": np.float32(0.02),
            "sample_rate_hz": np.float32(100),
            **override,
        }
        path = tmp_path / "walks.npz"
        np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
        return path

    return make


@pytest.fixture
def gaitpdb_text(tmp_path: Path) -> Callable[..., Path]:
    """Writes a walk in PhysioNet's text format."""

    def make(record: str = "GaCo01_01", seconds: float = 4.0) -> Path:
        force = _counts(1, seconds) * 0.02
        time = np.arange(len(force)) / 100
        totals = [force[:, :8].sum(axis=1), force[:, 8:].sum(axis=1)]
        table = np.column_stack([time, force, *totals])
        path = tmp_path / f"{record}.txt"
        np.savetxt(path, table, fmt=["%.4f"] + ["%.2f"] * 18, delimiter="\t", newline="\r\n")
        return path

    return make
