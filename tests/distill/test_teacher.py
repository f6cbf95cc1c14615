# SPDX-License-Identifier: Apache-2.0
"""Teachers: their estimates fit the student's examples, whatever they see and however they are cut."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from edgegrf.distill.evaluate import estimates
from edgegrf.distill.examples import CHUNK, WARMUP, prepare
from edgegrf.distill.plans import INSOLE4
from edgegrf.distill.teacher import Teacher, load_teacher
from edgegrf.errors import ModelError
from edgegrf.gait.choice import synthetic_walks
from edgegrf.gait.recording import Recording
from edgegrf.manifest import Interface
from edgegrf.students import create, save

WHOLE = dataclasses.replace(INSOLE4, lookahead=-1)
MORE = dataclasses.replace(INSOLE4, sensors=("s1", "s2", "s3", "s4", "s7", "s8"))


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EDGEGRF_CACHE", str(tmp_path / "cache"))
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def recordings() -> list[Recording]:
    return synthetic_walks(INSOLE4, range(1, 8), seconds=20)


def teacher(folder: Path, *networks: tuple[str, Interface]) -> Teacher:
    paths = []
    for index, (name, interface) in enumerate(networks):
        torch.manual_seed(index)
        path = folder / f"{index}" / "student.pt"
        save(create(name, interface), path)
        paths.append(path)
    return load_teacher(paths)


def test_the_mean_of_the_networks_is_taught_and_cached(recordings: list[Recording], tmp_path: Path) -> None:
    both = teacher(tmp_path, ("dstcn", INSOLE4), ("tcn", INSOLE4))
    examples = prepare(recordings, INSOLE4).training
    taught, seen = both.taught(recordings, INSOLE4)
    by_hand = sum(estimates(network, examples) for network in both.networks) / 2
    assert torch.allclose(taught, by_hand) and seen is None
    files = list((tmp_path / "cache" / "teachers").iterdir())
    stamps = [file.stat().st_mtime_ns for file in files]
    assert len(files) == 2 and torch.equal(both.taught(recordings, INSOLE4)[0], taught)
    assert [file.stat().st_mtime_ns for file in files] == stamps
    held_out = prepare(recordings, INSOLE4).validation
    mean = sum(estimates(network, held_out) for network in both.networks) / 2
    missed = (mean - held_out.force)[..., WARMUP:]
    assert both.rmse(recordings, INSOLE4) == pytest.approx(float(missed.square().mean().sqrt()))


def test_a_teacher_may_see_more_sensors(recordings: list[Recording], tmp_path: Path) -> None:
    wide = teacher(tmp_path, ("tcn", MORE))
    taught, seen = wide.taught(recordings, INSOLE4)
    assert seen is not None and seen.shape == (len(taught), 6, CHUNK)
    assert torch.equal(seen[:, 0], prepare(recordings, INSOLE4).training.pressure[:, 0])


def test_a_streaming_teacher_teaches_whole_windows(recordings: list[Recording], tmp_path: Path) -> None:
    streaming = teacher(tmp_path, ("tcn", INSOLE4))
    taught, _ = streaming.taught(recordings, WHOLE)
    chunks, windows = prepare(recordings, INSOLE4).training, prepare(recordings, WHOLE).training
    assert taught.shape == windows.force.shape
    inside = estimates(streaming.networks[0], chunks)[0, :, WARMUP + 200 : WARMUP + 400]
    assert torch.equal(taught[1], inside)


def test_a_whole_window_teacher_teaches_a_stream(recordings: list[Recording], tmp_path: Path) -> None:
    whole = teacher(tmp_path, ("wrn", WHOLE))
    taught, _ = whole.taught(recordings, INSOLE4)
    windows = estimates(whole.networks[0], prepare(recordings, WHOLE).training)
    assert taught.shape == prepare(recordings, INSOLE4).training.force.shape
    assert torch.equal(taught[1, :, WARMUP + 200 : WARMUP + 400], windows[5])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"outputs": ("anterior_posterior_force",)}, "estimates anterior_posterior_force, the"),
        ({"sample_rate_hz": 200.0}, "200.0, the student 100.0"),
    ],
)  # fmt: skip
def test_another_task_is_refused(
    recordings: list[Recording], tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    other = teacher(tmp_path, ("tcn", dataclasses.replace(INSOLE4, **changes)))  # type: ignore[arg-type]
    with pytest.raises(ModelError) as caught:
        other.taught(recordings, INSOLE4)
    assert said in caught.value.why


def test_windows_that_do_not_fit_are_refused(recordings: list[Recording], tmp_path: Path) -> None:
    odd = teacher(tmp_path, ("wrn", dataclasses.replace(WHOLE, window=300)))
    with pytest.raises(ModelError, match="do not fill the 800"):
        odd.taught(recordings, INSOLE4)
    with pytest.raises(ModelError) as caught:
        odd.taught(recordings, WHOLE)
    assert caught.value.why == "the student learns from windows of 200"
