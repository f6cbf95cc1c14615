# SPDX-License-Identifier: Apache-2.0
"""`edgegrf compile`: what it prints, what it writes, and what it refuses to overwrite."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from random_models import Maker

from edgegrf.cli.table import main
from edgegrf.graph.writer import write_tflite


def edgegrf(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["edgegrf", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code, *capsys.readouterr()


def test_table_and_json(monkeypatch, capsys, reference_nets, tmp_path):
    tflite, folder = reference_nets / "conv.tflite", tmp_path / "c"
    code, out, err = edgegrf(monkeypatch, capsys, "compile", tflite, "-o", folder)
    assert code == 0 and "conv_2" in out and "643,200" in out and "model.c" in err
    code, out, _ = edgegrf(monkeypatch, capsys, "compile", tflite, "-o", folder, "--json")
    record = json.loads(out)
    assert code == 0 and record["modes"] == 3 and record["macs_step"] == 3216
    assert record["weight_bytes"] == sum(layer["constant_bytes"] for layer in record["layers"])
    assert sorted(path.name for path in folder.iterdir()) == sorted([*record["files"], "model.c.json"])


@pytest.mark.parametrize("damage", ["absent", "empty", "truncated", "text"])
def test_bad_input_is_two_or_three_lines_and_code_2(damage, monkeypatch, capsys, reference_nets, tmp_path):
    tflite = tmp_path / "bad.tflite"
    data = (reference_nets / "ds.tflite").read_bytes()
    content = {"empty": b"", "truncated": data[:5000], "text": b"These are not the bytes of a model."}
    if damage in content:
        tflite.write_bytes(content[damage])
    code, out, err = edgegrf(monkeypatch, capsys, "compile", tflite, "-o", tmp_path / "c")
    assert code == 2 and not out and 1 <= len(err.strip().splitlines()) <= 3
    assert not (tmp_path / "c").exists()


def test_a_folder_with_other_files_is_left_alone(monkeypatch, capsys, reference_nets, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    code, _, err = edgegrf(monkeypatch, capsys, "compile", reference_nets / "ds.tflite", "-o", tmp_path)
    assert code == 2 and "thesis.tex" in err
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_stream_mode_that_cannot_be_names_the_layer(monkeypatch, capsys, tmp_path):
    maker = Maker(np.random.default_rng(1))
    first = maker.activation((1, 20, 1, 4), 0.1)
    tflite = tmp_path / "pooled.tflite"
    pooled = maker.pool(first, (20, 1), (1, 1))
    tflite.write_bytes(write_tflite(maker.graph([first], [pooled])))
    code, _, err = edgegrf(monkeypatch, capsys, "compile", tflite, "-o", tmp_path / "c", "--mode", "stream")
    assert code == 2 and "AVERAGE_POOL_2D 't1'" in err and "whole window" in err
    code, _, err = edgegrf(monkeypatch, capsys, "compile", tflite, "-o", tmp_path / "c")
    assert code == 0 and "window mode only: AVERAGE_POOL_2D 't1'" in err


def test_help_imports_nothing_heavy():
    probe = (
        "import sys\nfrom edgegrf.cli.compile import command\n"
        "sys.exit(any(name in sys.modules for name in ('numpy', 'jinja2', 'torch', 'ai_edge_litert')))"
    )
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0
