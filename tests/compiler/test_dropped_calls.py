# SPDX-License-Identifier: Apache-2.0
"""gcc 12 drops a call whose loop counts two pointers into one array down: it must not see one."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from batch import compile_all, mismatches, program
from random_models import Maker


def one_output_of_four(seed):
    """A dense layer of four inputs and one output, its output waiting while other layers run."""
    m = Maker(np.random.default_rng(seed))
    m.extreme, m.act = False, lambda: "NONE"
    first = m.activation((1, 8, 4))
    four = m.dense(first, 4)
    one = m.dense(four, 1)
    other = m.lookup("TANH", four)
    both = m.tensor((1, 8, 4), m.scale_of(four), m.zero_of(four))
    both = m.op("ADD", (one, other), both, activation="NONE")
    return m.graph([first], [both])


@pytest.mark.parametrize("sanitize", [False, True])
def test_a_layer_that_writes_one_output_per_position_is_called(sanitize, tmp_path):
    pytest.importorskip("tflite_micro")
    models = compile_all([one_output_of_four(seed) for seed in range(4)], tmp_path)
    assert len(models) == 4
    target = program([compiled for _, _, compiled in models], tmp_path, sanitize=sanitize)
    assert mismatches(models, target, np.random.default_rng(1))[0] == 0
