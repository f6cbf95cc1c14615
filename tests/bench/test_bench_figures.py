# SPDX-License-Identifier: Apache-2.0
"""The arithmetic of a bench: quantisation, quantiles, which estimates count, words with units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgegrf.bench.measure import Run
from edgegrf.bench.score import WARMUP, counted, score
from edgegrf.bench.statistics import histogram, quantiles, to_microseconds
from edgegrf.bench.summary import rows
from edgegrf.gait.trials import Trial
from edgegrf.graph.affine import dequantize, quantize
from edgegrf.manifest import Interface
from edgegrf.parity.c_board import compare

INTERFACE = Interface(("a", "b"), "BW", ("vertical_force",), "BW", 100.0, 200)


def test_quantisation_rounds_halves_to_even_and_counts_what_is_clipped():
    q, clipped = quantize(np.array([0.0, 0.25, 0.75, -0.25, 63.5, 64.5, -200.0]), 0.5, 0)
    assert q.tolist() == [0, 0, 2, 0, 127, 127, -128]
    assert clipped == 2
    assert dequantize(np.array([-128, 0], np.int8), 0.5, -128).tolist() == [0.0, 64.0]


def test_quantiles_are_counts_that_occurred():
    cycles = np.arange(1, 201, dtype=np.uint32)
    np.random.default_rng(0).shuffle(cycles)
    assert quantiles(cycles) == {"p50": 100, "p90": 180, "p99": 198, "max": 200}
    assert to_microseconds({"p50": 64}, 64_000_000) == {"p50": 1.0}
    assert quantiles(cycles[:0]) == {}
    assert to_microseconds({"p50": 64}, 0) == {}


def test_histogram_counts_every_inference():
    cycles = np.array([5, 5, 6, 90], np.uint32)
    found = histogram(cycles)
    assert sum(found["counts"]) == 4
    assert len(found["edges"]) == len(found["counts"]) + 1 <= 81
    assert histogram(np.full(7, 3, np.uint32)) == {"edges": [2.5, 3.5], "counts": [7]}
    assert histogram(cycles[:0]) == {}


def test_parity_counts_differences_and_what_is_missing():
    one = np.array([[1], [2], [3]], np.int8)
    other = np.array([[1], [-128], [3]], np.int8)
    assert compare(one, one, mode="stream", target="x").ok
    link = compare(one, other, mode="stream", target="x")
    assert (link.outputs, link.mismatches, link.max_lsb) == (3, 1, 130)
    assert compare(one[:2], one, mode="stream", target="x").mismatches == 1
    assert not compare(one[:0], one[:0], mode="stream", target="x").ok


def run_of(force, samples, reference, interface=INTERFACE):
    trial = Trial(
        "s01/left", "s01", np.zeros((len(reference), len(interface.sensors)), np.float32),
        np.asarray(reference, np.float32)[:, None], 700.0, 100.0, "a test", False,
    )  # fmt: skip
    estimates = np.zeros((len(force), 1), np.int8)
    return Run(
        trial, np.asarray(samples), estimates, estimates, np.asarray(force, float)[:, None],
        np.zeros(len(reference), np.uint32), len(reference), 0,
    )  # fmt: skip


def test_accuracy_is_of_the_samples_after_the_warm_up():
    reference = np.sin(np.arange(1000) / 7)
    force = reference + np.where(np.arange(1000) < WARMUP, 100.0, 0.5)
    found = score([run_of(force, np.arange(1000), reference)], INTERFACE)
    assert found["rmse_bw"] == pytest.approx(0.5)
    assert found["rmse_n"] == pytest.approx(350)
    assert found["samples"] == 1000 - WARMUP


def test_look_ahead_moves_the_estimate_to_its_sample():
    reference = np.sin(np.arange(1000) / 7)
    samples = np.arange(1000) - 8
    force = np.concatenate([np.full(8, 9.0), reference[:-8]])
    found = score([run_of(force, samples, reference)], INTERFACE)
    assert found["rmse_bw"] == pytest.approx(0, abs=1e-6)


def test_windows_each_have_their_warm_up_and_whole_window_models_none():
    run = run_of(np.zeros(1000), np.arange(1000), np.ones(1000))
    assert counted(run, INTERFACE, 500).sum() == 2 * (500 - WARMUP)
    assert counted(run, INTERFACE, 100).sum() == 10 * 20
    assert counted(run, replace(INTERFACE, lookahead=-1), 500).sum() == 1000
    sparse = run_of(np.zeros(5), np.arange(1, 6) * 200 - 1, np.ones(1000))
    assert counted(sparse, INTERFACE, 200).sum() == 5


def test_walks_without_a_reference_have_no_accuracy():
    run = run_of(np.zeros(10), np.arange(10), np.ones(10))
    assert score([replace(run, trial=replace(run.trial, y=None))], INTERFACE) == {}


def test_second_outputs_are_named():
    interface = replace(INTERFACE, outputs=("vertical_force", "anterior_posterior_force"))
    run = run_of(np.zeros(400), np.arange(400), np.ones(400), interface)
    both = np.ones((400, 2), np.float32)
    run = replace(run, force=np.zeros((400, 2)), trial=replace(run.trial, y=both))
    found = score([run], interface)
    assert found["rmse_bw"] == found["rmse_bw:anterior_posterior_force"] == 1


def test_walks_that_end_within_the_warm_up_have_no_accuracy_and_the_table_says_why():
    record = {"accuracy": {"samples": 0}, "data": {"force_source": "a plate", "warmup_samples": 200}}
    assert "200 samples that do not count" in dict(rows(record, "accuracy"))["accuracy"]
    record["data"]["force_source"] = ""
    assert "no reference force" in dict(rows(record, "accuracy"))["accuracy"]
