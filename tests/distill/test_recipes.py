# SPDX-License-Identifier: Apache-2.0
"""Every recipe: it learns from a teacher, its terms vanish for a perfect student, and its formula holds."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from edgegrf.distill.batch import Batch
from edgegrf.distill.configuration import changed, recipe_of
from edgegrf.distill.examples import prepare
from edgegrf.distill.features import Stages, paired
from edgegrf.distill.objective import Objective
from edgegrf.distill.plans import INSOLE4
from edgegrf.distill.recipes import RECIPES
from edgegrf.distill.recipes.recipe import Told
from edgegrf.distill.recipes.relations import batch_gram, pearson, temporal_cosine
from edgegrf.distill.recipes.sckd import Sckd
from edgegrf.distill.settings import Settings
from edgegrf.distill.trainer import train
from edgegrf.errors import ModelError, UnknownNameError, UsageError
from edgegrf.gait.choice import synthetic_walks
from edgegrf.students import Student, create

TAUGHT = [name for name, kind in RECIPES.items() if kind.taught]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def new_student(seed: int = 1, name: str = "dstcn", **hyper: object) -> Student:
    torch.manual_seed(seed)
    return create(name, INSOLE4, **hyper)


def random_batch(count: int = 6, time: int = 400) -> Batch:
    draw = torch.Generator().manual_seed(3)
    pressure = torch.rand((count, 4, time), generator=draw)
    force = pressure.sum(dim=1, keepdim=True).cumsum(2).sin().abs()
    images = tuple(torch.rand((count, (time - 100) // 200, width), generator=draw) for width in (3, 4, 5))
    return Batch(pressure, force, force + 0.1 * torch.rand(force.shape, generator=draw), None, 100, images)


def told(count: int = 5, time: int = 60, channels: tuple[int, ...] = (6, 8)) -> Told:
    """What a perfect student tells: its estimates and features are the teacher's, and those the truth."""
    draw = torch.Generator().manual_seed(4)
    force = torch.rand((count, 1, time), generator=draw)
    features = [torch.randn((count, width, time), generator=draw) for width in channels]
    same = [torch.nn.Identity() for _ in features]
    return Told(force, force, force, features, features, same, images=features)


@pytest.mark.parametrize("name", RECIPES)
def test_a_perfect_student_has_nothing_to_learn(name: str) -> None:
    assert float(recipe_of(name, {}).loss(told())) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("name", TAUGHT)
def test_the_teachers_part_pulls_the_student_to_the_teacher(name: str) -> None:
    recipe, perfect = RECIPES[name](), told()
    worse = dataclasses.replace(perfect, taught=perfect.taught + 0.03)
    assert float(recipe.loss(worse)) > 1e-5
    if recipe.features:
        others = [one.roll(7, dims=2) + 0.5 * one.roll(1, dims=0) for one in perfect.student]
        apart = recipe.loss(dataclasses.replace(perfect, student=others))
        assert float(apart) > float(recipe.loss(perfect)) + 1e-6


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_lowers_its_loss(name: str) -> None:
    recipe = RECIPES[name]()
    student, teacher = new_student(), new_student(2, channels=12)
    objective = Objective(student, recipe, teacher if recipe.features else None)
    optimizer = torch.optim.Adam([*student.parameters(), *objective.adapters.parameters()], 1e-2)
    random = torch.Generator().manual_seed(0)
    losses = []
    for _ in range(25):
        loss, _square = objective(random_batch(), random)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert sum(losses[-3:]) < 0.5 * sum(losses[:3])
    assert len(objective.adapters) == (3 if recipe.adapted else 0)


@pytest.mark.parametrize(
    ("student", "teacher"), [("dstcn", "tcn"), ("gru", "tcn"), ("dstcn", "gru"), ("tcn", "wrn")]
)
def test_networks_of_other_kinds_teach(student: str, teacher: str) -> None:
    batch = dataclasses.replace(random_batch(3, 200), warmup=0, images=())
    objective = Objective(new_student(1, student), Sckd(), new_student(2, teacher))
    loss, square = objective(batch, torch.Generator().manual_seed(0))
    assert torch.isfinite(loss) and float(loss.detach()) > float(square)


def test_stages_go_with_the_teachers_evenly() -> None:
    parts = [torch.full((1, index, 1), 0.0) for index in range(1, 5)]
    assert [one.shape[1] for one in paired(parts, 3)] == [1, 3, 4]
    assert [one.shape[1] for one in paired(parts[:1], 3)] == [1, 1, 1]
    assert Stages(new_student(1, "wrn")).channels == [16, 32, 64]
    assert Stages(new_student(1, "gru")).channels == [32]


def test_a_network_without_stages_is_named() -> None:
    student = new_student()
    student.stages = ()
    with pytest.raises(ModelError, match="dstcn names no stages"):
        Objective(student, Sckd(), new_student(2))
    student.stages = ("blocks",)
    assert Stages(student).channels == [16]
    with pytest.raises(UsageError, match="sckd compares features"):
        Objective(new_student(), Sckd())


def test_relations_are_those_of_the_formulas() -> None:
    draw = torch.Generator().manual_seed(5)
    a, b = torch.randn((4, 3, 50), generator=draw), torch.randn((4, 3, 50), generator=draw)
    by_hand = torch.stack(
        [torch.corrcoef(torch.stack([a[i, k], b[i, k]]))[0, 1] for i in range(4) for k in range(3)]
    )
    assert float(pearson(a, b, axis=2)) == pytest.approx(float(by_hand.mean()), abs=1e-5)
    gram = batch_gram(a)
    assert gram.shape == (4, 4) and torch.allclose(gram.norm(dim=1), torch.ones(4))
    i, j = 7, 31
    cosine = functional.cosine_similarity(a[2, :, i], a[2, :, j], dim=0)
    assert float(temporal_cosine(a)[2, i, j]) == pytest.approx(float(cosine), abs=1e-5)


def test_hyper_parameters_are_checked() -> None:
    assert recipe_of("sckd", {"similarity": 1}) == Sckd(similarity=1)
    with pytest.raises(UnknownNameError, match="similarty"):
        recipe_of("sckd", {"similarty": 0.1})
    with pytest.raises(UsageError, match="segments = 'four'"):
        recipe_of("amd", {"segments": "four"})
    with pytest.raises(UnknownNameError, match="unknown recipe 'skcd'"):
        recipe_of("skcd", {})


@pytest.mark.parametrize(
    ("recipe", "told", "why"),
    [
        ("kd", {"share": 1.1}, "from 0 to 1"),
        ("mixkd", {"sharp": 0.0}, "more than 0"),
        ("patchswap", {"bins": 0}, "more than 0"),
        ("takd", {"similar": -0.1}, "0 or more"),
        ("takd", {"similar": float("inf")}, "0 or more"),
    ],
)
def test_a_number_out_of_its_bounds_is_told_them(recipe: str, told: dict[str, float], why: str) -> None:
    with pytest.raises(UsageError) as caught:
        recipe_of(recipe, told)
    assert caught.value.why == f"it is {why}"


def _flat(student: Student) -> Tensor:
    return torch.cat([value.flatten().double() for value in student.state_dict().values()])


def test_a_killed_training_ends_with_the_same_weights(tmp_path) -> None:  # type: ignore[no-untyped-def]
    from edgegrf.distill.recipes.tsak import Tsak
    from edgegrf.distill.state import TrainingState

    walks = prepare(synthetic_walks(INSOLE4, range(1, 8), seconds=10), INSOLE4)
    training = dataclasses.replace(walks.training, taught=walks.training.force * 0.9)
    settings = Settings(epochs=3, batch=2, rate=5e-3, gain_spread=0.2, step_noise=0.5)

    def run(state: TrainingState | None, stop: int) -> Student:
        student = new_student()
        objective = Objective(student, Tsak(), new_student(2))

        def killed(outcome: object) -> None:
            if len(outcome.log) == stop:  # type: ignore[attr-defined]
                raise MemoryError("killed")

        train(
            student, training, walks.validation, settings, objective=objective, state=state, on_epoch=killed
        )
        return student

    whole = run(None, 0)
    state = TrainingState(tmp_path / "training.state", "mine")
    with pytest.raises(MemoryError):
        run(state, 2)
    assert torch.equal(_flat(run(state, 0)), _flat(whole))
    assert TrainingState(tmp_path / "training.state", "another").read() is None
    (tmp_path / "training.state").write_bytes(b"half")
    assert state.read() is None


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("kd", {"share": 1.5}, "from 0 to 1"),
        ("kd", {"noise_bw": -0.1}, "0 or more"),
        ("kd", {"longest_shift": 0}, "more than 0"),
        ("amd", {"segments": 0}, "more than 0"),
        ("amd", {"scale": float("nan")}, "0 or more"),
        ("patchswap", {"bins": 2.5}, "it is a int"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(name: str, values: dict[str, float], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        recipe_of(name, values)
    assert next(iter(values)) in caught.value.what and said in caught.value.why


def test_settings_and_patches_are_checked_too() -> None:
    for values in (
        {"epochs": 0},
        {"rate": 0.0},
        {"disturbed": 2},
        {"qat": -1},
        {"beta2": 1.0},
        {"clip": math.inf},
    ):
        with pytest.raises(UsageError, match=next(iter(values))):
            changed(Settings(), values)
    with pytest.raises(UsageError, match="patches of 90 samples at least and 80 at most"):
        recipe_of("patchswap", {"shortest": 90, "longest": 80})
    assert changed(Settings(), {"seed": 0, "qat": 0, "patience": 0}).seed == 0


class Flat(Student):
    """A network whose one stage gives vectors."""

    receptive_field = 1

    def __init__(self) -> None:
        super().__init__(INSOLE4)
        self.architecture, self.stages = "flat", ("flat",)
        self.flat = torch.nn.Flatten()
        self.weight = torch.nn.Parameter(torch.ones(()))

    def forward(self, pressure: Tensor) -> Tensor:
        self.flat(pressure)
        return self.weight * pressure.sum(dim=1, keepdim=True)


def test_a_stage_that_gives_no_features_is_named_with_its_shape() -> None:
    with pytest.raises(ModelError, match=r"stage flat of flat gives \[2, 800\], not features"):
        Objective(new_student(), RECIPES["takd"](), Flat())
    teacher = new_student(2)
    teacher.stages = ("blocks", "tail")
    with pytest.raises(ModelError, match="dstcn names a stage tail and has no such module") as caught:
        Objective(new_student(), RECIPES["takd"](), teacher)
    assert "blocks" in caught.value.why and "head" in caught.value.why
