# SPDX-License-Identifier: Apache-2.0
"""`edgegrf data` as it is typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgegrf.gait.plot import plot_walk
from edgegrf.gait.readers import read_walks
from edgegrf.gait.walker import walk


def _run(*words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-c", "from edgegrf.cli import main; main()", "data", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "COLUMNS": "120"},
    )
    assert done.returncode == code, done.stderr
    return done


def test_make_then_check_csv(tmp_path: Path) -> None:
    made = json.loads(
        _run("make", "-o", tmp_path, "--walks", 2, "--seed", 7, "--seconds", 5, "--json").stdout
    )
    assert made["synthetic"] and len(made["files"]) == 2
    found = json.loads(_run("check", tmp_path, "--json").stdout)
    assert (found["walks"], found["recordings"], found["synthetic"]) == (2, 4, 4)
    assert (found["subjects"], found["validation_subjects"]) == (2, 1)
    assert found["sensors"] == [[f"s{index}" for index in range(1, 9)]]
    assert found["units"] == ["N"] and found["sample_rate_hz"] == [100.0] and found["seconds"] == [5.0, 5.0]
    assert found["force_sources"] == ["synthetic walker"] and found["refused"] == []
    table = _run("check", tmp_path, "--walks", 1).stdout
    assert "1 (2)" in table and "100 Hz" in table and "synthetic" in table


def test_make_an_archive_with_a_dead_sensor_that_check_sees(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    _run("make", "-o", path, "--seconds", 4, "--layout", "matrix16x8", "--clean", "--rate", 200, "--mass", 60)
    [left, _] = read_walks(path)
    assert left.frame == (16, 8) and left.sample_rate_hz == 200
    assert left.body_weight_n == pytest.approx(60 * 9.81)
    _run("make", "-o", path, "--seconds", 4, "--dead", "s3")
    oddities = json.loads(_run("check", path, "--json").stdout)["oddities"]
    assert {(oddity["kind"], oddity["sensor"]) for oddity in oddities} == {("constant", "s3")}
    assert "constant: 800 samples of 2 sensor traces, kept as read" in _run("check", path).stderr


def test_check_names_every_file_it_cannot_read(tmp_path: Path) -> None:
    _run("make", "-o", tmp_path, "--seconds", 4)
    for name in ("bad1", "bad2"):
        (tmp_path / f"{name}.csv").write_text("a,b\n1\n")
    found = json.loads(_run("check", tmp_path, "--json", code=1).stdout)
    assert found["walks"] == 1 and len(found["refused"]) == 2
    told = _run("check", tmp_path, code=1)
    assert "bad1.csv has no column map" in told.stderr and "bad2.csv" in told.stderr


def test_a_lone_broken_file_is_a_usage_error_in_three_lines(tmp_path: Path) -> None:
    (tmp_path / "GaCo01_01.txt").write_text("")
    done = _run("check", tmp_path / "GaCo01_01.txt", code=2)
    assert "is empty" in done.stderr and len(done.stderr.strip().splitlines()) <= 3
    assert "does not exist" in _run("check", tmp_path / "none", code=2).stderr


def test_fetch_offline_says_so(tmp_path: Path) -> None:
    done = _run("fetch", "gaitpdb", "--to", tmp_path, "--url", "http://no-such-host.invalid/", code=2)
    assert "cannot reach no-such-host.invalid" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("layout", ["gaitpdb8", "matrix16x8"])
def test_every_figure_of_the_walker_says_synthetic(tmp_path: Path, layout: str) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    feet = walk(1, duration_s=6, layout=layout)
    with matplotlib.rc_context({"svg.fonttype": "none"}):  # letters, not outlines
        plot_walk(tmp_path / "a.svg", feet)
        plot_walk(tmp_path / "b.svg", feet)
    text = (tmp_path / "a.svg").read_text()
    assert "SYNTHETIC walk, not a person" in text and "synthetic walker" in text
    assert text == (tmp_path / "b.svg").read_text()


def test_an_output_that_cannot_be_written_or_drawn_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot write" in _run("make", "-o", tmp_path / "file" / "x", "--seconds", 4, code=2).stderr
    assert "cannot draw" in _run("make", "-o", tmp_path, "--plot", tmp_path / "x.bmp", code=2).stderr
    assert "does not walk at 9 m/s" in _run("make", "-o", tmp_path, "--speed", 9, code=2).stderr
