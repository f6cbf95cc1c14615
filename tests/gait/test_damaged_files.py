# SPDX-License-Identifier: Apache-2.0
"""Files damaged anywhere give walks or a DataError, never another exception."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgegrf.errors import DataError
from edgegrf.gait.readers import read_walks
from edgegrf.gait.readers.archive import write_archive
from edgegrf.gait.walker import CLEAN, walk
from edgegrf.gait.writing import write_csv

_NAMES = ("GaCo01_01.txt", "walks.npz", "archive.npz", "w.csv", "w.csv.toml")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one small walk in every format."""
    folder = tmp_path_factory.mktemp("sound")
    feet = walk(1, duration_s=3, faults=CLEAN)
    sensors = np.concatenate([foot.pressure for foot in feet], axis=1)
    table = np.column_stack([np.arange(300) / 100, sensors, sensors[:, :8].sum(1), sensors[:, 8:].sum(1)])
    np.savetxt(folder / "GaCo01_01.txt", table, fmt="%.4f", delimiter="\t", newline="\r\n")
    np.savez(
        folder / "walks.npz",
        force=np.rint(sensors / 0.02).astype(np.uint16),
        record=np.array(["GaCo01_01"]),
        samples=np.array([300]),
        newton_per_count=np.float32(0.02),
        sample_rate_hz=np.float32(100),
    )
    write_archive(folder / "archive.npz", [feet])
    write_csv(folder / "w.csv", feet)
    return folder


@pytest.mark.parametrize("name", _NAMES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    where=st.floats(0, 1, exclude_max=True),
    how=st.sampled_from(["cut", "flip", "put", "drop"]),
    what=st.binary(min_size=1, max_size=9),
)
def test_damage_is_refused_or_harmless(sound: Path, name: str, where: float, how: str, what: bytes) -> None:
    data = (sound / name).read_bytes()
    place = int(where * len(data))
    damaged = {
        "cut": data[:place],
        "flip": data[:place]
        + bytes(byte ^ 0xFF for byte in data[place : place + len(what)])
        + data[place + len(what) :],
        "put": data[:place] + what + data[place:],
        "drop": data[:place] + data[place + len(what) :],
    }[how]
    with tempfile.TemporaryDirectory() as folder:
        for each in _NAMES:
            (Path(folder) / each).write_bytes(damaged if each == name else (sound / each).read_bytes())
        target = Path(folder) / name.removesuffix(".toml")
        try:
            recordings = read_walks(target)
        except DataError as error:
            assert 1 <= len(error.lines()) <= 3
        else:
            assert all(np.isfinite(recording.pressure).all() for recording in recordings)
