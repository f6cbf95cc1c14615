# SPDX-License-Identifier: Apache-2.0
"""A foreign ONNX model's look-ahead is measured, and a smaller one is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from torch import nn

from edgegrf.cli.export import command
from edgegrf.compiler.planning import make_plan
from edgegrf.errors import ModelError, UnknownNameError
from edgegrf.graph.reader import read_tflite
from edgegrf.manifest import Manifest

WINDOW = 40
_TELLS = ("--sensors", "s1,s3,s4,s7", "--rate", "100", "--window", str(WINDOW))


class Taps(nn.Module):
    """Convolutions with ReLU between, `before` zeros in front and `after` behind each."""

    def __init__(self, taps: int, before: int, after: int, layers: int = 1) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv1d(4 if n == 0 else 6, 6, taps) for n in range(layers))
        self.head = nn.Conv1d(6, 1, 1)
        self.pads = (before, after)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = torch.relu(layer(nn.functional.pad(x, self.pads)))
        return self.head(x)


class Strides(nn.Module):
    """Two centred convolutions of stride 2: an estimate every 4 samples."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(4, 6, 3, 2, 1), nn.ReLU(), nn.Conv1d(6, 6, 3, 2, 1), nn.ReLU(), nn.Conv1d(6, 1, 1)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


class Whole(nn.Module):
    """One matrix from all samples to all estimates."""

    def __init__(self, estimates: int) -> None:
        super().__init__()
        self.matrix = nn.Linear(4 * WINDOW, estimates)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.matrix(x.flatten(1)).unsqueeze(1)


@pytest.fixture(autouse=True)
def no_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EDGEGRF_DATA", raising=False)
    monkeypatch.setenv("EDGEGRF_CACHE", str(tmp_path / "cache"))


def _onnx(module: nn.Module, path: Path) -> Path:
    torch.manual_seed(4)
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.3)
    module.eval()
    torch.onnx.export(
        module, (torch.zeros(1, 4, WINDOW),), path, dynamo=True, external_data=False, verbose=False
    )
    return path


def _export(*arguments: object) -> None:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    if result.exception is not None:
        raise result.exception


@pytest.mark.parametrize(
    ("module", "lookahead", "reach"),
    [
        (Taps(5, 2, 2), 2, 5),
        (Taps(5, 4, 0), 0, 5),
        (Taps(3, 0, 2, layers=3), 6, 7),
        (Whole(WINDOW), -1, WINDOW),
        (Whole(1), -1, WINDOW),
    ],
    ids=["centred", "causal", "ahead only", "whole", "whole, one estimate"],
)
def test_the_manifest_says_what_was_measured(
    module: nn.Module, lookahead: int, reach: int, tmp_path: Path
) -> None:
    net = _onnx(module, tmp_path / "net.onnx")
    _export(net, *_TELLS, "--quantize", "none", "-o", tmp_path / "out", "--json")
    manifest = Manifest.read(tmp_path / "out" / "student.onnx")
    assert manifest.interface is not None and manifest.interface.lookahead == lookahead
    assert manifest.model["receptive_field"] == reach
    assert manifest.model["causal"] is (lookahead == 0)


@pytest.mark.parametrize(
    "module",
    [Taps(5, 2, 2), Taps(5, 4, 0), Taps(3, 0, 2, layers=3), Strides()],
    ids=["centred", "causal", "ahead only", "strides"],
)
def test_the_compiler_finds_the_same_reach(module: nn.Module, tmp_path: Path) -> None:
    net = _onnx(module, tmp_path / "net.onnx")
    _export(net, *_TELLS, "-o", tmp_path / "out", "--json")
    tflite = tmp_path / "out" / "student_int8.tflite"
    manifest, plan = Manifest.read(tflite), make_plan(read_tflite(tflite.read_bytes()))
    assert manifest.interface is not None and plan.stream
    assert max(0, plan.lookahead) == manifest.interface.lookahead
    assert plan.receptive_field == manifest.model["receptive_field"]


def test_a_smaller_look_ahead_is_refused_with_both_numbers(tmp_path: Path) -> None:
    net = _onnx(Taps(5, 2, 2), tmp_path / "net.onnx")
    with pytest.raises(ModelError, match="looks 2 samples ahead, --lookahead says 1"):
        _export(net, *_TELLS, "--lookahead", 1, "-o", tmp_path / "deep" / "out")
    assert not (tmp_path / "deep").exists()
    for enough in (2, 5, -1):
        _export(net, *_TELLS, "--lookahead", enough, "--quantize", "none", "-o", tmp_path / "out", "--json")
        record = json.loads((tmp_path / "out" / "student.onnx.json").read_text())
        assert record["interface"]["lookahead"] == enough


def test_an_unknown_unit_is_refused_by_itself(tmp_path: Path) -> None:
    net = _onnx(Taps(5, 2, 2), tmp_path / "net.onnx")
    with pytest.raises(UnknownNameError, match="unit 'furlong'") as caught:
        _export(net, *_TELLS, "--unit", "furlong", "-o", tmp_path / "out")
    assert "BW, N, kPa, raw" in caught.value.fix
    assert not (tmp_path / "out").exists()
