# SPDX-License-Identifier: Apache-2.0
"""The main job as a person does it, command by command in a folder of their own, on real walks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edgegrf.resources import shipped_students

EDGEGRF = (sys.executable, "-c", "from edgegrf.cli import main; main()")


def run(folder: Path, data: Path, *arguments: str) -> dict[str, Any]:
    """The command's JSON."""
    done = subprocess.run(
        [*EDGEGRF, *arguments, "--json"],
        cwd=folder,
        env={**os.environ, "EDGEGRF_DATA": str(data)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    record: dict[str, Any] = json.loads(done.stdout)
    return record


def test_a_student_becomes_a_measured_model_on_a_board(tmp_path: Path, gaitpdb_folder: Path) -> None:
    exported = run(tmp_path, gaitpdb_folder, "export", "--quantize", "int8", "-o", "out")
    model = str(Path(exported["tflite"]))
    assert exported["float_rmse_bw"] <= 0.058
    assert exported["int8_rmse_bw"] <= 1.05 * exported["float_rmse_bw"]

    verified = run(tmp_path, gaitpdb_folder, "verify", model)
    links = {(link["from"], link["to"], link["mode"]): link for link in verified["links"]}
    assert len(links) == 7
    for (source, _, _), link in links.items():
        assert link["mismatches"] == 0
        if source in ("tflm", "c-host"):
            assert link["outputs"] >= 100_000 and link["max_lsb"] == 0

    compiled = run(tmp_path, gaitpdb_folder, "compile", model, "-o", "c")
    assert {"model.c", "model.h"} <= {path.name for path in (tmp_path / "c").iterdir()}
    assert compiled

    built = run(tmp_path, gaitpdb_folder, "build", "--board", "nrf52840dk", "--model", model, "-o", "fw")
    assert built["flash_bytes"] < 32 * 1024

    port = ("--port", "virtual:nrf52840dk", "--walks", "4")
    bench = run(
        tmp_path, gaitpdb_folder, "bench", *port, "--model", model, "-o", "b.json", "--report", "b.html"
    )
    assert bench["board"] == "nrf52840dk" and bench["virtual"] is True
    assert bench["parity"] == {"compared": bench["samples"], "mismatches": 0, "max_lsb": 0}
    assert bench["link"]["lost"] == bench["link"]["crc_errors"] == 0
    assert bench["memory"]["flash_bytes"] == built["flash_bytes"]
    assert 0 < bench["cycles"]["p50"] <= bench["cycles"]["max"]
    assert bench["accuracy"]["rmse_bw"] < 0.07
    assert "not a force plate" in (tmp_path / "b.html").read_text()


@pytest.mark.slow
def test_every_shipped_student_is_the_judges_bit_for_bit(tmp_path: Path, gaitpdb_folder: Path) -> None:
    """100 000 estimates and more of each architecture, window and stream, TFLite Micro against the C."""
    verified = run(tmp_path, gaitpdb_folder, "verify", "--all", "--port", "none")
    assert {record["model"] for record in verified["models"]} == set(shipped_students())
    for record in verified["models"]:
        for link in record["links"]:
            assert link["ok"], (record["model"], link)
            assert link["from"] != "tflm" or link["outputs"] >= 100_000
