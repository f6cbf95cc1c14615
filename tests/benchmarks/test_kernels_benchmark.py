# SPDX-License-Identifier: Apache-2.0
"""`make bench-kernels`: the same figures each time, beside the baseline, and nothing without the nets."""

from __future__ import annotations

import json

import pytest

from benchmarks import kernels
from benchmarks.kernels import BASELINE, KERNELS, RESULTS, against_baseline, measure, models, modes
from edgegrf.compiler.planning import make_plan
from edgegrf.graph.reader import read_tflite
from edgegrf.resources import shipped_file, shipped_students
from edgegrf.virtual.cortexm.cycles import ERROR_BAND

BASE = json.loads(BASELINE.read_text())


def test_the_baseline_is_of_the_reference_nets(reference_nets):
    for net, known in BASE["nets"].items():
        plan = make_plan(read_tflite((reference_nets / f"{net}.tflite").read_bytes()))
        assert known["macs"] == sum(layer.macs for layer in plan.layers)
        page = (reference_nets / "README.md").read_text()
        for kernel in ("reference", "cmsis_nn"):
            assert f"{known[kernel]['arena_bytes']:,}".replace(",", " ") in page
            assert f"{known[kernel]['flash_bytes']:,}".replace(",", " ") in page
        assert f"{known['cmsis_nn']['instructions'] / 1e6} M" in page


def test_measuring_twice_gives_the_same_record(reference_nets):
    chosen = {"ds": reference_nets / "ds.tflite"}
    first = measure(chosen)
    assert first == measure(chosen) == json.loads(json.dumps(first))
    window, stream = first["models"]
    assert (window["mode"], stream["mode"], window["macs"]) == (
        "window",
        "stream",
        BASE["nets"]["ds"]["macs"],
    )
    assert window["mismatches"] == stream["mismatches"] == 0 and first["cycles_are"] == ERROR_BAND


def test_every_model_is_measured_in_the_modes_it_has(reference_nets):
    chosen = models(reference_nets)
    assert list(chosen) == ["conv", "ds", *shipped_students()]
    assert list(modes(chosen["conv"])) == ["window", "stream"]
    assert list(modes(shipped_file("insole4-gru32", "student_int8.tflite"))) == ["stream"]
    assert list(modes(shipped_file("insole4-wrn16-1", "student_int8.tflite"))) == ["window", "stream"]


def test_the_table_puts_both_beside_each_other():
    row = {"model": "conv", "mode": "window", "instructions": 640_000, "cycles": 800_000, "macs": 643_200,
           "image_flash_bytes": 12_345, "ram_bytes": 6_000, "io_bytes": 1_800}  # fmt: skip
    text = against_baseline([row, {**row, "model": "unknown"}], BASE)
    lines = text.splitlines()
    assert "| conv | TFLM + CMSIS-NN, window | 1.825 M | 2.84 | 2.26 M ¹ | 75 808 | 9 156 |" in lines
    assert "| conv | **edgegrf, window** | 640 000 | 1.00 | 800 000 | 12 345 | 7 800 |" in lines
    assert ERROR_BAND in text and "unknown" not in text


def test_without_the_nets_it_says_so_and_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(kernels, "ROOT", tmp_path / "checkout")
    monkeypatch.setattr(kernels, "write_file", lambda *_: pytest.fail("wrote a file"))
    assert kernels.main() == 0
    assert "skipped: no reference nets" in capsys.readouterr().err


def test_the_pages_show_the_stored_figures():
    stored = json.loads(KERNELS.read_text())
    assert len(stored["models"]) >= 2 * 2 + len(shipped_students())
    for record in (stored, *stored.get("others", ())):
        mark = "table:models" if record is stored else f"table:{record['board']}"
        lines = (
            RESULTS.read_text()
            .partition(f"<!-- {mark} -->")[2]
            .partition(f"<!-- /{mark} -->")[0]
            .splitlines()
        )
        assert all(row["mismatches"] == 0 for row in record["models"])
        for row in record["models"]:
            shown = [line for line in lines if line.startswith(f"| {row['model']} | {row['mode']} |")]
            assert len(shown) == 1 and f"{row['cycles']:,}".replace(",", " ") in shown[0]
