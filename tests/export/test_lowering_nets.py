# SPDX-License-Identifier: Apache-2.0
"""Lowered graphs equal torch in float, for the shipped architectures and for a user's ordinary nets."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from edgegrf.graph.model import NEXT_SUFFIX

CLOSE = 1e-5


@pytest.mark.parametrize("architecture", ["dstcn", "tcn", "wrn", "matrix"])
def test_shipped_architectures(nets, interpret, pressure, architecture):
    net = nets(architecture)
    interface = net.student.interface
    x = pressure(interface.window, len(interface.sensors))
    shape = net.lowered.shapes["pressure"]
    force = interpret(net.lowered, {"pressure": x.reshape(shape)})["force"]
    frames = x.reshape(1, -1, *interface.frame) if interface.frame else x.T[None]
    with torch.no_grad():
        expected = net.student(torch.from_numpy(frames.copy())).numpy().transpose(0, 2, 1)
    assert force.shape == (1, interface.window, len(interface.outputs))
    assert np.abs(force - expected).max() < CLOSE
    assert {node.kind for node in net.lowered.nodes} <= {
        "ADD",
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "PAD",
        "RESHAPE",
    }


@pytest.mark.parametrize(("architecture", "names"), [("gru", "h"), ("lstm", "h1 c1 h2 c2")])
def test_a_step_walks_like_torch(nets, interpret, pressure, architecture, names):
    net = nets(architecture)
    x = pressure(60, 4)
    assert net.lowered.inputs == ("pressure", *(f"state:{name}" for name in names.split()))
    states = {name: np.zeros(net.lowered.shapes[name], np.float32) for name in net.lowered.inputs[1:]}
    estimates = []
    for sample in x:
        values = interpret(net.lowered, {"pressure": sample[None], **states})
        states = {name: values[name + NEXT_SUFFIX] for name in states}
        estimates.append(values["force"][0])
    with torch.no_grad():
        expected = net.student(torch.from_numpy(x.T[None].copy())).numpy()[0].T
    assert np.abs(np.array(estimates) - expected).max() < CLOSE


class Chomp(nn.Module):
    """Bai's TCN block: padded on both sides, then cut."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(4, 6, 3, padding=4, dilation=2)
        self.head = nn.Conv1d(6, 1, 1)

    def forward(self, x):
        return self.head(functional.relu(self.first(x)[:, :, :-4]))


class Pooled(nn.Module):
    """Strided, pooled, flattened, one estimate a window."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv1d(4, 8, 5, stride=2, padding=2), nn.BatchNorm1d(8), nn.ReLU6())
        self.pool = nn.AvgPool1d(4)
        self.head = nn.Linear(8 * 6, 1)

    def forward(self, x):
        return self.head(torch.flatten(self.pool(self.stem(x)), 1)).unsqueeze(2)


class OverTime(nn.Module):
    """The mean over time, then two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv1d(4, 8, 3)
        self.head = nn.Sequential(nn.Linear(8, 5), nn.ReLU(), nn.Linear(5, 1))

    def forward(self, x):
        return self.head(self.stem(x).mean(dim=2)).unsqueeze(2)


class EverySample(nn.Module):
    """Linear layers on [B, T, C], with Sigmoid and Tanh gates and constants in between."""

    def __init__(self) -> None:
        super().__init__()
        self.both = nn.Linear(4, 12)
        self.head = nn.Linear(6, 1)
        self.register_buffer("gain", torch.linspace(0.5, 2.0, 6))

    def forward(self, x):
        gate, content = torch.chunk(self.both(x.transpose(1, 2)), 2, dim=2)
        mixed = torch.tanh(content) * torch.sigmoid(gate) * self.gain - 0.25
        return self.head(1.0 - mixed).transpose(1, 2)


class Lonely(nn.Module):
    """A batch norm and a ReLU that nothing takes in, and a batch norm in front of an unpadded convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.before, self.inner = nn.BatchNorm1d(4), nn.BatchNorm1d(6)
        self.stem = nn.Conv1d(4, 6, 1)
        self.deep = nn.Conv1d(6, 6, 3, padding=1)
        self.head = nn.Conv1d(6, 1, 1)

    def forward(self, x):
        y = self.stem(self.before(x))
        return self.head(self.deep(functional.relu(y)) + y + functional.relu(self.inner(y)))


class Multiplied(nn.Module):
    """A depthwise convolution that makes two channels of each, unevenly padded."""

    def __init__(self) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(4, 8, 4, groups=4)
        self.head = nn.Conv1d(8, 1, 1)

    def forward(self, x):
        return self.head(self.depthwise(functional.pad(x, (2, 1))))


@pytest.mark.parametrize("kind", [Chomp, Pooled, OverTime, EverySample, Lonely, Multiplied])
def test_a_users_net(lower_module, interpret, pressure, kind):
    net = lower_module(kind())
    x = pressure(48, 4)
    force = interpret(net.lowered, {"pressure": x[None]})["force"]
    with torch.no_grad():
        expected = net.student(torch.from_numpy(x.T[None].copy())).numpy().transpose(0, 2, 1)
    assert force.shape == expected.shape
    assert np.abs(force - expected).max() < CLOSE


def test_a_cut_after_a_convolution_is_less_padding(lower_module):
    kinds = [node.kind for node in lower_module(Chomp()).lowered.nodes]
    assert kinds == ["RESHAPE", "PAD", "CONV_2D", "CONV_2D", "RESHAPE"]


def test_batch_norms_leave_where_a_neighbour_takes_them(lower_module, nets):
    lonely = [node.kind for node in lower_module(Lonely()).lowered.nodes]
    assert lonely.count("DEPTHWISE_CONV_2D") == 1 and "RELU" in lonely  # y itself is needed too
    assert [n.kind for n in nets("tcn").lowered.nodes].count("DEPTHWISE_CONV_2D") == 0


def test_every_node_knows_its_place_in_the_module(nets):
    placed = [node.place for node in nets("dstcn").lowered.nodes if node.weights is not None]
    assert all(placed)
    assert any(place.startswith("blocks.0") for place in placed)
