# SPDX-License-Identifier: Apache-2.0
"""Functions of one int8 value: all 256 inputs, many scales, against tflite-micro."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from batch import compile_all, mismatches, program
from more_models import CURVES, curve
from random_models import Maker

from edgegrf.compiler.planning import make_plan
from edgegrf.errors import UnsupportedError
from edgegrf.graph.writer import write_tflite
from edgegrf.parity.judge import TfliteMicro, run_windows
from edgegrf.toolchain import host_compiler

SCALES = [2.0**-27, 1e-6, 1e-4, 0.0035, 1 / 128, 0.02, 0.0625, 0.11, 0.5, 1.0, 3.7, 100.0, 2.0**20]


def one_operator(kind, scale, zero_point, seed):
    maker = Maker(np.random.default_rng(seed))
    x = maker.activation((1, 256, 1), scale, zero_point)
    return maker.graph([x], [maker.lookup(kind, x) if kind == "RELU6" else curve(maker, kind, x)])


@pytest.mark.parametrize("kind", [*CURVES, "RELU6"])
def test_table_equals_tflite_micro(kind):
    pytest.importorskip("tflite_micro")
    inputs = np.arange(-128, 128).astype(np.int8)
    rng = np.random.default_rng(4)
    scales = [*SCALES, *(2.0 ** rng.uniform(-10, 2, 40))]
    seen = set()
    for seed, scale in enumerate(scales):
        for zero_point in (-128, 0, 127, int(rng.integers(-128, 128))):
            graph = one_operator(kind, scale, zero_point, seed)
            if kind == "HARD_SWISH" and not 2.0**-22 < scale < 300:
                with pytest.raises(UnsupportedError, match="beyond"):
                    make_plan(graph)
                continue
            table = make_plan(graph).layers[0].arrays[0].data
            want = run_windows(TfliteMicro(write_tflite(graph), graph), graph, inputs[None]).reshape(-1)
            np.testing.assert_array_equal(table, want, f"{kind} scale {scale} zero point {zero_point}")
            seen.add(len(np.unique(table)))
    assert max(seen) > 100


def test_a_scale_beyond_the_operator_is_refused():
    with pytest.raises(UnsupportedError):
        make_plan(one_operator("LOGISTIC", 2.0**-30, 0, 0))


ABSURD = [1.2e-38, 1e-9, 1e-3, 1e9, 3.4e38]


def absurd_graphs(kinds):
    """One operator between scales that no sane model has."""
    for kind in kinds:
        for scale in ABSURD:
            for out_scale in ABSURD:
                maker = Maker(np.random.default_rng(1))
                x = maker.activation((1, 256, 1), scale, 3)
                y = maker.activation((1, 256, 1), out_scale, -5)
                if kind in ("ADD", "SUB", "MUL"):
                    other = maker.tensor((1,), 1e-3, 7, maker.constant((1,)))
                    maker.op(kind, (x, other), y, activation="RELU6")
                else:
                    options = {"LEAKY_RELU": {"alpha": 0.25}, "SOFTMAX": {"beta": 1.0}}.get(kind, {})
                    maker.op(kind, (x,), y, **options)
                yield maker.graph([x], [y])


def test_absurd_scales_are_refused_or_exact(tmp_path):
    pytest.importorskip("tflite_micro")
    graphs = list(absurd_graphs(["ADD", "SUB", "MUL", "RELU6", "SOFTMAX", *CURVES]))
    models = compile_all(graphs, tmp_path)
    assert 20 < len(models) < len(graphs)
    target = program([compiled for _, _, compiled in models], tmp_path, sanitize=host_compiler().has_asan)
    wrong, _ = mismatches(models, target, np.random.default_rng(2))
    assert wrong == 0
