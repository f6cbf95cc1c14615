# SPDX-License-Identifier: Apache-2.0
"""A bench on the native and on the virtual board, whole, interrupted and with a board that is wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest

from edgegrf.bench.run import run_bench
from edgegrf.bench.summary import SECTIONS, headline, rows, time_note
from edgegrf.errors import DataError, FirmwareMismatchError, ModelError
from edgegrf.link import Device, open_port
from edgegrf.parity.host import HostModel
from edgegrf.virtual.cortexm.cycles import ERROR_BAND

KEYS = [
    "board", "virtual", "engine", "mode", "model_sha256", "clock_hz", "samples", "cycles", "latency_us",
    "cycles_are", "parity", "accuracy", "memory", "energy", "link", "data",
]  # fmt: skip


@pytest.fixture(params=["native:", "virtual:nrf52840dk"])
def device(request, student):
    with Device(open_port(request.param, model=student)) as device:
        yield device


@pytest.mark.parametrize("mode", ["stream", "window"])
def test_bench_measures_every_sample(device, student, short_trials, mode):
    seen = []
    result = run_bench(
        device, student, short_trials, mode, lambda *step: seen.append(step), source="synthetic walker"
    )
    record = result.summary()
    assert list(record) == KEYS
    assert result.ok
    assert (record["samples"], record["parity"]["compared"]) == (1200, 1200)
    assert record["parity"]["mismatches"] == record["parity"]["max_lsb"] == 0
    assert record["mode"] == mode
    assert record["virtual"] == (record["board"] == "nrf52840dk")
    assert list(record["cycles"]) == list(record["latency_us"]) == ["p50", "p90", "p99", "max"]
    assert 0 < record["cycles"]["p50"] <= record["cycles"]["max"]
    assert record["latency_us"]["max"] == pytest.approx(record["cycles"]["max"] / record["clock_hz"] * 1e6)
    assert record["link"] == dict.fromkeys(record["link"], 0) | {"frames": record["link"]["frames"]}
    assert 0 < record["accuracy"]["rmse_bw"] < 0.1
    assert record["accuracy"]["samples"] == (800 if mode == "stream" else 240)
    known = [value is not None for value in record["memory"].values()]
    assert all(known) if record["virtual"] else not any(known)
    assert seen[-1][1:] == (1200, 1200)
    assert json.loads(json.dumps(result.record()))["walks"][0]["samples"] == 600


def test_every_number_of_the_table_has_its_unit(device, student, short_trials):
    record = run_bench(device, student, short_trials[:1]).record()
    table = {section: dict(rows(record, section)) for section in SECTIONS}
    unit = "cycles" if record["virtual"] else "ns"
    note = "estimate" if record["virtual"] else "sanitizers"
    assert all(unit in table["latency"][f"per sample, {name}"] for name in ("p50", "p90", "p99", "max"))
    assert note in time_note(record) in table["latency"]["per sample, p99"]
    assert table["latency"].get("cycles and times") == (ERROR_BAND if record["virtual"] else None)
    assert table["accuracy"]["RMSE in stance"].endswith(" BW")
    assert table["accuracy"]["reference force"] == "synthetic walker"
    assert "synthetic" in headline(record)


class OneOff:
    """The host, but one estimate of it is 2 LSB off."""

    def __init__(self, host):
        self.host = host

    def reset(self):
        self.host.reset()

    def stream(self, x):
        out = self.host.stream(x).copy()
        out[70] ^= 2
        return out


def test_one_wrong_estimate_is_found(student, short_trials):
    with Device(open_port("native:", model=student)) as device:
        result = run_bench(device, student, short_trials[:1], host=OneOff(HostModel(student)))
    assert not result.ok
    assert result.parity == {"compared": 600, "mismatches": 1, "max_lsb": 2}
    assert result.walks[0]["mismatches"] == 1


def test_ctrl_c_leaves_what_was_measured_marked_as_partial(device, student, short_trials):
    def interrupt(stage, done, total):
        if done >= 800:
            raise KeyboardInterrupt

    result = run_bench(device, student, short_trials, progress=interrupt)
    assert result.partial
    assert result.summary()["partial"] is True
    assert 800 <= result.samples < 1200
    assert result.parity == {"compared": result.samples, "mismatches": 0, "max_lsb": 0}
    assert [walk["whole"] for walk in result.walks] == [True, False]
    again = run_bench(device, student, short_trials[:1])  # the board is as good as new
    assert again.ok
    assert not again.partial


def test_ctrl_c_before_the_first_estimate(student, short_trials):
    def interrupt(stage, done, total):
        raise KeyboardInterrupt

    with Device(open_port("native:", model=student)) as device:
        result = run_bench(device, student, short_trials, progress=interrupt)
    assert result.partial
    assert result.samples < 100


def test_another_model_on_the_board_is_refused(student, short_trials, tmp_path):
    other = tmp_path / "other.tflite"
    other.write_bytes(student.read_bytes() + b"\0")
    record = json.loads(student.with_name(student.name + ".json").read_text())
    from edgegrf.files import sha256_file

    record["sha256"] = sha256_file(other)
    other.with_name("other.tflite.json").write_text(json.dumps(record))
    with Device(open_port("native:", model=student)) as device:
        with pytest.raises(FirmwareMismatchError) as caught:
            run_bench(device, other, short_trials)
        assert caught.value.fix == f"edgegrf flash --board native --model {other}"


def test_model_without_a_manifest_and_no_walks(student, short_trials, tmp_path):
    bare = tmp_path / "bare.tflite"
    bare.write_bytes(student.read_bytes())
    with Device(open_port("native:", model=student)) as device:
        with pytest.raises(ModelError, match="manifest"):
            run_bench(device, bare, short_trials)
        with pytest.raises(DataError, match="no walks"):
            run_bench(device, student, [])


def test_walk_shorter_than_a_window(student, short_trials):
    from dataclasses import replace

    short = replace(short_trials[0], x=short_trials[0].x[:50], y=short_trials[0].y[:50])
    with Device(open_port("native:", model=student)) as device:
        with pytest.raises(DataError, match="shorter"):
            run_bench(device, student, [short], "window")
        assert run_bench(device, student, [short], "stream").samples == 50


def test_cycles_are_those_of_the_board(student, short_trials):
    """On the virtual board time is deterministic: two runs give the same counts."""
    found = []
    for _ in range(2):
        with Device(open_port("virtual:nrf52840dk", model=student)) as device:
            result = run_bench(device, student, short_trials[:1])
            found.append((dict(result.cycles), result.figures["cycles"]))
    assert found[0] == found[1]
    assert np.sum(found[0][1]["counts"]) == 600
