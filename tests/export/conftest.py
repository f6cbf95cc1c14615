# SPDX-License-Identifier: Apache-2.0
"""Small nets of every kind that the export lowers, and a float interpreter of lowered graphs as oracle."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from edgegrf.export.lowered import Lowered
from edgegrf.export.lowering import lower
from edgegrf.export.onnx_file import places, simplify
from edgegrf.export.torch_export import export_onnx
from edgegrf.manifest import Interface
from edgegrf.students import Student, create
from edgegrf.students.build import Adapted

sys.path.insert(0, str(Path(__file__).parent))
from float_operators import operate

SENSORS = ("s1", "s3", "s4", "s7")
INSOLE = Interface(SENSORS, "BW", ("vertical_force",), "BW", 100.0, 48)
MATRIX = Interface(
    tuple(f"r{row}c{column}" for row in range(16) for column in range(8)),
    "BW",
    ("vertical_force", "anterior_posterior_force"),
    "BW",
    100.0,
    24,
    frame=(16, 8),
)


@dataclass(frozen=True)
class Net:
    """A student, its ONNX, and what the lowering made of it."""

    student: Student
    onnx: Any
    simple: Any
    lowered: Lowered


def settled(student: nn.Module, seed: int = 0) -> nn.Module:
    """Batch norms with statistics as after training, so that folding them is no identity."""
    generator = torch.Generator().manual_seed(seed)
    for module in student.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            for tensor, low, high in (
                (module.running_mean, -0.2, 0.2),
                (module.running_var, 0.5, 2.0),
                (module.weight.data, 0.5, 1.5),
                (module.bias.data, -0.3, 0.3),
            ):
                tensor.copy_(low + (high - low) * torch.rand(tensor.shape, generator=generator))
    return student.eval()


def make_net(student: Student) -> Net:
    onnx = export_onnx(student)
    simple = simplify(onnx)
    interface = student.interface
    lowered = lower(simple, places(onnx), channels=len(interface.sensors), estimates=len(interface.outputs))
    return Net(student, onnx, simple, lowered)


def build(architecture: str) -> Student:
    torch.manual_seed(3)
    interface = MATRIX if architecture == "matrix" else INSOLE
    if architecture == "wrn":
        interface = replace(interface, lookahead=-1)
    two = {"hidden": 8, "layers": 2}
    hyper = {"wrn": {"depth": 10}, "gru": {"hidden": 8}, "lstm": two}.get(architecture, {})
    student = create(architecture, interface, **hyper)
    settled(student)
    return student


@pytest.fixture(scope="session")
def nets() -> Callable[[str], Net]:
    """The lowered net of an architecture, made once in a session."""
    made: dict[str, Net] = {}

    def get(architecture: str) -> Net:
        if architecture not in made:
            made[architecture] = make_net(build(architecture))
        return made[architecture]

    return get


@pytest.fixture(scope="session")
def lower_module() -> Callable[..., Net]:
    """Lower a user's own torch module: pressure [B, 4, T] in, force [B, 1, T] (or [B, 1]) out."""

    def get(module: nn.Module, *, window: int = 48) -> Net:
        torch.manual_seed(5)
        interface = replace(INSOLE, window=window, lookahead=-1)
        return make_net(Adapted(interface, settled(module)).eval())

    return get


@pytest.fixture(scope="session")
def interpret() -> Callable[[Lowered, dict[str, np.ndarray]], dict[str, np.ndarray]]:
    """Run a lowered graph in float: all tensors, by name."""
    return _interpret


@pytest.fixture
def pressure() -> Callable[..., np.ndarray]:
    """Plausible pressure [T, C] in BW, smooth and never negative."""

    def get(samples: int, channels: int, seed: int = 0) -> np.ndarray:
        rng = np.random.default_rng(seed)
        phase = np.linspace(0, 6, samples)[:, None] + rng.uniform(0, 6, channels)
        noisy = 0.3 * np.sin(phase) + 0.05 * rng.standard_normal((samples, channels))
        return np.maximum(noisy, 0).astype(np.float32)

    return get


def _interpret(lowered: Lowered, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    values = {name: torch.from_numpy(value.copy()) for name, value in feeds.items()}
    for node in lowered.nodes:
        value = operate(node, [values[name] for name in node.inputs])
        assert tuple(value.shape) == lowered.shapes[node.output], node
        values[node.output] = value
    return {name: value.numpy() for name, value in values.items()}
