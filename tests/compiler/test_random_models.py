# SPDX-License-Identifier: Apache-2.0
"""Hundreds of random models: the C gives tflite-micro's bits in both modes, under sanitizers."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from batch import compile_all, mismatches, program
from more_models import MORE_FAMILIES
from random_models import FAMILIES
from timed_models import timed
from widen import widen

from edgegrf.toolchain import host_compiler

MODELS = 40
ALL = FAMILIES | MORE_FAMILIES | {"timed": timed}
STREAMING = {
    "causal": 3,
    "curved": 3,
    "joined": 3,
    "matrix": 3,
    "moved": 3,
    "rows": 3,
    "turned": 3,
    "steps": 2,
}


@pytest.mark.parametrize("family", ALL)
@pytest.mark.parametrize("seed", [11, 12])
def test_c_equals_tflite_micro(family, seed, tmp_path):
    pytest.importorskip("tflite_micro")
    rng = np.random.default_rng([seed, list(ALL).index(family)])
    _same_bits(family, [ALL[family](rng) for _ in range(MODELS)], rng, tmp_path, pairs=seed == 11)


@pytest.mark.parametrize("family", [*FAMILIES, "averaged", "joined", "turned"])
def test_so_does_c_of_int16x8(family, tmp_path):
    pytest.importorskip("tflite_micro")
    rng = np.random.default_rng([13, list(ALL).index(family)])
    _same_bits(family, [widen(ALL[family](rng)) for _ in range(MODELS)], rng, tmp_path)


def _same_bits(family, graphs, rng, folder, *, pairs=False):
    models = compile_all(graphs, folder)
    assert len(models) >= MODELS * 3 // 4
    if family in STREAMING:
        assert {compiled.modes for _, _, compiled in models} == {STREAMING[family]}
    everyone = [compiled for _, _, compiled in models]
    target = program(everyone, folder, sanitize=host_compiler().has_asan, pairs=pairs)
    wrong, lively = mismatches(models, target, rng)
    assert wrong == 0
    assert lively >= len(models) // 2  # most models must do more than saturate


def test_a_wrong_bit_is_seen(tmp_path):
    pytest.importorskip("tflite_micro")
    rng = np.random.default_rng(3)
    models = compile_all([FAMILIES["causal"](rng) for _ in range(MODELS)], tmp_path)
    for kernels in tmp_path.glob("m*/eg_kernels.h"):
        text = kernels.read_text()
        assert "(high < 0 ? 1 : 0)" in text  # the half of a negative number goes away from zero
        kernels.write_text(text.replace("(high < 0 ? 1 : 0)", "0"))
    wrong, _ = mismatches(models, program([m for _, _, m in models], tmp_path, sanitize=False), rng)
    assert wrong > 0
