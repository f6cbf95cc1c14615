# SPDX-License-Identifier: Apache-2.0
"""The stress test: float and int8, the same disturbances for all, and its page."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from edgegrf.bench.stress import stress, stressed_model
from edgegrf.cli.stress import command
from edgegrf.errors import DataError, UsageError
from edgegrf.gait.choice import synthetic_walks
from edgegrf.gait.disturbances import DISTURBANCES
from edgegrf.gait.trials import trials
from edgegrf.report.stress import stress_rows, write_stress_page
from edgegrf.resources import DEFAULT_STUDENT, shipped_file


@pytest.fixture(scope="module")
def record() -> dict:
    files = [shipped_file(DEFAULT_STUDENT, file) for file in ("student.pt", "student_int8.tflite")]
    models = [stressed_model(path, "it") for path in files]
    walks = trials(synthetic_walks(models[0].interface, (7,), seconds=6), models[0].interface)
    return stress(models, [walks, walks])


def test_the_error_grows_with_the_strength_in_float_and_in_int8(record: dict) -> None:
    assert [row["model"] for row in record["models"]] == ["it float", "it int8"]
    for row in record["models"]:
        assert set(row["disturbed_rmse_bw"]) == set(DISTURBANCES)
        for values in row["disturbed_rmse_bw"].values():
            assert values[-1] > values[0] and len(values) == 5
    one, other = (np.array(list(row["disturbed_rmse_bw"].values())) for row in record["models"])
    assert np.abs(one / other - 1).max() < 0.1  # the same disturbances for both
    assert json.loads(json.dumps(record)) == record


def test_table_and_page_name_every_disturbance(record: dict, tmp_path: Path) -> None:
    columns, rows = stress_rows(record)
    assert len(columns) == 3 and len(rows) == 1 + len(DISTURBANCES)
    page = tmp_path / "stress.html"
    write_stress_page(record, page)
    text = page.read_text()
    assert (
        all(name in text for name in DISTURBANCES) and "<svg" in text and "http" not in text.split("<svg")[0]
    )


def test_the_command_answers_in_json_and_refuses_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("EDGEGRF_DATA", raising=False)
    student = str(shipped_file(DEFAULT_STUDENT, "student.pt"))
    done = CliRunner().invoke(command, [student, "--walks", "1", "--json"], catch_exceptions=False)
    assert done.exit_code == 0 and json.loads(done.stdout)["data"]["synthetic"] is True
    with pytest.raises(UsageError, match="neither a file nor"):
        CliRunner().invoke(command, ["nothing"], catch_exceptions=False)


def test_whole_windows_follow_on_each_other_in_float_and_in_int8() -> None:
    files = [shipped_file("insole4-wrn16-1", file) for file in ("student.pt", "student_int8.tflite")]
    exact, coded = (stressed_model(path, "wrn") for path in files)
    walk = trials(synthetic_walks(exact.interface, (7,), seconds=7), exact.interface)[0]
    one, other = exact.estimate(walk.x[:650]), coded.estimate(walk.x[:650])
    assert one.shape == other.shape == (600, 1)
    np.testing.assert_allclose(one, other, atol=0.1)
    np.testing.assert_array_equal(coded.estimate(walk.x[200:400]), other[200:400])


def test_walks_that_are_too_short_are_named() -> None:
    model = stressed_model(shipped_file(DEFAULT_STUDENT, "student.pt"), "it")
    walks = trials(synthetic_walks(model.interface, (7,), seconds=3), model.interface)
    walks = [dataclasses.replace(walk, x=walk.x[:200]) for walk in walks]
    with pytest.raises(DataError, match="is of no use here"):
        stress([model], [walks])
