# SPDX-License-Identifier: Apache-2.0
"""The arena computed from a model, against what TFLite Micro's interpreter really takes."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "compiler"))
from more_models import MORE_FAMILIES
from random_models import FAMILIES

from edgegrf.graph.arena import arena_of
from edgegrf.graph.model import Graph, Operator, Quantization, Tensor
from edgegrf.graph.reader import read_tflite
from edgegrf.graph.writer import write_tflite
from edgegrf.resources import shipped_file, shipped_students

STEP = 16
ALL = FAMILIES | MORE_FAMILIES


def works(model: bytes, size: int) -> bool:
    runtime = pytest.importorskip("tflite_micro.python.tflite_micro.runtime")
    try:
        runtime.Interpreter.from_bytes(model, arena_size=size)
    except RuntimeError:
        return False
    return True


def smallest(model: bytes, above: int) -> int:
    """The smallest arena, in steps of 16 bytes, that the interpreter accepts; it crashes far below that."""
    low, high = above // 2, above
    while high - low > STEP:
        middle = (low + high) // 2 // STEP * STEP
        low, high = (low, middle) if works(model, middle) else (middle, high)
    return high


def check(path: Path) -> None:
    model = path.read_bytes()
    arena = arena_of(read_tflite(model))
    computed = arena.total - 1024  # without the margin; the wheel's kernels are the reference ones
    assert works(model, computed), "the computed arena is too small"
    needed = smallest(model, computed)
    assert computed <= 1.12 * needed + 1800, (needed, computed)


@pytest.mark.parametrize("student", shipped_students())
def test_shipped_students_fit_and_little_is_spared(student):
    check(shipped_file(student, "student_int8.tflite"))


@pytest.mark.parametrize("net", ["conv", "ds"])
def test_reference_nets_fit(reference_nets, net):
    check(reference_nets / f"{net}.tflite")


@pytest.mark.parametrize("family", ALL)
def test_random_models_fit_without_the_margin(family):
    rng = np.random.default_rng(list(ALL).index(family))
    for _ in range(8):
        graph = ALL[family](rng)
        assert works(write_tflite(graph), arena_of(graph, margin=0).total), graph.operators


def chain(*sizes: int) -> Graph:
    """A graph of tensors of these bytes, each made from the one before."""
    quantization = Quantization(np.array([1.0], np.float32), np.array([0]))
    tensors = tuple(Tensor(f"t{i}", (1, size), "int8", quantization) for i, size in enumerate(sizes))
    operators = tuple(Operator("RELU", (i,), (j,)) for i, j in pairwise(range(len(sizes))))
    return Graph(tensors, operators, (0,), (len(sizes) - 1,))


def test_a_buffer_lives_until_its_last_reader():
    assert arena_of(chain(1600, 3200)).tensors == 4800
    assert arena_of(chain(1600, 3200, 1600, 3200)).tensors == 4800
    graph = chain(1600, 3200, 1600, 3200)
    again = replace(graph, operators=(*graph.operators[:2], Operator("ADD", (2, 0), (3,))))
    assert arena_of(again).tensors == 6400  # the input is alive to the end


def test_margin_scratch_and_total_are_told_apart():
    graph = read_tflite(shipped_file("insole4-dstcn16", "student_int8.tflite").read_bytes())
    plain, cmsis, s3 = (arena_of(graph, kernels=kernels) for kernels in ("esp-nn", "cmsis-nn", "esp-nn-s3"))
    assert plain.scratch == 0 <= cmsis.scratch < s3.scratch
    for arena in (plain, cmsis, s3):
        assert arena.total == arena.tensors + arena.scratch + arena.persistent + 1024
        assert arena.tensors == 16_000
    assert arena_of(chain(64, 64), margin=0).total < arena_of(chain(64, 64)).total
