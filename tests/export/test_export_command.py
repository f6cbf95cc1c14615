# SPDX-License-Identifier: Apache-2.0
"""`edgegrf export` from a checkpoint to files that hold, and what it says when it cannot."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from edgegrf.cli.export import command
from edgegrf.distill.card import has_card, write_card
from edgegrf.errors import DataError, ModelError, OutputError, UnknownNameError, UsageError
from edgegrf.export.windows import load_walks
from edgegrf.files import sha256_file
from edgegrf.graph.reader import read_tflite
from edgegrf.manifest import Interface, Manifest
from edgegrf.parity.onnx_int8 import onnx_int8, run_tflm
from edgegrf.parity.torch_onnx import torch_onnx
from edgegrf.resources import MODEL_FILE
from edgegrf.students import create, save

INSOLE = Interface(("s1", "s3", "s4", "s7"), "BW", ("vertical_force",), "BW", 100.0, 64)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    torch.manual_seed(1)
    student = create("dstcn", INSOLE, channels=8, dilations=[1, 2, 4])
    path = tmp_path_factory.mktemp("student") / "student.pt"
    save(student, path, name="tiny")
    return path


@pytest.fixture(autouse=True)
def no_data_by_default(monkeypatch, tmp_path):
    monkeypatch.delenv("EDGEGRF_DATA", raising=False)
    monkeypatch.setenv("EDGEGRF_CACHE", str(tmp_path / "cache"))


def run(*arguments: object) -> str:
    """stdout of the command; the command's own exception where it raises one."""
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    if result.exception is not None:
        raise result.exception
    return result.stdout


@pytest.fixture(scope="module")
def exported(checkpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    patch = pytest.MonkeyPatch()
    patch.delenv("EDGEGRF_DATA", raising=False)
    patch.setenv("EDGEGRF_CACHE", str(folder / "cache"))
    record = json.loads(run(checkpoint, "-o", folder / "out", "--json"))
    patch.undo()
    return folder / "out", record


def test_a_card_gains_the_int8_model_and_a_persons_own_readme_stays(checkpoint, tmp_path):
    for name in ("student.pt", "student.pt.json"):
        shutil.copy(checkpoint.with_name(name), tmp_path)
    student, readme = tmp_path / "student.pt", tmp_path / "README.md"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "README.md").write_text("# mine\n")
    readme.write_text("# mine\n")
    run(student)
    run(student, "-o", tmp_path / "other")
    assert readme.read_text() == (tmp_path / "other" / "README.md").read_text() == "# mine\n"
    student.with_name(MODEL_FILE).unlink()
    before = write_card(student).read_text()
    run(student)
    assert "## int8" in readme.read_text() and "## int8" not in before and has_card(student)


def test_the_json_record(exported):
    folder, record = exported
    assert record["tflite"] == str(folder / "student_int8.tflite")
    assert record["operators"]["DEPTHWISE_CONV_2D"] == 3
    assert record["float_rmse_bw"] > 0 and 0 < record["int8_rmse_bw"] < 1.2 * record["float_rmse_bw"]
    assert record["float_rmse_n"] > 100 * record["float_rmse_bw"]
    assert record["synthetic"] and "SYNTHETIC" in record["data"]
    assert 0 < record["seconds"] < 60 and record["samples"] > 1000 and record["opset"] == 18


def test_manifests_chain_the_files(exported, checkpoint):
    folder, _ = exported
    model = Manifest.read(folder / "student_int8.tflite")
    onnx = Manifest.read(folder / "student.onnx")
    golden = Manifest.read(folder / "golden.npz")
    assert onnx.sources["student.pt"] == sha256_file(checkpoint)
    assert model.sources["student.onnx"] == onnx.sha256
    assert golden.sources["student_int8.tflite"] == model.sha256
    assert model.interface == INSOLE and model.name == "tiny"
    graph = read_tflite((folder / "student_int8.tflite").read_bytes())
    code = graph.tensors[graph.inputs[0]].quantization
    assert model.quantization["input"] == {
        "scale": float(code.scales[0]),
        "zero_point": int(code.zero_points[0]),
    }
    assert str(folder) not in (folder / "student.onnx").read_bytes().decode("latin1")


def test_golden_windows_are_what_the_judge_gives(exported):
    folder, _ = exported
    data = (folder / "student_int8.tflite").read_bytes()
    golden = np.load(folder / "golden.npz")
    assert golden["input"].shape == (8, 64, 4) and golden["input"].dtype == np.int8
    assert golden["output"].shape == (8, 64, 1)
    assert np.array_equal(run_tflm(data, read_tflite(data), golden["input"]), golden["output"])
    assert len(np.unique(golden["output"])) > 10


def test_the_same_command_gives_the_same_bytes(exported, checkpoint, tmp_path):
    folder, _ = exported
    run(checkpoint, "-o", tmp_path / "again", "--json")
    for name in ("student.onnx", "student_int8.tflite", "golden.npz"):
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


def test_the_float_link_holds_and_notices_other_weights(exported, checkpoint, tmp_path):
    folder, _ = exported
    link = torch_onnx(checkpoint, folder / "student.onnx")
    assert link.ok and link.max_abs <= 1e-5 and link.outputs > 1000
    torch.manual_seed(2)
    save(create("dstcn", INSOLE, channels=8, dilations=[1, 2, 4]), tmp_path / "other.pt")
    assert not torch_onnx(tmp_path / "other.pt", folder / "student.onnx").ok


def test_the_int8_link_says_how_much_is_lost(exported):
    folder, record = exported
    walks = load_walks(Manifest.read(folder / "student_int8.tflite").interface, None)
    link = onnx_int8(folder / "student.onnx", folder / "student_int8.tflite", walks)
    assert link.unit == "BW" and link.outputs > 1000 and link.max_abs > 0
    assert f"{record['int8_rmse_bw']:.4f}" in link.note
    assert link.ok == (abs(record["int8_rmse_bw"] / record["float_rmse_bw"] - 1) <= 0.05)
    assert link.increase == pytest.approx(record["int8_rmse_bw"] / record["float_rmse_bw"] - 1, rel=1e-6)
    said = link.as_json()
    assert said["tolerance_of"] == "relative increase of RMSE" and said["tolerance"] == 0.05


def test_float_only_leaves_no_int8(checkpoint, tmp_path):
    record = json.loads(run(checkpoint, "--quantize", "none", "-o", tmp_path, "--json"))
    assert record["tflite"] is None and "int8_rmse_bw" not in record
    assert sorted(path.name for path in tmp_path.glob("student*")) == ["student.onnx", "student.onnx.json"]


def test_an_onnx_file_from_elsewhere(exported, tmp_path):
    folder, record = exported
    foreign = tmp_path / "net.onnx"
    foreign.write_bytes((folder / "student.onnx").read_bytes())
    sensors = ("--sensors", "s1,s3,s4,s7", "--rate", 100, "--window", 64)
    again = json.loads(run(foreign, *sensors, "-o", tmp_path / "out", "--json"))
    assert again["operators"] == record["operators"]
    with pytest.raises(UsageError, match="--rate"):
        run(foreign, "--sensors", "s1,s3,s4,s7", "-o", tmp_path / "out")


def test_the_table_for_people(checkpoint, tmp_path):
    result = CliRunner().invoke(command, [str(checkpoint), "-o", str(tmp_path)])
    assert "RMSE" in result.stdout and "BW" in result.stdout and " N" in result.stdout
    assert "SYNTHETIC" in result.stderr


def test_a_users_own_class(tmp_path, monkeypatch):
    (tmp_path / "mynets.py").write_text(
        "from torch import nn\n"
        "class Own(nn.Module):\n"
        "    def __init__(self, interface, *, width=6):\n"
        "        super().__init__()\n"
        "        self.a = nn.Conv1d(len(interface.sensors), width, 5)\n"
        "        self.b = nn.Conv1d(width, 1, 1)\n"
        "    def forward(self, x):\n"
        "        return self.b(nn.functional.relu(self.a(nn.functional.pad(x, (4, 0)))))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    save(create("mynets:Own", INSOLE, width=4), tmp_path / "own.pt", name="own")
    record = json.loads(run(tmp_path / "own.pt", "-o", tmp_path / "out", "--json"))
    assert record["operators"] == {"CONV_2D": 2, "PAD": 1, "RESHAPE": 2}


@pytest.mark.parametrize(
    ("argument", "error"),
    [
        ("absent.pt", ModelError),
        ("absent.onnx", ModelError),
        ("no-such-student", UnknownNameError),
        ("walks.csv", UsageError),
    ],
)
def test_what_is_not_there(argument, error, tmp_path):
    with pytest.raises(error):
        run(argument, "-o", tmp_path)


def test_an_unwritable_folder_is_refused_before_the_work(checkpoint, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError) as caught:
        run(checkpoint, "-o", tmp_path / "file" / "out")
    assert caught.value.what == f"cannot write {tmp_path / 'file' / 'out'}"


def test_an_unknown_calibration(checkpoint, tmp_path):
    with pytest.raises(UnknownNameError, match="calibration"):
        run(checkpoint, "--calibration", "minmx", "-o", tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sample_rate_hz": 200.0}, "Hz"),
        ({"sensors": ("s1", "s3", "s4", "x9")}, "x9"),
    ],
)
def test_walks_that_do_not_fit(change, said, gaitpdb_folder, tmp_path):
    save(create("dstcn", replace(INSOLE, **change), channels=8), tmp_path / "other.pt", name="other")
    with pytest.raises(DataError, match=said):
        run(tmp_path / "other.pt", "--data", gaitpdb_folder, "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()


_INTERRUPTED = """
import os, signal, time
import edgegrf.parity.onnx_int8 as link
def press(*arguments):
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(10)
link.run_tflm = press
from edgegrf.cli import main
main()
"""


def test_ctrl_c_in_the_middle_leaves_nothing(checkpoint, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED, "export", str(checkpoint), "-o", str(tmp_path / "out")],
        env={**os.environ, "EDGEGRF_CACHE": str(tmp_path / "cache")},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 130, done.stderr
    assert "stopped" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_explain_names_every_layer_and_draws_a_page(checkpoint, tmp_path):
    page = tmp_path / "explain.html"
    record = json.loads(run(checkpoint, "--report", page, "-o", tmp_path / "out", "--json"))
    told = record["explain"]
    assert sum(cost["share"] for cost in told["costs"]) == pytest.approx(1)
    assert {cost["what"] for cost in told["costs"]} == {"weights", "activations"}
    assert told["rmse_bw"] == pytest.approx(record["int8_rmse_bw"], rel=0.02)
    text = page.read_text()
    assert "<svg" in text and all(cost["place"] in text for cost in told["costs"])
    shown = run(checkpoint, "--explain", "-o", tmp_path / "out")
    assert told["costs"][0]["place"][:20] in shown and "all activations" in shown
