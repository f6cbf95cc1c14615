# SPDX-License-Identifier: Apache-2.0
"""CSV with a column map: what is written reads back, and what does not fit is refused by name."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgegrf.errors import DataError
from edgegrf.gait.readers import read_walks
from edgegrf.gait.readers.archive import write_archive
from edgegrf.gait.recording import Recording, Sensor
from edgegrf.gait.validation import checked
from edgegrf.gait.walker import walk
from edgegrf.gait.writing import write_csv

_MAP = """\
unit = "N"
sample_rate_hz = 200
subject = "S07"
[left]
sensors = {heel = "h", toe = "t"}
"""


def _csv(folder: Path, text: str, columns: str | None = _MAP, name: str = "w.csv") -> Path:
    path = folder / name
    path.write_text(text)
    if columns is not None:
        (folder / f"{name}.toml").write_text(columns)
    return path


def _same(ours: Recording, theirs: Recording, *, but: tuple[str, ...] = ()) -> None:
    for item in dataclasses.fields(Recording):
        if item.name in but:
            continue
        one, other = getattr(ours, item.name), getattr(theirs, item.name)
        if isinstance(one, np.ndarray):
            np.testing.assert_array_equal(one, other, err_msg=item.name)
        else:
            assert one == other, item.name


_forces = st.floats(0, 3e4, width=32, allow_subnormal=False)
_names = st.text("abc_ é\"'\\", min_size=1, max_size=6).map(str.strip).filter(bool)


@settings(max_examples=40, deadline=None)
@given(
    pressure=arrays(np.float32, st.tuples(st.integers(2, 6), st.integers(1, 3)), elements=_forces),
    weight=st.none() | st.floats(200, 2000),
    rate=st.floats(1, 1000),
    prefix=_names,
    frame=st.booleans(),
)
def test_csv_and_archive_read_back_bit_for_bit(
    pressure: np.ndarray, weight: float | None, rate: float, prefix: str, frame: bool
) -> None:
    sensors = tuple(Sensor(f"{prefix}{index}") for index in range(pressure.shape[1]))
    recording = checked(
        Recording(
            "S1_a/left",
            "S1",
            "left",
            pressure,
            sensors,
            "N",
            rate,
            force=pressure[:, :1].copy(),
            force_names=("vertical_force",),
            force_unit="N",
            force_source='a "plate"',
            body_weight_n=weight,
            frame=(1, len(sensors)) if frame else None,
        )
    )
    with tempfile.TemporaryDirectory() as folder:
        write_archive(Path(folder) / "a.npz", [[recording]])
        _same(read_walks(Path(folder) / "a.npz")[0], recording)
        if any(mark in prefix for mark in "\"',"):
            return  # a CSV heading of its own quoting, tested below
        write_csv(Path(folder) / "S1_a.csv", [recording])
        _same(read_walks(Path(folder) / "S1_a.csv")[0], recording)


@pytest.mark.parametrize("layout", ["gaitpdb8", "matrix16x8"])
def test_a_synthetic_walk_keeps_every_field(tmp_path: Path, layout: str) -> None:
    feet = walk(3, duration_s=4, layout=layout)
    write_archive(tmp_path / "a.npz", [feet])
    write_csv(tmp_path / f"{feet[0].name.split('/')[0]}.csv", feet)
    for ours, theirs in zip(read_walks(tmp_path / "a.npz"), feet, strict=True):
        _same(ours, theirs)
    (tmp_path / "a.npz").unlink()
    for ours, theirs in zip(read_walks(tmp_path), feet, strict=True):
        _same(ours, theirs, but=("sensors",))  # a CSV knows names, not places
        assert [sensor.name for sensor in ours.sensors] == [sensor.name for sensor in theirs.sensors]


def test_the_map_names_sensors_in_its_order(tmp_path: Path) -> None:
    [recording] = read_walks(_csv(tmp_path, 'time,"t",h\n0,1,2\n1,3,4\n'))
    assert [sensor.name for sensor in recording.sensors] == ["heel", "toe"]
    np.testing.assert_array_equal(recording.pressure, [[2, 1], [4, 3]])
    assert (recording.subject, recording.sample_rate_hz, recording.body_weight_n) == ("S07", 200, None)


def test_a_csv_without_the_mapped_column_is_refused_with_what_it_has(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column 't'") as caught:
        read_walks(_csv(tmp_path, "time,h\n0,1\n1,2\n"))
    assert "time, h" in caught.value.why


def test_a_map_may_be_given_lie_beside_or_cover_the_folder(tmp_path: Path) -> None:
    path = _csv(tmp_path, "h;t\n1;2\n3;4\n", None)
    with pytest.raises(DataError, match="no column map"):
        read_walks(path)
    given_map = tmp_path / "columns.toml"
    given_map.write_text('delimiter = ";"\n' + _MAP)
    assert read_walks(path)[0].pressure.shape == (2, 2)
    elsewhere = given_map.rename(tmp_path / "mine.toml")
    assert read_walks(path, columns=elsewhere)[0].pressure.shape == (2, 2)
    with pytest.raises(DataError, match="does not exist"):
        read_walks(path, columns=tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('unit = "N"', ""), "unit is one of"),
        (('unit = "N"', 'unit = "lbs"'), "unit is one of"),
        (("sample_rate_hz = 200", ""), "sample_rate_hz is a number above 0"),
        (("sample_rate_hz = 200", "sample_rate_hz = -1"), "sample_rate_hz is a number above 0"),
        (("sample_rate_hz = 200", "sample_rate_hz = true"), "sample_rate_hz is a number above 0"),
        (("[left]", "[middle]"), "middle an unknown key"),
        (('{heel = "h", toe = "t"}', "7"), "left.sensors is a list"),
        (('{heel = "h", toe = "t"}', "[]"), "left.sensors names no column"),
        (('unit = "N"', 'unit = "N"\nframe = [2, 2]'), "does not hold the 2 sensors"),
        (('unit = "N"', 'unit = "N"\nbody_weight_n = 7'), "implausible"),
        (("[left]", 'delimiter = ", "\n[left]'), "delimiter is one character"),
        (("[left]", '[left]\nforce = {vertical_force = "f"}'), "force_unit is one of"),
        (("[left]", "[left"), "not a column map"),
    ],
)
def test_a_wrong_map_is_refused_by_its_key(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    assert change[0] in _MAP
    with pytest.raises(DataError, match=said) as caught:
        read_walks(_csv(tmp_path, "h,t\n1,2\n3,4\n", _MAP.replace(*change)))
    assert caught.value.fix


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("h,t\n", "has no data"),
        ("h,t\n1,2\n3\n", "line 3: 1 columns where 2 belong"),
        ("h,t\n1,2\n3,x\n5,6\n", "line 3, column 2: 'x' is not a number"),
        ("h,t\n1,2\n3,\n", "line 3, column 2: '' is not a number"),
        ("h,t,t\n1,2,3\n", "two columns 't'"),
        ("h,t\n1,2\nnan,3\n", "heel holds NaN or infinity from sample 1"),
        ("h,t\n1,2\n3,inf\n", "toe holds NaN or infinity from sample 1"),
    ],
)
def test_a_broken_csv_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        read_walks(_csv(tmp_path, text))
    assert caught.value.fix


def test_a_time_column_must_agree_with_the_rate_and_have_no_gap(tmp_path: Path) -> None:
    timed = 'time = "s"\n' + _MAP
    rows = [f"{index / 200:.4f},1,{index}\n" for index in range(20)]
    assert read_walks(_csv(tmp_path, "s,h,t\n" + "".join(rows), timed))[0].sample_rate_hz == 200
    with pytest.raises(DataError, match=r"line 7: time steps by 0\.015 s, not 0\.005 s"):
        read_walks(_csv(tmp_path, "s,h,t\n" + "".join(rows[:5] + rows[7:]), timed))
    with pytest.raises(DataError, match="sampled at 200 Hz, its map says 100 Hz"):
        read_walks(_csv(tmp_path, "s,h,t\n" + "".join(rows), timed.replace("200", "100")))
    with pytest.raises(DataError, match="no column 's'"):
        read_walks(_csv(tmp_path, "h,t\n1,2\n3,4\n", timed))
    with pytest.raises(DataError, match="time does not run"):
        read_walks(_csv(tmp_path, "s,h,t\n1,2,3\n1,2,3\n", timed))


def test_two_feet_calibrate_each_other_by_force_or_by_sensors(tmp_path: Path) -> None:
    both = _MAP + '[right]\nsensors = {heel = "h2", toe = "t2"}\n'
    text = "h,t,h2,t2,f,f2\n400,0,0,300,500,1\n400,0,0,500,700,3\n"
    [left, right] = read_walks(_csv(tmp_path, text, both))
    assert left.body_weight_n == right.body_weight_n == 800
    forces = both.replace("[left]", 'force_unit = "N"\n[left]\nforce = {vertical_force = "f"}')
    forces += 'force = {vertical_force = "f2"}\n'
    assert read_walks(_csv(tmp_path, text, forces))[0].body_weight_n == 602
    raw = both.replace('unit = "N"', 'unit = "raw"')
    assert read_walks(_csv(tmp_path, text, raw))[0].body_weight_n is None


def test_an_archive_that_is_none_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.zeros(3))
    with pytest.raises(DataError, match="holds no walks that edgegrf knows"):
        read_walks(tmp_path / "x.npz")
    np.savez(tmp_path / "y.npz", index=np.array('[[{"subject": "S1"}]]'))
    with pytest.raises(DataError, match="damaged"):
        read_walks(tmp_path / "y.npz")
