# SPDX-License-Identifier: Apache-2.0
"""The stream as a `.tflite` with states: tflite-micro runs it, and the C made of it, with the same bits."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from many_models import ALL, step_models_differ
from random_models import Maker

from edgegrf.compiler import step_model, write_step_model
from edgegrf.compiler.planning import make_plan
from edgegrf.errors import ModelError, UnsupportedError
from edgegrf.graph.reader import read_tflite
from edgegrf.graph.writer import write_tflite
from edgegrf.manifest import Manifest
from edgegrf.parity.host import HostModel
from edgegrf.parity.tflm_c import check_step_model, check_stream
from edgegrf.resources import shipped_file

MODELS = 10


@pytest.mark.parametrize(("family", "least"), [("causal", 10), ("matrix", 10), ("rows", 10), ("timed", 4)])
def test_random_streams_are_the_windows(family, least):
    pytest.importorskip("tflite_micro")
    compared = 0
    for index in range(MODELS):
        rng = np.random.default_rng([5, index])
        graph = ALL[family](rng)
        try:
            plan = make_plan(graph)
        except ModelError:
            continue
        differ = step_models_differ(graph, write_tflite(graph), plan, rng)
        compared += differ is not None
        assert not differ
    assert compared >= least


@pytest.mark.parametrize(
    ("student", "samples", "skipped"),
    [("insole4-dstcn16", 1, 0), ("matrix16x8-st", 1, 0), ("insole4-wrn16-1", 4, 26)],
)
def test_a_shipped_student_as_a_step_model(student, samples, skipped, tmp_path):
    """Judged against the C of the window model, and compiled to C itself."""
    pytest.importorskip("tflite_micro")
    tflite = shipped_file(student, "student_int8.tflite")
    target = tmp_path / "stream.tflite"
    made = write_step_model(tflite, target)
    assert (made.samples, made.skipped) == (samples, skipped)
    manifest = Manifest.read(target)
    assert manifest.model["samples"] == samples and manifest.model["skipped"] == skipped
    assert manifest.model["states"] == len(made.graph.states)
    host = HostModel(tflite)
    rng = np.random.default_rng(1)
    walk = rng.integers(-128, 128, (240, host.info.plan.input_channels)).astype(np.int8)
    link = check_step_model(tflite, host, [walk])
    assert link is not None and link.ok
    assert link.outputs == (240 - skipped) * host.info.plan.output_channels
    again = HostModel(target)
    assert again.modes == 2
    assert check_stream(target, again, walk.reshape(240 // samples, -1)).ok


def test_the_manual_runs_it_with_the_bits_of_the_c(tmp_path, monkeypatch):
    pytest.importorskip("tflite_micro")
    text = (Path(__file__).parents[2] / "docs" / "compiler.md").read_text()
    code = text.split("```python")[1].split("```")[0]
    tflite = shipped_file("insole4-wrn16-1", "student_int8.tflite")
    made = write_step_model(tflite, tmp_path / "stream.tflite")
    monkeypatch.chdir(tmp_path)
    found: dict[str, object] = {}
    exec(code, found)
    walk = np.asarray(found["walk"])
    stream = HostModel(tflite).stream(walk.reshape(len(walk) * made.samples, -1))
    assert len(set(stream.reshape(-1))) > 2
    assert np.array_equal(stream.reshape(-1), np.asarray(found["estimates"]))


def test_what_is_no_stream_is_refused():
    with pytest.raises(UnsupportedError, match="step model already"):
        step_model(read_tflite(shipped_file("insole4-gru32", "student_int8.tflite").read_bytes()))
    maker = Maker(np.random.default_rng(1))
    first = maker.activation((1, 20, 1, 4), 0.1)
    with pytest.raises(UnsupportedError, match="border"):
        step_model(maker.graph([first], [maker.pool(first, (3, 1), (1, 1), "SAME")]))
    with pytest.raises(UnsupportedError, match="cannot stream"):
        step_model(maker.graph([first], [maker.pool(first, (20, 1), (1, 1))]))
