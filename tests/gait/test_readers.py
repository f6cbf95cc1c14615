# SPDX-License-Identifier: Apache-2.0
"""Readers of gaitpdb: text and packed, whole and broken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgegrf.errors import DataError
from edgegrf.gait.readers import default_data, read_walks, walk_files

Maker = Callable[..., Path]


def test_text_gives_two_feet_calibrated_by_their_own_walk(gaitpdb_text: Maker) -> None:
    left, right = read_walks(gaitpdb_text())
    assert (left.name, right.name) == ("GaCo01_01/left", "GaCo01_01/right")
    assert (left.subject, left.unit, left.sample_rate_hz) == ("GaCo01", "N", 100.0)
    assert left.force is not None and right.force is not None
    assert left.body_weight_n == pytest.approx(float(left.force.mean() + right.force.mean()), rel=1e-5)
    np.testing.assert_allclose(left.pressure.sum(axis=1), left.force[:, 0], atol=0.02)
    assert "not a force plate" in left.force_source
    assert not left.synthetic


def test_physionets_own_text_equals_the_packed_walks(gaitpdb_folder: Path) -> None:
    packed = read_walks(gaitpdb_folder / "walks.npz", limit=2)
    text = read_walks(gaitpdb_folder / "originals")
    assert [recording.name for recording in text] == [recording.name for recording in packed]
    for ours, theirs in zip(text, packed, strict=True):
        # the packed walks lack the sample at t = 0, and their counts are steps of 0.02 N
        assert len(ours.pressure) == 3000
        np.testing.assert_allclose(ours.pressure[1:], theirs.pressure[:2999], atol=0.0101)
        assert ours.force is not None and theirs.force is not None
        np.testing.assert_allclose(ours.force[1:], theirs.force[:2999], atol=0.0808)


def test_the_whole_set_is_what_its_readme_says(gaitpdb_folder: Path) -> None:
    recordings = read_walks(gaitpdb_folder)
    assert len(recordings) == 484
    assert len({recording.subject for recording in recordings}) == 101
    assert sum(len(recording.pressure) for recording in recordings) == 2 * 2_541_692


def test_limit_counts_walks_among_the_chosen_subjects(packed: Maker) -> None:
    path = packed("GaCo01_01", "GaCo01_02", "GaCo07_01", "GaPt07_01")
    assert len(read_walks(path)) == 8
    assert len(read_walks(path, limit=3)) == 6
    chosen = read_walks(path, limit=1, subjects=lambda subject: subject.endswith("07"))
    assert [recording.name for recording in chosen] == ["GaCo07_01/left", "GaCo07_01/right"]
    with pytest.raises(DataError, match="no walk"):
        read_walks(path, subjects=lambda subject: False)


def test_nothing_behind_the_limit_is_decoded(packed: Maker) -> None:
    path = packed("GaCo01_01", "GaCo02_01", seconds=30.0)
    whole = read_walks(path, limit=1)
    data = bytearray(path.read_bytes())
    place = data.find(b"record.npy") - 2000  # inside the second walk of force.npy, the first array
    data[place : place + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    np.testing.assert_array_equal(read_walks(path, limit=1)[0].pressure, whole[0].pressure)
    with pytest.raises(DataError, match="cannot be read"):
        read_walks(path)


@pytest.mark.parametrize("size", [0, 1, 100, 8_000])
def test_a_cut_npz_is_refused(packed: Maker, size: int) -> None:
    path = packed("GaCo01_01")
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(DataError, match=r"walks\.npz"):
        read_walks(path)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ({"samples": None}, "no array 'samples'"),
        ({"samples": np.array([7])}, "expected uint16"),
        ({"force": np.zeros((400, 16), np.float32)}, "force is float32"),
        ({"record": np.array([{"a": 1}], object)}, "cannot be read"),
    ],
)
def test_an_npz_of_another_make_is_refused(packed: Maker, override: dict[str, object], said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_walks(packed("GaCo01_01", **override).parent / "walks.npz")


@pytest.mark.parametrize("content", ["", "\r\n\r\n"])
def test_an_empty_text_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "GaCo01_01.txt"
    path.write_text(content)
    with pytest.raises(DataError, match="is empty"):
        read_walks(path)


def test_a_text_cut_in_a_line_is_refused_with_its_number(gaitpdb_text: Maker) -> None:
    path = gaitpdb_text()
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"line 400: \d+ columns where 19 belong") as caught:
        read_walks(path)
    assert "cut off" in caught.value.why


def test_a_text_cut_in_its_last_number_is_refused(gaitpdb_text: Maker) -> None:
    path = gaitpdb_text(seconds=4.2)  # ends in a right stance
    sound = path.read_bytes()
    path.write_bytes(sound.removesuffix(b"\r\n"))
    assert len(read_walks(path)[0].pressure) == 420  # nothing is lost but the line's end
    path.write_bytes(sound[:-6])
    with pytest.raises(DataError, match="line 420: the right foot's total"):
        read_walks(path)


def test_a_word_in_a_text_is_refused_with_line_and_column(gaitpdb_text: Maker) -> None:
    path = gaitpdb_text()
    lines = path.read_text().splitlines()
    fields = lines[6].split("\t")
    fields[3] = "heel"
    lines[6] = "\t".join(fields)
    path.write_text("\n".join(lines))
    with pytest.raises(DataError, match=r"line 7, column 4: 'heel' is not a number"):
        read_walks(path)


def test_a_missing_line_is_refused(gaitpdb_text: Maker) -> None:
    path = gaitpdb_text()
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:50] + lines[53:]))
    with pytest.raises(DataError, match=r"line 51: time steps by 0\.04 s"):
        read_walks(path)


def test_nan_is_refused_with_sensor_and_sample(gaitpdb_text: Maker) -> None:
    path = gaitpdb_text()
    lines = path.read_text().splitlines()
    for index in (20, 21):
        fields = lines[index].split("\t")
        fields[5] = "NaN"
        lines[index] = "\t".join(fields)
    path.write_text("\n".join(lines))
    with pytest.raises(
        DataError, match=r"GaCo01_01/left: s5 holds NaN or infinity from sample 20 \(2 samples\)"
    ):
        read_walks(path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "GaCo01_01.txt"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(DataError, match="is not text") as caught:
        read_walks(path)
    assert caught.value.fix


def test_a_folder_is_read_in_one_format(packed: Maker, gaitpdb_text: Maker, tmp_path: Path) -> None:
    text = gaitpdb_text("GaCo03_01")
    (tmp_path / "format.txt").write_text("Each line contains 19 columns")
    (tmp_path / "SHA256SUMS.txt").write_text("0  x")
    assert walk_files(tmp_path) == [text]
    archive = packed("GaCo01_01")
    assert walk_files(tmp_path) == [archive]


@pytest.mark.parametrize("name", ["nothing", "walk.mat"])
def test_what_is_not_there_or_not_known_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "walk.mat").write_bytes(b"x")
    with pytest.raises(DataError, match=r"does not exist|no reader"):
        read_walks(tmp_path / name)
    with pytest.raises(DataError, match="holds no walks"):
        read_walks(tmp_path)


def test_default_data_is_the_environments_else_the_cache(
    gaitpdb_text: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEGRF_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("EDGEGRF_DATA", raising=False)
    assert default_data() is None
    fetched = tmp_path / "cache" / "gaitpdb"
    fetched.mkdir(parents=True)
    assert default_data() is None  # a folder without walks is no data
    gaitpdb_text().rename(fetched / "GaCo01_01.txt")
    assert default_data() == fetched
    monkeypatch.setenv("EDGEGRF_DATA", "elsewhere")
    assert default_data() == Path("elsewhere")


def test_progress_counts_walks(packed: Maker) -> None:
    seen: list[tuple[str, int, int]] = []
    read_walks(packed("GaCo01_01", "GaCo02_01"), limit=2, progress=lambda *told: seen.append(told))
    assert seen == [("read walks", 1, 2), ("read walks", 2, 2)]
