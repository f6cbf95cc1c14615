# SPDX-License-Identifier: Apache-2.0
"""What a user's net may be made of: equal to torch in float, near it in int8, and the same bits in C."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from edgegrf.export.calibration import METHODS, observe
from edgegrf.export.equalise import equalise
from edgegrf.export.quantise import quantise
from edgegrf.export.rounding import round_weights
from edgegrf.export.scales import shared_ranges
from edgegrf.export.scheme import INT8
from edgegrf.export.twin import Twin, can_follow
from edgegrf.graph.affine import dequantize, force_code, pressure_code, quantize
from edgegrf.graph.writer import write_tflite
from edgegrf.parity.host import HostModel
from edgegrf.parity.onnx_int8 import run_tflm


class Branches(nn.Module):
    """Each branch on its own view of the input, joined by a last convolution."""

    def __init__(self, *branches, inputs: int = 4) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.stems = nn.ModuleList(nn.Conv1d(4, inputs, 1) for _ in branches)
        with torch.no_grad():
            widths = [branch(torch.zeros(1, inputs, 48)).shape[1] for branch in branches]
        self.heads = nn.ModuleList(nn.Conv1d(width, 2, 1) for width in widths)
        self.last = nn.Conv1d(2, 1, 1)

    def forward(self, x):
        parts = zip(self.stems, self.branches, self.heads, strict=True)
        return self.last(sum(head(branch(stem(x))) for stem, branch, head in parts))


class Call(nn.Module):
    def __init__(self, function) -> None:
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class Mixer(nn.Module):
    """Linear layers over time: memory moves there and back."""

    def __init__(self) -> None:
        super().__init__()
        self.over_time = nn.Linear(48, 48)

    def forward(self, x):
        return x + functional.relu(self.over_time(x))


class Pieces(nn.Module):
    """Time and channels cut, turned round and put together again."""

    def forward(self, x):
        first, second = x.chunk(2, 1)
        turned = torch.cat([x[:, :, 40:], x[:, :, :40].flip(2)], 2)
        return torch.cat([torch.tanh(first), second, torch.sigmoid(turned), x, x[:, ::2] * 0.5], 1)


class Attention(nn.Module):
    """Squeeze and excitation, a constant for every place, a batch norm in front."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(4)
        self.squeeze, self.excite = nn.Linear(4, 2), nn.Linear(2, 4)
        self.register_buffer("places", torch.linspace(-1, 1, 192).reshape(4, 48))

    def forward(self, x):
        weight = self.excite(functional.relu(self.squeeze(x.mean(2)))).sigmoid().unsqueeze(2)
        return functional.relu(self.norm(x)) * weight + self.places


class Stretched(nn.Module):
    """Every other sample, each then held."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv1d(4, 6, 3, stride=2, padding=1, groups=2)
        self.up = nn.Upsample(scale_factor=2)

    def forward(self, x):
        return self.up(self.down(x) + functional.avg_pool1d(x[:, :1], 4, 2, 1))


def shuffled(x):
    """A channel shuffle, as ShuffleNet has it."""
    return x.reshape(1, 2, 2, 48).transpose(1, 2).reshape(1, 4, 48)


CURVES = (nn.LeakyReLU(0.1), nn.PReLU(4), nn.PReLU(), nn.Hardswish(), nn.Hardsigmoid(), nn.SiLU(), nn.ELU())
POOLS = (
    nn.Sequential(nn.MaxPool1d(3, 1, padding=1), nn.AvgPool1d(3, 1, padding=1)),
    nn.Sequential(nn.MaxPool1d(3, 2, padding=1), nn.Upsample(scale_factor=2)),
    nn.Sequential(nn.AvgPool1d(4, 2, padding=1), nn.Upsample(scale_factor=2)),
    Call(lambda x: functional.max_pool1d(functional.pad(x - 1.0, (2, 0)), 3, 1)),  # onnxruntime errs here
    Call(lambda x: x - x.amax(2, keepdim=True)),
    Call(lambda x: x - 0.02 * x.sum(2, keepdim=True)),
)
CLAMPS = (
    nn.Hardtanh(-0.1, 0.2),
    nn.ReLU6(),
    Call(lambda x: x.clamp(min=-0.1)),
    nn.Softmax(1),
    Call(lambda x: torch.maximum(torch.tensor(0.0), x)),
    Call(lambda x: torch.cat([functional.hardtanh(x, -0.1, 0.2), 0.5 * x], 1)),  # a join of two scales
)
BORDERS = (
    nn.Conv1d(4, 4, 3, padding=1, padding_mode="reflect"),
    nn.Conv1d(4, 4, 3, padding=1, padding_mode="replicate"),
    nn.Conv1d(4, 4, 3, padding=2, dilation=2, padding_mode="circular"),
    nn.Sequential(nn.ConstantPad1d((3, 1), 0.0), nn.Conv1d(4, 4, 5)),
    nn.Conv1d(4, 3, 4, padding="same"),
    nn.Conv1d(4, 8, 3, padding=2, dilation=2, groups=4),
)
SUMS = (
    Call(lambda x: 1 - x / 3),
    Call(lambda x: -x * 0.5 + x**2),
    Call(lambda x: x * torch.sigmoid(x.mean(1, keepdim=True))),
    Call(lambda x: x - x.mean(2, keepdim=True)),
    Call(lambda x: functional.pad(x, (0, 0, 1, 2))),
    Call(shuffled),
)

NETS = {
    "curves": lambda: Branches(*CURVES),
    "clamps": lambda: Branches(*CLAMPS),
    "borders": lambda: Branches(*BORDERS),
    "sums": lambda: Branches(*SUMS),
    "pools": lambda: Branches(*POOLS),
    "pieces": lambda: Branches(Pieces(), Attention()),
    "moved": lambda: Branches(
        Mixer(),
        Stretched(),
        nn.Sequential(nn.Conv1d(4, 5, 2, 2), nn.ReLU(), nn.ConvTranspose1d(5, 3, 4, 2, padding=1)),
        nn.Sequential(nn.Conv1d(4, 22, 1), nn.Conv1d(22, 22, 3, groups=11, padding=1)),
    ),
}


@pytest.fixture(scope="module")
def net_of(lower_module):
    made = {}

    def get(name):
        if name not in made:
            torch.manual_seed(1)
            made[name] = lower_module(NETS[name]())
        return made[name]

    return get


def torch_estimates(net, windows):
    with torch.no_grad():
        return np.stack([net.student(torch.from_numpy(x.T[None].copy())).numpy()[0].T for x in windows])


@pytest.mark.parametrize("name", NETS)
def test_float_equals_torch(net_of, interpret, pressure, name):
    net, x = net_of(name), pressure(48, 4)
    force = interpret(net.lowered, {"pressure": x[None]})["force"]
    assert np.abs(force - torch_estimates(net, [x])).max() < 1e-5


@pytest.mark.parametrize("name", NETS)
def test_int8_is_near_and_c_is_exact(net_of, pressure, tmp_path, name):
    net = net_of(name)
    windows = [pressure(48, 4, seed) for seed in range(6)]
    equal, scaled = equalise(net.lowered, observe(net.simple, net.lowered, windows), 0.5)
    ranges = {tensor: METHODS["minmax"](seen) for tensor, seen in scaled.items()}
    if can_follow(equal):
        equal = round_weights(equal, ranges, INT8, torch.from_numpy(np.stack(windows)))
    graph = quantise(equal, ranges)
    path = tmp_path / "net.tflite"
    path.write_bytes(write_tflite(graph))
    coded = quantize(np.stack(windows), *pressure_code(graph))[0]
    wild = np.random.default_rng(1).integers(-128, 128, coded.shape).astype(np.int8)
    bits = run_tflm(path.read_bytes(), graph, np.concatenate([coded, wild]))
    exact = torch_estimates(net, windows)
    error = np.sqrt(np.mean((dequantize(bits[:6], *force_code(graph)) - exact) ** 2))
    covered = max(exact.max(), 0) - min(exact.min(), 0)  # int8 codes reach from 0 on
    assert error < 0.03 * covered
    assert np.array_equal(HostModel(path).window(np.concatenate([coded, wild])), bits)


@pytest.mark.parametrize("name", ["curves", "clamps", "borders", "sums", "pools", "moved"])
def test_the_twin_follows_it(net_of, pressure, name):
    net = net_of(name)
    windows = np.stack([pressure(48, 4, seed) for seed in range(4)])
    seen = observe(net.simple, net.lowered, list(windows))
    ranges = shared_ranges(net.lowered, {tensor: METHODS["minmax"](held) for tensor, held in seen.items()})
    graph = quantise(net.lowered, ranges)
    bits = run_tflm(write_tflite(graph), graph, quantize(windows, *pressure_code(graph))[0])
    with torch.no_grad():
        twin = Twin(net.lowered, ranges)(torch.from_numpy(windows)).numpy()
    steps = np.abs(twin - dequantize(bits, *force_code(graph))) / force_code(graph)[0]
    assert steps.max() < 6.5 and np.mean(steps > 0.5) < 0.1


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu_is_a_gated_sigmoid(lower_module, interpret, approximate):
    net = lower_module(nn.Sequential(nn.GELU(approximate), nn.Conv1d(4, 1, 1)))
    nn.init.ones_(net.student.network[1].weight)
    kinds = [node.kind for node in net.lowered.nodes if node.kind != "RESHAPE"]
    assert kinds == ["DEPTHWISE_CONV_2D", "LOGISTIC", "MUL", "CONV_2D"]
    x = np.repeat(np.linspace(-6, 6, 48, dtype=np.float32)[:, None], 4, 1)
    inner = interpret(net.lowered, {"pressure": x[None]})
    gated = next(inner[node.output] for node in net.lowered.nodes if node.kind == "MUL").reshape(48, 4)
    exact = functional.gelu(torch.from_numpy(x)).numpy()
    assert np.abs(gated - exact).max() < 0.0207  # 0.0203 off the error function, 0.0004 off its approximation


def test_a_join_shares_its_scale_or_requantises(net_of, pressure):
    net = net_of("pieces")
    graph = quantise(
        net.lowered,
        {
            name: METHODS["minmax"](seen)
            for name, seen in observe(net.simple, net.lowered, [pressure(48, 4)]).items()
        },
    )
    joins = [operator for operator in graph.operators if operator.kind == "CONCATENATION"]
    assert joins
    for join in joins:
        codes = [graph.tensors[index].quantization for index in (*join.inputs, *join.outputs)]
        assert len({(float(code.scales[0]), int(code.zero_points[0])) for code in codes}) == 1
    tanh = next(operator.outputs[0] for operator in graph.operators if operator.kind == "TANH")
    assert [op.kind for op in graph.operators if tanh in op.inputs] == ["QUANTIZE"]


def test_equalising_stops_at_what_is_not_homogeneous(lower_module, pressure):
    layers = [nn.Conv1d(4, 6, 1), nn.Hardswish(), nn.Conv1d(6, 6, 1), nn.LeakyReLU(0.2), nn.Conv1d(6, 1, 1)]
    net = lower_module(nn.Sequential(*layers))
    seen = observe(net.simple, net.lowered, [pressure(48, 4)])
    equal, _ = equalise(net.lowered, seen, 1.0)
    pairs = zip(net.lowered.nodes, equal.nodes, strict=True)
    same = [np.array_equal(old.weights, new.weights) for old, new in pairs if old.weights is not None]
    assert same == [True, False, False]
