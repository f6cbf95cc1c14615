# SPDX-License-Identifier: Apache-2.0
"""The shipped student, and short synthetic walks as it wants them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgegrf.bench.run import model_interface
from edgegrf.gait.choice import choose_walks
from edgegrf.resources import DEFAULT_STUDENT, shipped_file


@pytest.fixture(scope="session")
def student():
    return shipped_file(DEFAULT_STUDENT, "student_int8.tflite")


@pytest.fixture
def no_data(monkeypatch):
    """A computer without walks."""
    monkeypatch.delenv("EDGEGRF_DATA", raising=False)
    monkeypatch.setattr("edgegrf.gait.choice.default_data", lambda: None)


@pytest.fixture
def short_trials(student, no_data):
    """Both feet of 6 s of a synthetic walk."""
    found = choose_walks(model_interface(student), walks=1, unseen=True).trials
    return [replace(trial, x=trial.x[:600], y=trial.y[:600]) for trial in found]
