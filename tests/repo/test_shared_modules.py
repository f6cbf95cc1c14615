# SPDX-License-Identifier: Apache-2.0
"""Errors, files, manifests and processes: the ground that every stage stands on."""

from __future__ import annotations

import dataclasses
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from edgegrf import errors
from edgegrf.errors import EdgegrfError, MissingToolError, ModelError, OutputError, UnknownNameError
from edgegrf.files import check_writable, filled_folder, new_folder, sha256_file, write_file
from edgegrf.manifest import Interface, Manifest
from edgegrf.process import ToolFailedError, run

INTERFACE = Interface(("s1", "s3"), "BW", ("vertical_force",), "BW", 100.0, 200)


def test_every_error_has_an_exit_code_and_at_most_three_lines() -> None:
    for name in errors.__all__:
        kind = getattr(errors, name)
        error = kind("board", "x", ["y"]) if kind is UnknownNameError else kind("what", why="why", fix="fix")
        assert error.exit_code in (1, 2, 3, 4)
        assert 2 <= len(error.lines()) <= 3


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = {
        line.split()[-1]
        if len(line.split()) == 1
        else next(word for word in line.split() if word.endswith("Error"))
        for line in (errors.__doc__ or "").splitlines()
        if "Error" in line and line.startswith("    ")
    }
    assert drawn == set(errors.__all__)


def test_a_near_miss_is_offered() -> None:
    assert "did you mean 'nrf52840dk'" in UnknownNameError("board", "nrf52840", ["nrf52840dk", "native"]).fix


def test_a_file_is_whole_or_absent(tmp_path: Path) -> None:
    write_file(tmp_path / "a" / "b", "text")
    assert (tmp_path / "a" / "b").read_text() == "text"
    with pytest.raises(OutputError):
        write_file(tmp_path / "a" / "b" / "c", "text")
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["b"]


def test_a_folder_is_whole_or_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with new_folder(target) as folder:
        (folder / "one").write_text("1")
    with pytest.raises(KeyboardInterrupt), new_folder(target) as folder:
        (folder / "two").write_text("2")
        raise KeyboardInterrupt
    assert [path.name for path in target.iterdir()] == ["one"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_left_empty_goes_with_what_was_made_for_it(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="offline"), filled_folder(tmp_path / "a" / "b"):
        raise OSError("offline")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="offline"), filled_folder(tmp_path / "a" / "b"):
        (tmp_path / "a" / "b" / "half").write_text("1")
        raise OSError("offline")
    assert (tmp_path / "a" / "b" / "half").exists()


def test_whether_a_folder_can_be_written_is_asked_without_making_it(tmp_path: Path) -> None:
    check_writable(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match=r"cannot write .*file/out$"):
        check_writable(tmp_path / "file" / "out")


def test_a_manifest_reads_back_as_written(tmp_path: Path) -> None:
    artefact = tmp_path / "student.onnx"
    artefact.write_bytes(b"model")
    manifest = Manifest("onnx", "x", sha256_file(artefact), INTERFACE, model={"architecture": "dstcn"})
    first = manifest.write(artefact).read_bytes()
    assert manifest.write(artefact).read_bytes() == first
    back = Manifest.read(artefact)
    assert back.interface == INTERFACE
    assert dataclasses.replace(back, tools={}) == manifest


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": 99}', '{"schema": 1, "odd": 1}', '{"schema": 1, "interface": 3}']
)
def test_a_broken_manifest_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(ModelError):
        Manifest.read(tmp_path / "m")


def test_a_changed_artefact_is_refused(tmp_path: Path) -> None:
    artefact = tmp_path / "m"
    artefact.write_bytes(b"one")
    Manifest("onnx", "x", sha256_file(artefact)).write(artefact)
    artefact.write_bytes(b"two")
    with pytest.raises(ModelError, match="not the file"):
        Manifest.read(artefact)


def test_programs_that_fail_or_are_missing() -> None:
    with pytest.raises(MissingToolError):
        run(["no-such-program-here"])
    with pytest.raises(ToolFailedError) as caught:
        run([sys.executable, "-c", "import sys; sys.exit('error: no')"])
    assert isinstance(caught.value, EdgegrfError)
    assert "error: no" in caught.value.why


def test_the_manifest_is_the_one_that_spec_describes(tmp_path: Path) -> None:
    spec = (Path(__file__).parents[2] / "SPEC.md").read_text().split("## 5. Manifests")[1]
    of_manifest, of_interface = spec.split("| key of interface |")
    (tmp_path / "m").write_bytes(b"")
    general, personal = (
        json.loads(Manifest("onnx", "x", sha256_file(tmp_path / "m"), one).write(tmp_path / "m").read_text())
        for one in (INTERFACE, replace(INTERFACE, gains=(0.5,) * len(INTERFACE.sensors)))
    )
    assert _keys(of_manifest) == set(general)
    assert _keys(of_interface.split("## 6")[0]) == set(personal["interface"])
    assert set(personal["interface"]) - set(general["interface"]) == {"gains"}
    assert Manifest.read(tmp_path / "m").interface.gains == (0.5,) * len(INTERFACE.sensors)


def _keys(table: str) -> set[str]:
    rows = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")]
    return set(rows) - {"key"}
