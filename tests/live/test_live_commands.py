# SPDX-License-Identifier: Apache-2.0
"""`edgegrf live` and `edgegrf calibrate` on the native board: what they print, write and refuse."""

from __future__ import annotations

import json

import numpy as np
import pytest

from edgegrf.gait.readers import read_walks
from edgegrf.live.phases import Schedule

SHORT = "0.5,2,6"


@pytest.fixture
def edgegrf(edgegrf, monkeypatch, cache, student_program):
    """The command line, with the programs of native boards built once."""
    monkeypatch.setenv("EDGEGRF_CACHE", str(cache))
    return edgegrf


def test_live_streams_proves_records_and_reports(edgegrf, tmp_path):
    walk, page = tmp_path / "walk.npz", tmp_path / "walk.html"
    code, out, err = edgegrf(
        "live", "--port", "native:", "--seconds", "0.6", "--rate", "200", "--verify", "--json",
        "--record", str(walk), "--report", str(page),
    )  # fmt: skip
    found = json.loads(out)
    assert code == 0 and err == ""
    assert (found["samples"], found["missing"], found["lost_on_board"]) == (120, 0, 0)
    assert found["proof"]["estimates_compared"] == 120 and found["proof"]["estimates_different"] == 0
    assert found["native"] and not found["calibrated"] and found["off_rate"] and found["open"] == {}
    [recording] = read_walks(walk)
    assert recording.unit == "BW" and recording.pressure.shape == (120, 8) and recording.force is None
    assert recording.sample_rate_hz == 200 and recording.body_weight_n == 700 and recording.synthetic
    with np.load(walk) as arrays:
        assert np.isfinite(arrays["estimated_vertical_force_bw"]).sum() == 120
    text = page.read_text()
    assert text.count("<svg") == 3 and "not calibrated" in text and "http://" not in text.split("<svg")[0]


def test_the_table_and_a_csv_of_raw_counts(edgegrf, tmp_path):
    walk = tmp_path / "raw.csv"
    code, out, err = edgegrf(
        "live", "--port", "native:", "--seconds", "0.3", "--content", "raw,pressure,estimate", "--verify",
        "--record", str(walk),
    )  # fmt: skip
    assert code == 0 and "samples" in out and "0 of 270 values" in out and "not calibrated" in out
    assert "largest 0 ns, simulated" in out and "a process, no board; its insole is simulated" in out
    assert "an estimate is no reference" in err
    [recording] = read_walks(walk)
    assert recording.unit == "raw" and recording.pressure.shape == (30, 8)
    assert walk.read_text().splitlines()[0].endswith("left_s8,estimated_vertical_force_bw")
    code, out, _ = edgegrf("data", "check", str(walk), "--json")
    assert code == 0 and json.loads(out)["recordings"] == 1


def test_calibrating_is_kept_shown_saved_loaded_and_erased(edgegrf, tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEGRF_STORE", str(tmp_path / "flash"))
    saved = tmp_path / "me.json"
    native = ("calibrate", "--port", "native:", "--json")
    code, out, _ = edgegrf(*native, "--phases", SHORT, "--weight-kg", "71", "--save", str(saved))
    made = json.loads(out)
    assert code == 0 and made["generation"] == 1 and made["wearer"]["strides"] >= 3
    assert made["wearer"]["weight_standing_n"] == pytest.approx(71 * 9.81)
    assert abs(made["body_weight_n"] / (71 * 9.81) - 1) < 0.15
    _, out, _ = edgegrf(*native, "--show")
    assert json.loads(out)["sensors"] == made["sensors"]
    code, out, _ = edgegrf("live", "--port", "native:", "--seconds", "0.2", "--verify", "--json")
    assert code == 0 and json.loads(out)["calibrated"] and json.loads(out)["calibration_generation"] == 1
    _, out, _ = edgegrf(*native, "--erase")
    assert json.loads(out)["generation"] == 0
    _, out, _ = edgegrf(*native, "--load", str(saved))
    assert json.loads(out)["generation"] == 1 and json.loads(out)["sensors"] == made["sensors"]
    code, out, err = edgegrf("calibrate", "--port", "native:", "--show")
    assert code == 0 and "calibration 1 of native" in out and "1 BW is" in err


def test_calibrating_from_a_recording_of_raw_counts(edgegrf, tmp_path):
    from edgegrf.gait.insole import Electronics
    from edgegrf.gait.readers.archive import write_archive
    from edgegrf.gait.recording import Recording, Sensor
    from edgegrf.live.wearing import Wiring, guided_wearer

    names = tuple(f"s{n}" for n in range(1, 9))
    worn = guided_wearer(Wiring(names, 0, 100.0), Schedule(0.5, 2, 6), 4)
    raw = Recording(
        name="me/left", subject="me", foot="left", pressure=worn.counts.astype(np.float32),
        sensors=tuple(Sensor(name) for name in names), unit="raw", sample_rate_hz=100.0,
    )  # fmt: skip
    write_archive(tmp_path / "raw.npz", [[raw]])
    code, out, _ = edgegrf(
        "calibrate",
        "--port",
        "native:",
        "--recording",
        str(tmp_path / "raw.npz"),
        "--phases",
        SHORT,
        "--json",
    )
    found = json.loads(out)
    assert code == 0 and found["generation"] == 1
    offsets = [sensor["offset_counts"] for sensor in found["sensors"].values()]
    assert np.abs(np.array(offsets) - Electronics(8, 4).offsets()).max() <= 2


def test_a_board_says_what_it_is(edgegrf):
    code, out, _ = edgegrf("boards", "--port", "native:", "--json")
    found = json.loads(out)
    assert code == 0 and (found["board"], found["reset_cause"], found["last_fault"]) == (
        "native",
        "power-on",
        None,
    )
    assert found["sensors"] == [f"s{n}" for n in range(1, 9)] and found["calibration"] == 0
    code, out, _ = edgegrf("boards", "--port", "native:")
    assert code == 0 and "insole4-dstcn16" in out and "8: s1, s2" in out
    assert edgegrf("boards", "--port", "native:", "--serve", "native:")[0] == 2


def test_what_is_refused(edgegrf, tmp_path):
    bad = tmp_path / "bad.json"
    bad.write_text('{"schema": 1, "body_weight_n": 700, "sensors": {"s1": {}}}')
    for arguments, code, said in (
        (("live", "--port", "native:", "--content", "music"), 2, "unknown content 'music'"),
        (("live", "--port", "native:", "--record", "walk.txt"), 2, "cannot record to walk.txt"),
        (("live", "--port", "/dev/ttyX", "--walk", "w.npz"), 2, "has its own sensors"),
        (("live", "--port", "native:", "--walk", str(tmp_path / "no.npz")), 2, "does not exist"),
        (("calibrate", "--phases", "1,2"), 2, "three numbers"),
        (("calibrate", "--phases", "1,2,3"), 2, "too short"),
        (("calibrate", "--show", "--erase"), 2, "exclude each other"),
        (("calibrate", "--port", "native:", "--load", str(bad)), 2, "1 other sensors"),
        (("calibrate", "--port", "native:", "--load", str(tmp_path / "no.json")), 2, "no such file"),
        (("calibrate", "--port", "native:", "--show", "--save", str(bad)), 2, "no calibration to save"),
    ):
        found, _, err = edgegrf(*arguments)
        assert (found, said in err) == (code, True), (arguments, err)


@pytest.mark.parametrize(("words", "code"), [(("--seconds", "600"), 130), ((), 0)])
def test_a_stream_cut_short_of_what_was_asked_says_so(edgegrf, monkeypatch, words, code):
    from edgegrf.link.insole import Insole

    frames = Insole.frames

    def cut(insole):
        for number, frame in enumerate(frames(insole)):
            if number == 20:
                raise KeyboardInterrupt
            yield frame

    monkeypatch.setattr(Insole, "frames", cut)
    found, out, err = edgegrf("live", "--port", "native:", *words)
    assert found == code and "its insole is simulated" in out
    assert ("of the 600 s that were asked for" in err) == bool(words)
