# SPDX-License-Identifier: Apache-2.0
"""The networks: shapes, sizes, causality, and the step that is the same network."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import types
from collections.abc import Mapping
from typing import Any

import pytest
import torch

from edgegrf.distill.plans import INSOLE4, MATRIX
from edgegrf.errors import MissingToolError, ModelError, UnknownNameError, UsageError
from edgegrf.manifest import Interface
from edgegrf.students import ARCHITECTURES, Student, create, example_input, macs_per_sample, require_torch
from edgegrf.students.causal import shared_ahead
from edgegrf.students.gru import Gru
from edgegrf.students.lstm import Lstm
from edgegrf.students.student import measured_reach

WHOLE = dataclasses.replace(INSOLE4, lookahead=-1)
SMALL_MATRIX = dataclasses.replace(MATRIX, window=40)
CASES: list[tuple[str, Interface, Mapping[str, Any]]] = [
    ("dstcn", INSOLE4, {}),
    ("dstcn", INSOLE4, {"dilations": [3, 9, 27]}),
    ("tcn", INSOLE4, {}),
    ("gru", INSOLE4, {}),
    ("lstm", INSOLE4, {"hidden": 8, "layers": 2}),
    ("matrix", SMALL_MATRIX, {}),
    ("attention", INSOLE4, {"span": 12}),
    ("wrn", WHOLE, {}),
    ("wrn", WHOLE, {"depth": 28}),
]


def seeded(name: str, interface: Interface, **hyper: Any) -> Student:
    torch.manual_seed(1)
    return create(name, interface, **hyper).eval()


def unsettled(student: Student) -> Student:
    """The student with batch norm's statistics and shifts moved off their start, as training does."""
    torch.manual_seed(2)
    for module in student.modules():
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.2, 0.2)
            torch.nn.init.uniform_(module.running_mean, -0.2, 0.2)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    return student


@pytest.mark.parametrize(("name", "interface", "hyper"), CASES)
def test_a_batch_of_pressure_gives_a_force_for_each_sample(
    name: str, interface: Interface, hyper: Mapping[str, Any]
) -> None:
    student = seeded(name, interface, **hyper)
    force = student(example_input(interface, batch=3))
    assert force.shape == (3, len(interface.outputs), interface.window)
    assert student.interface == interface
    assert student.architecture == name
    assert set(hyper) <= set(student.hyper)


def test_every_architecture_is_tried_here() -> None:
    assert {name for name, _, _ in CASES} == set(ARCHITECTURES)


@pytest.mark.parametrize(
    ("name", "interface", "hyper"), [case for case in CASES if case[0] not in ("gru", "lstm", "wrn")]
)
def test_the_stated_receptive_field_is_the_felt_one(
    name: str, interface: Interface, hyper: Mapping[str, Any]
) -> None:
    student = unsettled(seeded(name, interface, **hyper))
    assert measured_reach(student) == (student.receptive_field, 0)
    assert student.causal


def test_a_recurrent_student_feels_no_future_and_a_wide_resnet_feels_the_window() -> None:
    gru = seeded("gru", INSOLE4)
    assert gru.recurrent and gru.receptive_field is None
    assert measured_reach(gru)[1] == 0
    wide = unsettled(seeded("wrn", WHOLE))
    assert not wide.causal and wide.receptive_field == 200
    assert measured_reach(wide)[1] > 0


@pytest.mark.parametrize(("depth", "parameters", "million_macs"), [(16, 60_769, 2.04), (28, 126_177, 4.19)])
def test_wide_resnets_have_the_size_of_the_papers(depth: int, parameters: int, million_macs: float) -> None:
    eight = dataclasses.replace(WHOLE, sensors=tuple(f"s{n}" for n in range(1, 9)), window=100)
    student = seeded("wrn", eight, depth=depth, head="value")
    assert student.parameters_count == parameters
    assert macs_per_sample(student) * 100 / 1e6 == pytest.approx(million_macs, abs=0.005)
    assert student(example_input(eight)).shape == (1, 1, 1)


def test_sizes_of_the_students() -> None:
    assert seeded("dstcn", INSOLE4).parameters_count == 1569
    assert seeded("tcn", INSOLE4).parameters_count == 16289
    assert seeded("gru", INSOLE4).parameters_count == 3681
    # stem 4*5*16, three blocks of 5*16 + 16*16, head 16
    assert macs_per_sample(seeded("dstcn", INSOLE4)) == 320 + 3 * 336 + 16
    assert macs_per_sample(seeded("gru", INSOLE4)) == 3 * 32 * (4 + 32) + 32
    assert macs_per_sample(seeded("lstm", INSOLE4)) == 4 * 24 * (4 + 24) + 24


@pytest.mark.parametrize(
    ("name", "layers", "states"),
    [("gru", 1, "h"), ("gru", 2, "h1 h2"), ("lstm", 1, "h c"), ("lstm", 2, "h1 c1 h2 c2")],
)
def test_the_step_is_the_network(name: str, layers: int, states: str) -> None:
    student = seeded(name, INSOLE4, hidden=12, layers=layers)
    assert isinstance(student, Gru | Lstm)
    step = student.step()
    assert step.states == tuple((state, 12) for state in states.split())
    pressure = example_input(INSOLE4, samples=300)
    kept, estimates = [torch.zeros(1, 12) for _ in step.states], []
    with torch.no_grad():
        for sample in pressure.unbind(dim=2):
            force, *kept = step(sample, *kept)
            estimates.append(force)
        window = student(pressure)
    assert (torch.stack(estimates, dim=2) - window).abs().max() <= 1e-6
    assert float(window.std()) > 1e-3


def test_the_sequence_head_orders_samples_before_outputs() -> None:
    two = dataclasses.replace(WHOLE, outputs=("vertical_force", "anterior_posterior_force"), window=8)
    student = seeded("wrn", two)
    with torch.no_grad():
        student.head.weight.zero_()
        student.head.bias.copy_(torch.arange(8.0))
    force = student(example_input(two))
    assert force[0].tolist() == [[0, 2, 4, 6, 0, 2, 4, 6], [1, 3, 5, 7, 1, 3, 5, 7]]


def test_a_seed_gives_the_same_weights() -> None:
    first, second = seeded("dstcn", INSOLE4).state_dict(), seeded("dstcn", INSOLE4).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize(
    ("name", "interface", "hyper", "wrong"),
    [
        ("dstcn", INSOLE4, {"chanels": 8}, "chanels"),
        ("dstcn", INSOLE4, {"channels": -1}, "refuses"),
        ("wrn", WHOLE, {"depth": 17}, "depth 17"),
        ("wrn", WHOLE, {"head": "tail"}, "tail"),
        ("wrn", dataclasses.replace(WHOLE, window=202), {}, "202"),
        ("matrix", INSOLE4, {}, "matrix insole"),
        ("matrix", dataclasses.replace(MATRIX, frame=(15, 8)), {}, "15 x 8"),
    ],
)
def test_hyper_parameters_that_cannot_be_are_refused(
    name: str, interface: Interface, hyper: Mapping[str, Any], wrong: str
) -> None:
    with pytest.raises(UsageError) as caught:
        create(name, interface, **hyper)
    assert wrong in " ".join(caught.value.lines())


def test_an_unknown_architecture_is_told_its_near_miss() -> None:
    with pytest.raises(UnknownNameError, match="dctcn") as caught:
        create("dctcn", INSOLE4)
    assert "did you mean 'dstcn'" in caught.value.fix


class Mine(torch.nn.Module):
    """A user's causal network that knows nothing of edgegrf."""

    def __init__(self, interface: Interface, taps: int = 7, ahead: int = 0, outputs: int = 1) -> None:
        super().__init__()
        self.pad = torch.nn.ConstantPad1d((taps - 1 - ahead, ahead), 0.0)
        self.conv = torch.nn.Conv1d(len(interface.sensors), outputs, taps)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(self.pad(x))


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch) -> str:

    module = types.ModuleType("their_nets")
    module.Mine = Mine  # type: ignore[attr-defined]
    module.number = 3  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "their_nets", module)
    return "their_nets:Mine"


def test_a_users_own_class_becomes_a_student(mine: str) -> None:
    student = create(mine, INSOLE4, taps=9)
    assert student.receptive_field == 9
    assert dict(student.hyper) == {"taps": 9, "ahead": 0, "outputs": 1}
    assert student(example_input(INSOLE4)).shape == (1, 1, 200)
    ahead = create(mine, dataclasses.replace(INSOLE4, lookahead=3), ahead=3)
    assert ahead.receptive_field == 7


def test_a_users_class_that_breaks_the_contract_is_refused(mine: str) -> None:
    with pytest.raises(ModelError, match=r"returns \[1, 2, 200\], expected force \[1, 1, 200\]"):
        create(mine, INSOLE4, outputs=2)
    with pytest.raises(ModelError, match="looks 2 samples ahead, its interface says 0"):
        create(mine, INSOLE4, ahead=2)
    with pytest.raises(ModelError, match="fails on pressure"):
        create(mine, dataclasses.replace(MATRIX, window=20))
    with pytest.raises(ModelError, match="not a class derived from"):
        create("their_nets:number", INSOLE4)
    with pytest.raises(ModelError, match="cannot be imported"):
        create("no_such_package:Net", INSOLE4)


def test_the_table_is_light_and_without_torch_the_way_to_get_it_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = "import sys, edgegrf.students; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingToolError, match="PyTorch is not installed") as caught:
        require_torch()
    assert "edgegrf[train]" in caught.value.fix and caught.value.exit_code == 4


@pytest.mark.parametrize(
    ("name", "hyper", "lookahead"),
    [
        ("dstcn", {"dilations": [3, 9, 27]}, 8),
        ("tcn", {"dilations": [1, 2]}, 6),
        ("tcn", {}, 60),
        ("attention", {"span": 12}, 5),
    ],
)
def test_a_look_ahead_is_felt_to_the_sample(name: str, hyper: Mapping[str, Any], lookahead: int) -> None:
    interface = dataclasses.replace(INSOLE4, lookahead=lookahead)
    student = unsettled(seeded(name, interface, **hyper))
    back, ahead = measured_reach(student)
    assert ahead == lookahead and student.receptive_field == back + ahead


def test_half_of_what_it_spans_makes_every_layer_centred() -> None:
    assert shared_ahead([4, 8, 16, 32], 30) == [2, 4, 8, 16]
    assert shared_ahead([4, 12, 36, 108], 8) == [0, 0, 1, 7]
    assert shared_ahead([4, 12], 16) == [4, 12]
    with pytest.raises(UsageError, match="look-ahead of 17 samples"):
        shared_ahead([4, 12], 17)
    with pytest.raises(UsageError, match="GRU student with a look-ahead"):
        create("gru", dataclasses.replace(INSOLE4, lookahead=1))
