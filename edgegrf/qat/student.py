# SPDX-License-Identifier: Apache-2.0
"""A student as its int8 model computes, and trainable: norms folded, channels equalised, all rounded."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from edgegrf.export.accuracy import Runner
from edgegrf.export.learnt import learnt_of
from edgegrf.export.lowered import Lowered, Node
from edgegrf.export.lowering import lower
from edgegrf.export.onnx_file import places, simplify
from edgegrf.export.scheme import Range
from edgegrf.export.torch_export import export_onnx
from edgegrf.export.tuning import quantise_best
from edgegrf.export.twin import Twin
from edgegrf.export.windows import Piece
from edgegrf.progress import Progress, silent
from edgegrf.students.student import Student

__all__ = ["QuantisedStudent", "quantised_student"]


class QuantisedStudent(Student):
    """forward: pressure [B, C, T] (matrix: [B, T, rows, columns]) to the int8 model's force [B, K, T].

    Its parameters are the folded weights, the biases and the ends of every range; rounding passes gradients
    straight through.  `learnt()` goes into the student's checkpoint, from which the export takes it.
    """

    def __init__(self, student: Student, lowered: Lowered, ranges: Mapping[str, Range]) -> None:
        super().__init__(student.interface)
        self.architecture, self.hyper = student.architecture, dict(student.hyper)
        self.recurrent = student.recurrent
        self._reach = student.receptive_field
        self.twin = Twin(lowered, ranges)

    @property
    def receptive_field(self) -> int | None:
        """The float student's."""
        return self._reach

    def forward(self, pressure: Tensor) -> Tensor:
        series = pressure.flatten(2) if self.interface.frame else pressure.mT
        force: Tensor = self.twin(series)
        return force.mT

    def learnt(self) -> dict[str, Tensor]:
        """What was learnt, by name, for `edgegrf.students.save(student, path, learnt=...)`."""
        return learnt_of(self.twin)


def quantised_student(
    student: Student,
    pieces: Sequence[Piece],
    run: Runner,
    *,
    samples: int | None = None,
    progress: Progress = silent,
) -> QuantisedStudent:
    """The quantised student, with ranges, equalisation and rounding as the export finds them on `pieces`.

    It takes windows of `samples` (default: the interface's); a step model takes any.
    """
    lowered, simple = _lowered(student)
    best = quantise_best(simple, lowered, pieces, run, progress=progress)
    long = lowered
    if samples not in (None, student.interface.window) and not student.recurrent:
        stretched = copy.deepcopy(student)
        stretched.interface = replace(student.interface, window=samples)
        long, _ = _lowered(stretched)
    layers = iter([node for node in best.lowered.nodes if node.weights is not None])
    nodes = [node if node.weights is None else _with(node, next(layers)) for node in long.nodes]
    return QuantisedStudent(student, replace(long, nodes=tuple(nodes)), best.ranges)


def _with(node: Node, trained: Node) -> Node:
    """`node` with the weights of the same layer of another window, and the grid that they lie on."""
    return replace(node, weights=trained.weights, bias=trained.bias, scales=trained.scales)


def _lowered(student: Student) -> tuple[Lowered, Any]:
    interface = student.interface
    onnx = export_onnx(student)
    simple = simplify(onnx)
    sensors, outputs = len(interface.sensors), len(interface.outputs)
    return lower(simple, places(onnx), channels=sensors, estimates=outputs), simple
