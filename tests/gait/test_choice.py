# SPDX-License-Identifier: Apache-2.0
"""Which walks a command takes when it is told none, some, or the wrong ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgegrf.errors import DataError
from edgegrf.gait.choice import choose_walks, synthetic_walks
from edgegrf.gait.split import is_validation
from edgegrf.manifest import Interface

INSOLE = Interface(("s1", "s3", "s4", "s7"), "BW", ("vertical_force",), "BW", 100.0, 200)
MATRIX = replace(
    INSOLE, sensors=tuple(f"r{row}c{column}" for row in range(16) for column in range(8)), frame=(16, 8)
)


@pytest.fixture
def no_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EDGEGRF_DATA", raising=False)
    monkeypatch.setenv("EDGEGRF_CACHE", str(tmp_path))


def test_without_walks_the_synthetic_walker_steps_in_and_says_so(no_data: None) -> None:
    found = choose_walks(INSOLE, walks=2)
    assert found.synthetic and all(trial.synthetic for trial in found.trials)
    assert len(found.trials) == 4
    assert found.name == "synthetic walker"
    assert "SYNTHETIC" in found.source and "no walks at hand" in found.source


def test_unseen_synthetic_walkers_are_those_held_out_in_training(no_data: None) -> None:
    subjects = {trial.subject for trial in choose_walks(INSOLE, walks=3, unseen=True).trials}
    assert len(subjects) == 3 and all(map(is_validation, subjects))


def test_real_walks_are_of_unseen_subjects_when_asked(gaitpdb_folder: Path) -> None:
    found = choose_walks(INSOLE, gaitpdb_folder, walks=3, unseen=True)
    assert len(found.trials) == 6
    assert all(is_validation(trial.subject) and not trial.synthetic for trial in found.trials)
    assert "not a force plate" in found.source


def test_default_walks_that_do_not_fit_are_passed_over_and_given_ones_are_not(
    gaitpdb_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEGRF_DATA", str(gaitpdb_folder))
    assert "r0c0" in choose_walks(MATRIX, walks=1).source
    with pytest.raises(DataError):
        choose_walks(MATRIX, gaitpdb_folder, walks=1)


def test_unknown_sensors_are_played_by_the_walkers_own(no_data: None) -> None:
    names = ("heel", "toe")
    walks = synthetic_walks(replace(INSOLE, sensors=names, outputs=("grf",)), [1])
    assert [sensor.name for sensor in walks[0].sensors[:2]] == list(names)
    assert walks[0].force_names[0] == "grf"


def test_a_file_of_trained_on_subjects_is_taken_and_said(gaitpdb_folder: Path) -> None:
    found = choose_walks(INSOLE, gaitpdb_folder / "originals" / "GaCo01_01.txt", unseen=True)
    assert [trial.subject for trial in found.trials] == ["GaCo01"] * 2
    assert "trained on" in found.source


def test_a_file_that_is_no_walk_is_still_refused(tmp_path: Path) -> None:
    (tmp_path / "GaCo01_01.txt").write_text("nothing\n")
    with pytest.raises(DataError):
        choose_walks(INSOLE, tmp_path / "GaCo01_01.txt", unseen=True)
