# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: the same student comes back, and nothing unsafe, damaged or foreign is loaded."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from edgegrf.distill.plans import INSOLE4
from edgegrf.errors import ModelError, OutputError
from edgegrf.files import sha256_file
from edgegrf.manifest import Manifest, manifest_path
from edgegrf.students import create, example_input, load, save


def saved(folder: Path, architecture: str = "dstcn", name: str = "student.pt") -> Path:
    torch.manual_seed(1)
    path = folder / name
    save(create(architecture, INSOLE4), path, metrics={"rmse_bw": 0.05}, sources={"walks": "ab"})
    return path


def with_weights(path: Path, weights: object) -> Path:
    """The checkpoint with other contents that its manifest vouches for."""
    torch.save(weights, path)
    manifest = Manifest.read(path, check=False)
    dataclasses.replace(manifest, sha256=sha256_file(path)).write(path)
    return path


@pytest.mark.parametrize("architecture", ["dstcn", "gru"])
@pytest.mark.parametrize("name", ["student.pt", "student.safetensors"])
def test_a_student_comes_back_as_it_went(tmp_path: Path, architecture: str, name: str) -> None:
    torch.manual_seed(3)
    student = create(architecture, INSOLE4).eval()
    save(student, tmp_path / "small" / name, metrics={"rmse_bw": 0.05})
    again = load(tmp_path / "small" / name)
    pressure = example_input(INSOLE4)
    assert torch.equal(again(pressure), student(pressure))
    assert not again.training
    assert (again.interface, again.architecture) == (INSOLE4, architecture)
    assert dict(again.hyper) == dict(student.hyper)
    manifest = Manifest.read(tmp_path / "small" / name)
    assert (manifest.kind, manifest.name, manifest.metrics["rmse_bw"]) == ("checkpoint", "small", 0.05)
    assert manifest.model["parameters"] == student.parameters_count
    assert manifest.model["recurrent"] == (architecture == "gru")


def test_saving_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = saved(tmp_path / "a"), saved(tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()


def test_a_pickled_module_is_refused_and_never_run(tmp_path: Path) -> None:
    path = with_weights(saved(tmp_path), create("dstcn", INSOLE4))
    with pytest.raises(ModelError, match="it holds more than tensors") as caught:
        load(path)
    assert "run code" in caught.value.why and "save" in caught.value.fix


def test_a_pickle_that_would_run_code_does_not(tmp_path: Path) -> None:
    marker = tmp_path / "ran"

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (marker,)  # type: ignore[return-value]

    path = with_weights(saved(tmp_path), {"stem": Evil()})
    with pytest.raises(ModelError, match="refused"):
        load(path)
    assert not marker.exists()


@pytest.mark.parametrize("name", ["student.pt", "student.safetensors"])
@pytest.mark.parametrize("keep", [0, 1, 100, -1])
def test_a_file_cut_short_is_refused(tmp_path: Path, keep: int, name: str) -> None:
    path = saved(tmp_path, name=name)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ModelError) as caught:
        load(path)
    assert str(path) in caught.value.what


def test_a_file_of_other_bytes_than_its_manifest_says_is_refused(tmp_path: Path) -> None:
    path, other = saved(tmp_path), tmp_path / "other.pt"
    save(create("dstcn", INSOLE4), other)
    path.write_bytes(other.read_bytes())
    with pytest.raises(ModelError, match="not the file that its manifest describes"):
        load(path)


def test_absent_files_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot read"):
        load(tmp_path / "none.pt")
    path = saved(tmp_path)
    manifest_path(path).unlink()
    with pytest.raises(ModelError, match="has no manifest") as caught:
        load(path)
    assert caught.value.fix == "save it with edgegrf.students.save(student, path)"


def test_weights_of_another_architecture_name_the_first_difference(tmp_path: Path) -> None:
    path = with_weights(saved(tmp_path), create("gru", INSOLE4).state_dict())
    with pytest.raises(ModelError, match="does not fit dstcn") as caught:
        load(path)
    assert caught.value.why == "stem.conv.weight: the network has [16, 4, 5], the file nothing"
    path = with_weights(path, create("dstcn", INSOLE4, channels=8).state_dict())
    with pytest.raises(ModelError) as caught:
        load(path)
    assert caught.value.why == "stem.conv.weight: the network has [16, 4, 5], the file [8, 4, 5]"


def test_a_weight_too_many_is_named(tmp_path: Path) -> None:
    weights = dict(create("dstcn", INSOLE4).state_dict()) | {"extra": torch.zeros(2)}
    with pytest.raises(ModelError) as caught:
        load(with_weights(saved(tmp_path), weights))
    assert caught.value.why == "extra: the network has nothing, the file [2]"


@pytest.mark.parametrize("contents", [[torch.zeros(2)], {"a": 1.0}, torch.zeros(2)])
def test_what_is_not_a_state_dict_is_refused(tmp_path: Path, contents: object) -> None:
    with pytest.raises(ModelError, match="not a plain state dict"):
        load(with_weights(saved(tmp_path), contents))


def test_weights_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    weights = dict(create("dstcn", INSOLE4).state_dict())
    weights["head.bias"] = torch.tensor([float("nan")])
    with pytest.raises(ModelError, match=r"head\.bias holds NaN"):
        load(with_weights(saved(tmp_path), weights))


def test_the_manifest_of_another_artefact_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path)
    dataclasses.replace(Manifest.read(path), kind="onnx").write(path)
    with pytest.raises(ModelError, match="not a student's checkpoint"):
        load(path)


def test_a_place_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        saved(tmp_path / "file")
