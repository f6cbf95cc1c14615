# SPDX-License-Identifier: Apache-2.0
"""Training with the rounding in place: what is trained is what the export writes, bit for bit."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from edgegrf.distill.examples import prepare
from edgegrf.distill.plans import Plan
from edgegrf.distill.settings import Settings
from edgegrf.errors import ModelError
from edgegrf.export.learnt import taken_over
from edgegrf.export.quantise import quantise
from edgegrf.export.source import from_checkpoint
from edgegrf.export.windows import Piece
from edgegrf.gait.choice import synthetic_walks
from edgegrf.graph.affine import dequantize, force_code, pressure_code, quantize
from edgegrf.graph.writer import write_tflite
from edgegrf.manifest import Interface
from edgegrf.parity.onnx_int8 import run_tflm
from edgegrf.qat import fine_tune, quantised_student
from edgegrf.students import create, load, save
from edgegrf.students.checkpoint import learnt_in

ALL = ["dstcn", "tcn", "wrn", "matrix", "gru"]


@pytest.fixture
def quantised(nets, pressure):
    """(net, its quantised student, windows [N, T, C]); a causal one trains on twice its window."""

    def get(architecture):
        net = nets(architecture)
        interface = net.student.interface
        length = interface.window * (1 if interface.lookahead < 0 else 2)
        channels, outputs = len(interface.sensors), len(interface.outputs)
        windows = np.stack([pressure(length, channels, seed) for seed in range(6)])
        cut = [x[: interface.window] for x in windows]
        pieces = [Piece(x, np.zeros((len(x), outputs), np.float32), 700.0, 0, len(x)) for x in cut]
        return net, quantised_student(net.student, pieces, run_tflm, samples=length), windows

    return get


def shaped(windows, interface):
    given = torch.from_numpy(windows)
    return given.reshape(*given.shape[:2], *interface.frame) if interface.frame else given.mT


@pytest.mark.parametrize("architecture", ALL)
def test_what_is_trained_is_what_is_exported(quantised, architecture):
    net, student, windows = quantised(architecture)
    interface = net.student.interface
    given = shaped(windows, interface)
    before = copy.deepcopy(student.learnt())
    optimizer = torch.optim.Adam(student.parameters(), lr=2e-3)
    for _ in range(4):
        optimizer.zero_grad()
        torch.mean((student(given) - 0.3) ** 2).backward()
        optimizer.step()
    moved = {key for key, value in before.items() if (student.learnt()[key] != value).any()}
    assert moved >= {"ends", "weights.0", "bias.0"}
    lowered, ranges = taken_over(net.lowered, student.learnt())
    graph = quantise(lowered, ranges)
    head = windows[:, : interface.window]
    coded, _ = quantize(head, *pressure_code(graph))
    want = dequantize(run_tflm(write_tflite(graph), graph, coded), *force_code(graph))
    with torch.no_grad():
        got = student(given).mT.numpy()[:, : want.shape[1]]
    assert np.abs(got - want).max() < (1 + 1e-3) * force_code(graph)[0]
    assert np.mean(np.abs(got - want) > 1e-3 * force_code(graph)[0]) < 0.01


INSOLE = Interface(("s1", "s3", "s4", "s7"), "BW", ("vertical_force",), "BW", 100.0, 64)


def test_a_checkpoint_carries_it_and_stays_a_float_student(tmp_path):
    torch.manual_seed(1)
    student = create("dstcn", INSOLE, channels=8, dilations=[1, 2])
    for suffix in (".pt", ".safetensors"):
        path = tmp_path / f"student{suffix}"
        save(student, path, name="tiny", learnt={"ends": torch.ones(3, 2)})
        assert torch.equal(learnt_in(path)["ends"], torch.ones(3, 2))
        assert all(
            torch.equal(a, b) for a, b in zip(load(path).parameters(), student.parameters(), strict=True)
        )
        save(student, path, name="tiny")
        assert learnt_in(path) == {}


def test_what_does_not_fit_is_refused(nets, quantised):
    net, student, _ = quantised("dstcn")
    learnt = student.learnt()
    for spoilt in (
        {key: value for key, value in learnt.items() if key != "bias.0"},
        learnt | {"ends": learnt["ends"][1:]},
        learnt | {"weights.1": learnt["weights.1"][..., :1]},
        learnt | {"weights.99": learnt["weights.0"]},
    ):
        with pytest.raises(ModelError, match="does not fit"):
            taken_over(net.lowered, spoilt)


def test_a_student_goes_on_as_its_int8_model_and_loses_nothing(tmp_path):
    torch.manual_seed(2)
    path = tmp_path / "student.pt"
    student = create("dstcn", replace(INSOLE, window=200), channels=8, dilations=[1, 2])
    for layer in student.modules():  # channels so uneven that the export alone loses much
        if isinstance(layer, torch.nn.BatchNorm1d):
            layer.weight.data *= torch.logspace(-1.5, 0.5, len(layer.weight))
    save(student, path, name="tiny")
    recordings = synthetic_walks(INSOLE, [1, 2, 3, 7])
    assert len(prepare(recordings, INSOLE).training) > 4
    into = tmp_path / "out" / "student.pt"
    plan = Plan("dstcn", INSOLE, settings=Settings(batch=4, rate=0.2, qat=3))
    tuned = fine_tune(path, plan, recordings, run=run_tflm, into=into)
    assert tuned.after < 0.9 * tuned.before
    assert tuned.manifest.metrics["qat_epochs"] == 3
    assert set(from_checkpoint(into).learnt) >= {"ends", "weights.0", "bias.0", "scales.0"}
    same = replace(plan, settings=Settings(rate=1e-12, qat=1))
    still = fine_tune(into, same, recordings, run=run_tflm)
    assert still.after == still.before and learnt_in(into) == {}  # what is no better is not kept
