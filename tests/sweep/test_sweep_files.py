# SPDX-License-Identifier: Apache-2.0
"""Variants, students of one's own, and teachers of all kinds, in a sweep's file and at work."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from edgegrf.bench.stress import errors_by_subject, stressed_model
from edgegrf.cli.sweep import command
from edgegrf.distill.plans import PLANS, TEACHERS, plan_of
from edgegrf.errors import UnknownNameError, UsageError
from edgegrf.gait.choice import choose_walks, synthetic_walks
from edgegrf.gait.disturbances import DISTURBANCES
from edgegrf.gait.trials import trials
from edgegrf.manifest import Manifest
from edgegrf.sweep.file import read_sweep
from edgegrf.sweep.statistics import half_interval, mean_over_subjects, paired

OWN = """
students = ["mine"]
recipes = ["none"]
seeds = [1]
settings = { epochs = 1, batch = 64, keep_last = 1 }
[student.mine]
architecture = "dstcn"
hyper = { channels = 6, dilations = [1, 3] }
lookahead = 4
"""

TAUGHT = """
[[variants]]
name = "tsak-wide"
recipe = "tsak"
hyper = { output = 0.5 }
settings = { spheres = 0.001 }
[[variants.teacher]]
architecture = "tcn"
hyper = { channels = 4, dilations = [1, 3] }
sensors = ["s1", "s2", "s3", "s4", "s7"]
epochs = 1
[[variants.teacher]]
checkpoint = "out/mine/none/seed1/student.pt"
"""


@pytest.fixture(autouse=True)
def no_walks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGEGRF_DATA", raising=False)


def written(folder: Path, text: str) -> Path:
    path = folder / "sweep.toml"
    path.write_text(text)
    return path


def run(folder: Path, text: str, *more: str) -> dict:
    arguments = [str(written(folder, text)), "-o", str(folder / "out"), "--json", *more]
    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    return json.loads(done.stdout)


def test_an_own_student_learns_from_an_own_ensemble_and_again_when_its_plan_changes(tmp_path: Path) -> None:
    pytest.importorskip("unicorn")
    alone = run(tmp_path, OWN)["cells"][0]
    both = run(tmp_path, OWN + TAUGHT)
    assert both["cells"][0] == alone  # not trained again
    assert [one["lookahead"] for one in both["teachers"]] == [0, 4]
    taught = Manifest.read(tmp_path / "out/mine/tsak-wide/seed1/student.pt").model["training"]
    assert (taught["teachers"], taught["tsak.output"], taught["spheres"]) == (2, 0.5, 0.001)
    assert Manifest.read(tmp_path / "out/teacher/tsak-wide/0/split/student.pt").interface.sensors[1] == "s2"
    changed = run(tmp_path, OWN.replace("batch = 64", "batch = 32"))["cells"][0]
    assert changed["fingerprint"] != alone["fingerprint"]
    assert changed["float_rmse_bw"] != alone["float_rmse_bw"]
    # float and int8 of a student that looks ahead are judged on the same samples
    checkpoint = tmp_path / "out/mine/none/seed1/student.pt"
    models = [
        stressed_model(file, "it") for file in (checkpoint, checkpoint.with_name("student_int8.tflite"))
    ]
    walks = trials(synthetic_walks(models[0].interface, (7,), seconds=6), models[0].interface)
    exact, coded = (errors_by_subject(model, walks) for model in models)
    counted = sum(len(walk.x) - 200 - 4 for walk in walks)
    assert [sum(count for _, count in one.values()) for one in (exact, coded)] == [counted, counted]
    assert np.allclose(*(model.estimate(walks[0].x) for model in models), atol=0.1)


def test_a_file_describes_what_the_cells_are(tmp_path: Path) -> None:
    text = OWN.replace('["mine"]', '["mine", "insole4-gru32"]') + TAUGHT.replace(
        "[[variants]]",
        """
recipe.kd = { share = 0.25 }
[[variants]]
name = "gentle"
recipe = "kd"
students = ["insole4-gru32"]
settings = { rate = 0.001 }
[teacher]
architecture = "tcn"
[[variants]]""",
    ).replace("recipe.kd = { share = 0.25 }\n", "")
    text = text.replace("seeds = [1]", "seeds = [1]\nrecipe.kd = { share = 0.25 }")
    sweep = read_sweep(written(tmp_path, text))
    cells = {(cell.student, cell.variant): cell for cell in sweep.cells(0)}
    assert list(cells) == [
        ("mine", "none"), ("mine", "tsak-wide"),
        ("insole4-gru32", "none"), ("insole4-gru32", "gentle"), ("insole4-gru32", "tsak-wide"),
    ]  # fmt: skip
    gentle = sweep.plan(cells["insole4-gru32", "gentle"])
    assert (gentle.recipe.share, gentle.settings.rate, gentle.settings.batch) == (0.25, 0.001, 64)
    assert sweep.teachers(cells["mine", "none"]) == []
    assert [one.plan for one in sweep.teachers(cells["mine", "tsak-wide"])][1] is None
    given = tmp_path / "given.pt"
    replaced = read_sweep(written(tmp_path, text), [given])
    assert replaced.teachers(cells["insole4-gru32", "gentle"])[0].checkpoint == given


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ('\n[[variants]]\nrecipe = "none"\n', UsageError, "a variant without a name"),
        ('\n[[variants]]\nname = "none"\n', UsageError, "variant none comes twice"),
        ('\n[[variants]]\nname = "../up"\n', UsageError, "makes no folder's name"),
        ('\n[[variants]]\nname = "a"\ncolour = 1\n', UsageError, "unknown key 'colour'"),
        ('\n[[variants]]\nname = "a"\nstudents = ["other"]\n', UsageError, "other is never trained"),
        ("\n[student.other]\nlookahead = 3\n", UsageError, "other is never trained"),
        ('\n[[variants]]\nname = "a"\nrecipe = "kd"\nteacher = 3\n', UsageError, "teacher = 3"),
        ('\n[[variants]]\nname = "a"\nrecipe = "kd"\nteacher = { checkpoint = "t.pt", epochs = 3 }\n',
         UsageError, "checkpoint with 'epochs'"),
        ('\n[[variants]]\nname = "a"\nrecipe = "kd"\nteacher = { name = "tcn", architecture = "gru" }\n',
         UsageError, "'tcn' with an architecture"),
        ('\n[[variants]]\nname = "a"\nrecipe = "kd"\nteacher = { name = "tnc" }\n',
         UnknownNameError, "'tnc'"),
        ('\n[teacher]\nepoch = 3\n[[variants]]\nname = "a"\nrecipe = "kd"\n', UnknownNameError, "'epoch'"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused(tmp_path: Path, change: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        read_sweep(written(tmp_path, OWN + change))


def test_a_teacher_has_its_name_or_an_architecture(tmp_path: Path) -> None:
    for told, architecture, spread in (
        ('name = "wrn28-1"', "wrn", TEACHERS["wrn28-1"].settings.gain_spread),
        ('name = "insole4-gru32"', "gru", PLANS["insole4-gru32"].settings.gain_spread),
        ('architecture = "tcn"', "tcn", PLANS["insole4-tcn32"].settings.gain_spread),
        ("epochs = 2", "dstcn", TEACHERS["dstcn"].settings.gain_spread),
    ):
        text = OWN.replace('"none"', '"kd"') + f"\n[teacher]\n{told}\n"
        sweep = read_sweep(written(tmp_path, text))
        (teacher,) = sweep.teachers(sweep.cells(0)[0])
        assert teacher.plan is not None and teacher.plan.architecture == architecture
        assert teacher.plan.settings.gain_spread == spread


def test_a_given_teacher_cannot_teach_folds_and_lists_are_lists(tmp_path: Path) -> None:
    taught = OWN.replace('"none"', '"kd"').replace("seeds", "folds = 2\nseeds")
    with pytest.raises(UsageError, match="cannot teach folds"):
        read_sweep(written(tmp_path, taught), [tmp_path / "t.pt"])
    with pytest.raises(UsageError, match="seeds = 3"):
        read_sweep(written(tmp_path, OWN.replace("[1]", "3")))


def test_intervals_are_those_of_their_definition() -> None:
    assert half_interval([1.0]) is None
    assert half_interval([1.0, 2.0, 3.0]) == pytest.approx(4.303 / 3**0.5)
    assert paired({(1, 0): 3.0, (2, 0): 5.0}, {(1, 0): 1.0}) == (2.0, None)
    assert paired({(1, 0): 3.0}, {}) is None
    errors = {f"S{number}": value for number, value in enumerate(np.random.default_rng(3).normal(5, 1, 400))}
    over = mean_over_subjects(errors)
    assert over["subjects"] == 400 and over == mean_over_subjects(dict(reversed(errors.items())))
    # of many, the bootstrap's interval is that of the normal approximation
    spread = np.std(list(errors.values())) / 20
    assert over["high_bw"] - over["mean_bw"] == pytest.approx(1.96 * spread, rel=0.05)
    assert over["mean_bw"] - over["low_bw"] == pytest.approx(1.96 * spread, rel=0.05)


def test_walks_that_nobody_changed_have_one_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    from edgegrf.distill.studio import training_fingerprint
    from edgegrf.gait.split import BY_SEVEN, fold

    _, plan = plan_of(None, None, {}, {})
    chosen = choose_walks(plan.interface, walks=3)
    known = training_fingerprint(plan, chosen.recordings, BY_SEVEN, None)
    assert training_fingerprint(plan, list(chosen.recordings), BY_SEVEN, None) == known
    other = fold((one.subject for one in chosen.recordings), 0, 3)
    assert training_fingerprint(plan, chosen.recordings, other, None) != known
    assert training_fingerprint(plan, chosen.recordings[1:], BY_SEVEN, None) != known
    rarely = dataclasses.replace(DISTURBANCES["gain"], often=0.1)
    street = PLANS["insole4-dstcn16-street"]
    before = [training_fingerprint(one, chosen.recordings, BY_SEVEN, None) for one in (plan, street)]
    monkeypatch.setitem(DISTURBANCES, "gain", rarely)
    after = [training_fingerprint(one, chosen.recordings, BY_SEVEN, None) for one in (plan, street)]
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False]
