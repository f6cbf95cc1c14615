# SPDX-License-Identifier: Apache-2.0
"""The last layer replaced as data gives the bits of the `.tflite` that has it built in."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from edgegrf.compiler.planning import make_plan
from edgegrf.errors import ModelError
from edgegrf.graph.reader import read_tflite
from edgegrf.parity.host import HostModel
from edgegrf.parity.judge import TfliteMicro, run_windows
from edgegrf.personal.student import LastLayer, Student, head_of
from edgegrf.resources import shipped_file

STUDENTS = ("insole4-dstcn16", "insole4-gru32", "matrix16x8-st")


@pytest.fixture(params=STUDENTS)
def student(request):
    return Student(shipped_file(request.param, "student_int8.tflite"))


def altered(student, seed):
    """Another last layer, as far from the student's as a wearer may be."""
    rng, own = np.random.default_rng(seed), student.last
    return LastLayer(own.weights * rng.uniform(-1.5, 1.5, own.weights.shape), own.bias + rng.normal(0, 0.1))


def take(host, scales, weights):
    """Give the running C other constants; None: its own."""
    function = host._library.model_head
    function.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
    if scales is None:
        return function(None, None)
    return function(np.ascontiguousarray(scales).ctypes.data, np.ascontiguousarray(weights).ctypes.data)


def played(host, x):
    host.reset()
    return host.stream(x)


def test_data_gives_the_bits_of_the_model_that_was_compiled_with_it(student, tmp_path):
    host = HostModel(student.tflite)
    x = np.random.default_rng(1).integers(-128, 128, (400, host.info.plan.input_channels)).astype(np.int8)
    before = played(host, x)
    for seed in range(3):
        path = tmp_path / f"{seed}.tflite"
        path.write_bytes(student.with_last(altered(student, seed)))
        head = head_of(read_tflite(path.read_bytes()))
        assert take(host, head.scales, head.weights) == 1
        wanted = played(HostModel(path), x)
        assert np.array_equal(played(host, x), wanted) and not np.array_equal(wanted, before)
    assert take(host, None, None) == 1
    assert np.array_equal(played(host, x), before)


def test_windows_are_tflite_micros(tmp_path):
    student = Student(shipped_file("insole4-dstcn16", "student_int8.tflite"))
    path = tmp_path / "personal.tflite"
    path.write_bytes(student.with_last(altered(student, 5)))
    graph = read_tflite(path.read_bytes())
    head, host = head_of(graph), HostModel(student.tflite)
    assert take(host, head.scales, head.weights) == 1
    x = np.random.default_rng(2).integers(-128, 128, (6, 200, 4)).astype(np.int8)
    assert np.array_equal(host.window(x), run_windows(TfliteMicro(path.read_bytes(), graph), graph, x))


@pytest.mark.parametrize(
    "scale", [(0, 1 << 29, -7), (0, 1 << 30, 0), (0, 1 << 30, -22), (1 << 30, 1 << 30, -7), (0, -1, -7)]
)
def test_what_cannot_be_computed_exactly_changes_nothing(scale):
    student = Student(shipped_file("insole4-dstcn16", "student_int8.tflite"))
    host = HostModel(student.tflite)
    x = np.random.default_rng(3).integers(-128, 128, (100, 4)).astype(np.int8)
    before = played(host, x)
    weights = np.full((1, 16), 100, np.int8)
    assert take(host, np.array([scale], np.int32), weights) == 0
    assert np.array_equal(played(host, x), before)


def test_the_same_last_layer_is_the_same_file():
    student = Student(shipped_file("insole4-dstcn16", "student_int8.tflite"))
    assert student.with_last(student.last) == student.tflite.read_bytes()


def test_only_the_last_layer_changes(student):
    was, made = (read_tflite(data) for data in (student.tflite.read_bytes(),
                                                student.with_last(altered(student, 7))))  # fmt: skip
    changed = [
        number
        for number, (a, b) in enumerate(zip(was.tensors, made.tensors, strict=True))
        if a.data is not None and not np.array_equal(a.data, b.data)
    ]
    assert set(changed) <= {student.head.weight_tensor, student.head.bias_tensor}
    assert make_plan(was).layers[:-1] != () and was.operators == made.operators


def test_features_and_last_layer_are_the_student(student):
    """In real numbers, to the rounding of the estimate."""
    interface = student.interface
    x = np.abs(np.random.default_rng(4).normal(0.1, 0.1, (300, len(interface.sensors)))).astype(np.float32)
    host, plan = HostModel(student.tflite), make_plan(student.graph)
    from edgegrf.graph.affine import dequantize, quantize

    codes, _ = quantize(x, plan.input_scale, plan.input_zero_point)
    force = dequantize(played(host, codes), plan.output_scale, plan.output_zero_point)
    layer = student.last
    rows = student.clipped(student.features(x) @ layer.weights.T + layer.bias)
    assert np.abs(rows.reshape(-1, student.outputs)[: len(force)] - force).max() <= 0.51 * plan.output_scale


def test_a_personalised_model_is_not_personalised_again(tmp_path):
    import json

    student = Student(shipped_file("insole4-dstcn16", "student_int8.tflite"))
    copy = tmp_path / "student_int8.tflite"
    copy.write_bytes(student.tflite.read_bytes())
    record = json.loads(student.tflite.with_name("student_int8.tflite.json").read_text())
    record["model"]["personal"] = {"model_sha256": "00"}
    copy.with_name("student_int8.tflite.json").write_text(json.dumps(record))
    with pytest.raises(ModelError, match="already"):
        Student(copy)
