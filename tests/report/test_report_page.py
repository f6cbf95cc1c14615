# SPDX-License-Identifier: Apache-2.0
"""The report: one file, whole, with units and labels, from a record of a bench."""

from __future__ import annotations

import builtins
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from edgegrf.errors import DataError, MissingToolError, OutputError
from edgegrf.report import write_report
from edgegrf.virtual.cortexm.cycles import ERROR_BAND


def bench_record(**changes):
    """A record as `edgegrf bench -o` writes it, small."""
    time = np.arange(300) / 100
    force = np.clip(np.sin(time * 6), 0, None)
    accuracy = {
        "samples": 300, "rmse_bw": 0.05, "rmse_n": 35.0, "r": 0.99, "r2": 0.98, "bias_bw": 0.01,
        "loa_low_bw": -0.1, "loa_high_bw": 0.1, "contact_time_error_ms": 9.5,
    }  # fmt: skip
    walk = {
        "name": "A<b>_01/left", "subject": "A<b>", "samples": 300, "estimates": 300, "mismatches": 0,
        "clipped": 0, "whole": True, "accuracy": accuracy,
    }  # fmt: skip
    record = {
        "schema": 1, "board": "nrf52840dk", "virtual": True, "engine": "aot", "mode": "stream",
        "cycles_are": ERROR_BAND, "model_sha256": "ab" * 32, "clock_hz": 64_000_000, "samples": 300,
        "cycles": {"p50": 640, "p90": 640, "p99": 1280, "max": 1280},
        "latency_us": {"p50": 10.0, "p90": 10.0, "p99": 20.0, "max": 20.0},
        "parity": {"compared": 300, "mismatches": 0, "max_lsb": 0}, "accuracy": accuracy,
        "memory": {"flash_bytes": 10_240, "ram_bytes": 20_480, "stack_bytes": 300},
        "link": {"frames": 12, "crc_errors": 0, "retries": 0, "lost": 0, "duplicates": 0, "overruns": 0},
        "data": {
            "source": "synthetic walker", "walks": 1, "trials": 2, "subjects": ["A<b>"], "synthetic": True,
            "force_source": "synthetic walker", "sample_rate_hz": 100.0, "warmup_samples": 200,
            "clipped_inputs": 0,
        },
        "partial": False,
        "walks": [walk, {**walk, "name": "A<b>_01/right", "accuracy": {}}],
        "figures": {
            "cycles": {"edges": [639.5, 900.5, 1280.5], "counts": [299, 1]},
            "trace": {
                "name": "A<b>_01/left", "sample_rate_hz": 100.0, "input_unit": "BW", "output_unit": "BW",
                "output": "vertical_force", "sensors": ["s1", "s2"], "start_s": 0.0,
                "inputs": [list(force / 3), list(force / 4)], "time_s": list(time),
                "estimate": list(force + 0.01), "reference": list(force),
            },
            "pairs": {"of": 300, "estimate": list(force + 0.01), "reference": list(force)},
        },
        "provenance": {
            "command": "edgegrf bench", "edgegrf": "0.1.0", "model": "student", "firmware_version": "0.1.0",
            "firmware_sha256": "cd" * 32, "native": False, "period": 1, "lookahead_samples": 0,
            "sensors": ["s1", "s2"], "outputs": ["vertical_force"],
        },
    }  # fmt: skip
    return {**json.loads(json.dumps(record)), **changes}


@pytest.fixture
def page(tmp_path):
    def write(record):
        write_report(record, tmp_path / "bench.html")
        return (tmp_path / "bench.html").read_text()

    return write


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    """The page of `bench_record()` as it is."""
    path = tmp_path_factory.mktemp("report") / "bench.html"
    write_report(bench_record(), path)
    return path.read_text()


class Tags(HTMLParser):
    """Counts the tags, and checks that they are closed in order."""

    VOID = ("meta", "link", "br", "hr", "img", "input")

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.ids = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_page_is_whole_and_needs_nothing_else(html):
    tags = Tags()
    tags.feed(html)
    assert tags.open == []
    assert tags.seen.count("svg") == 4
    assert len(tags.ids) == len(set(tags.ids))
    assert "script" not in tags.seen
    outside = [url for url in re.findall(r'(?:src|href)="([^"]*)"', html) if not url.startswith("#")]
    assert outside == []
    assert set(re.findall(r"url\(([^#)][^)]*)\)", html)) == set()
    for reference in re.findall(r'(?:url\(|xlink:href=")#([\w-]+)', html):
        assert reference in tags.ids


def test_labels_say_what_is_synthetic_and_what_is_estimated(html):
    assert "Synthetic: the walks come from a model of walking" in html
    assert html.count("(synthetic walker)") == 4
    assert "an estimate" in html and ERROR_BAND in html
    assert "estimated time per sample / µs" in html
    assert "Partial" not in html


def test_real_board_and_real_walks_are_called_neither(page):
    record = bench_record(virtual=False)
    record["data"] |= {"synthetic": False, "force_source": "the insole's own total, not a force plate"}
    html = page(record)
    assert "synthetic" not in html.lower().replace("synthetic walker: 1 walks", "")
    assert "an estimate" not in html
    assert "not a force plate" in html
    assert "measured time per sample / µs" in html


def test_axes_have_units(html):
    for label in ("vertical force / BW", "inputs / BW", "time / s", "estimate − reference / BW", "RMSE / BW"):
        assert label in html


def test_names_from_data_are_escaped(html):
    assert "A<b>" not in html
    assert "A&lt;b&gt;_01/left" in html


def test_partial_and_wrong_results_are_said_first(page):
    record = bench_record(partial=True, parity={"compared": 300, "mismatches": 7, "max_lsb": 2})
    del record["figures"]["trace"], record["figures"]["pairs"]
    html = page(record)
    assert "Partial: the bench was interrupted" in html
    assert "nothing below can be trusted" in html
    assert html.index("Partial") < html.index("<svg")


def test_what_was_not_measured_is_left_out(page):
    record = bench_record(cycles={}, latency_us={}, clock_hz=0, accuracy={})
    record["figures"] = {"cycles": {}}
    record["memory"] = dict.fromkeys(record["memory"])
    html = page(record)
    assert "<svg" not in html
    assert "no cycle counter" in html
    assert "unknown" in html


def test_latency_without_spread_is_a_sentence_not_a_figure(page):
    record = bench_record(cycles=dict.fromkeys(("p50", "p90", "p99", "max"), 34_611))
    record["figures"] = {"cycles": {"edges": [34_610.5, 34_611.5], "counts": [300]}}
    html = page(record)
    assert "<svg" not in html
    assert "Every inference took 34 611 cycles." in html


def test_same_record_same_bytes(page, html):
    assert page(bench_record()) == html


@pytest.mark.parametrize("record", [{}, {"schema": 99, "figures": {}}, {"schema": 1}])
def test_other_records_are_refused(page, record):
    with pytest.raises(DataError, match="no bench record"):
        page(record)


def test_missing_matplotlib_is_named(page, monkeypatch):
    true_import = builtins.__import__

    def without(name, *rest):
        if name.split(".")[0] == "matplotlib":
            raise ImportError(name)
        return true_import(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingToolError) as caught:
        page(bench_record())
    assert "edgegrf[report]" in caught.value.fix


def test_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write_report(bench_record(), tmp_path / "file" / "bench.html")
