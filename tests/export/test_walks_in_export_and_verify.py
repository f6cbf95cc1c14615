# SPDX-License-Identifier: Apache-2.0
"""Export and verify say what is odd about the walks, take a column map, and label synthetic ones."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edgegrf.cli.export import command as export
from edgegrf.cli.verify import command as verify
from edgegrf.gait.walker import CLEAN, walk
from edgegrf.gait.writing import write_csv
from edgegrf.resources import DEFAULT_STUDENT, shipped_file


@pytest.fixture(scope="module")
def walks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two subjects' CSV, their common map elsewhere; one pressure of the first is negative."""
    folder = tmp_path_factory.mktemp("walks")
    (folder / "csv").mkdir()
    for seed in (1, 7):
        feet = walk(seed, duration_s=20, faults=CLEAN)
        if seed == 1:
            pressure = feet[0].pressure.copy()
            pressure[30, 0] = -7.0
            feet[0] = replace(feet[0], pressure=pressure)
        write_csv(folder / "csv" / f"w{seed}.csv", feet)
        told = (folder / "csv" / f"w{seed}.csv.toml").read_text()
        (folder / "csv" / f"w{seed}.csv.toml").unlink()
    common = [line for line in told.splitlines() if not line.startswith(("subject", "body_weight_n"))]
    (folder / "map.toml").write_text("\n".join(common))
    return folder


def _run(command: object, *arguments: object) -> Result:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])  # type: ignore[arg-type]
    if result.exception is not None:
        raise result.exception
    return result


def test_export_says_what_is_odd(walks: Path, tmp_path: Path) -> None:
    given = (DEFAULT_STUDENT, "--quantize", "none", "--data", walks / "csv", "--columns", walks / "map.toml")
    record = json.loads(_run(export, *given, "-o", tmp_path, "--json").stdout)
    (line,) = [line for line in record["oddities"] if line.startswith("negative")]
    assert line.startswith("negative: 1 samples") and "s1 from sample 30" in line
    assert record["synthetic"] and "SYNTHETIC" in record["data"] and "csv" in record["data"]
    assert "negative: 1 samples" in _run(export, *given, "-o", tmp_path).stderr


def test_verify_says_what_is_odd(walks: Path) -> None:
    model = shipped_file(DEFAULT_STUDENT, "student_int8.tflite")
    data = ("--data", walks / "csv", "--columns", walks / "map.toml")
    given = (model, "--outputs", 1000, "--port", "none", *data)
    result = _run(verify, *given, "--json")
    record = json.loads(result.stdout)
    assert [line for line in record["oddities"] if "negative: 1 samples" in line]
    links = {link["to"]: link for link in record["links"]}
    assert "SYNTHETIC" in links["int8"]["note"] and "SYNTHETIC" in links["c-host"]["note"]
    assert {"from", "to", "mode", "outputs", "mismatches", "max_lsb"} <= set(links["c-host"])
    assert links["int8"]["ok"] is (links["int8"]["increase"] <= links["int8"]["tolerance"])
    assert links["onnx"]["tolerance_of"] == "largest difference"
    people = _run(verify, *given)
    assert "negative: 1 samples" in people.stderr
    assert f"RMSE {100 * links['int8']['increase']:+.1f} %" in people.stdout
