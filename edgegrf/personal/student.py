# SPDX-License-Identifier: Apache-2.0
"""An int8 student apart from its last layer: what goes into that, and the model with another one."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgegrf.compiler.driver import read_model
from edgegrf.compiler.plan import Head
from edgegrf.compiler.planning import make_plan
from edgegrf.errors import DataError, ModelError, UnsupportedError
from edgegrf.graph.affine import dequantize, force_code, pressure_code, quantize
from edgegrf.graph.model import Graph, Operator, Quantization, Tensor
from edgegrf.graph.reader import read_tflite
from edgegrf.graph.writer import write_tflite
from edgegrf.manifest import Interface, Manifest
from edgegrf.parity.host import HostModel

__all__ = ["LastLayer", "Student", "head_of"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class LastLayer:
    """Real constants of the last layer: weights [H, D], bias [H]."""

    weights: Matrix
    bias: NDArray[np.float64]


class Student:
    """A `.tflite` whose last layer may be replaced; raises UnsupportedError, ModelError for any other.

    The last layer turns a row of D features into H = K x P values: the estimates [K] of P samples.
    """

    def __init__(self, tflite: Path) -> None:
        self.tflite = tflite
        self.manifest = Manifest.read(tflite)
        self.graph = read_tflite(read_model(tflite))
        plan, head = make_plan(self.graph), head_of(self.graph)
        if self.manifest.interface is None:
            raise ModelError(f"{tflite} does not say what goes into it", fix="edgegrf export")
        if "personal" in self.manifest.model:
            raise ModelError(
                f"{tflite} is personalised already",
                why="a personalisation belongs to the model as it was made",
                fix="start from that: its name is in the manifest's sources",
            )
        if head is None or not plan.stream or plan.clock.period != 1:
            raise UnsupportedError(
                f"{tflite} cannot be personalised",
                why=plan.stream_refusal
                or "it does not end in an int8 layer of at most 1 KiB that the board may replace"
                if head is None
                else "it gives no estimate for every sample",
                fix="take a student that streams: edgegrf compile says HEAD_OUTPUTS in model.h",
            )
        self.interface: Interface = self.manifest.interface
        self.head: Head = head
        self._model = _features(self.graph, head)
        self.outputs = plan.output_channels
        self.period = len(head.weights) // self.outputs
        self.step, self.zero_point = force_code(self.graph)

    def features(self, x: NDArray[np.float32]) -> Matrix:
        """What goes into the last layer over a walk x [T, C] in the model's unit: [R, D], real."""
        code = self.graph.tensors[self.head.source].quantization
        assert code is not None  # planned
        self._model.reset()
        rows = self._model.stream(quantize(x, *pressure_code(self.graph))[0])
        return dequantize(rows, float(code.scales[0]), int(code.zero_points[0]))

    def rows(self, y: NDArray[np.float32]) -> Matrix:
        """Forces [T, K] as the last layer gives them: [T // P, H]."""
        whole = len(y) // self.period * self.period
        return y[:whole].astype(np.float64).reshape(-1, self.period * self.outputs)

    @property
    def last(self) -> LastLayer:
        """The last layer as it is."""
        scales = self._weight_scales()
        bias = self._tensor(self.head.bias_tensor)
        assert bias.data is not None
        return LastLayer(
            self.head.weights * scales[:, None],
            bias.data.astype(np.float64).reshape(-1) * scales * self._in_scale(),
        )

    def clipped(self, force: Matrix) -> Matrix:
        """Forces as far as the output's code goes."""
        ends = (np.array([-128, 127]) - self.zero_point) * self.step
        return np.clip(force, *ends)

    def with_last(self, layer: LastLayer) -> bytes:
        """The `.tflite` with other constants in its last layer and nothing else changed.

        Raises DataError where the kernels of the board could not compute it exactly.
        """
        weights, bias = self._tensor(self.head.weight_tensor), self._tensor(self.head.bias_tensor)
        assert weights.quantization is not None
        scales = np.abs(layer.weights).max(axis=1) / 127
        if len(weights.quantization.scales) == 1:
            scales = np.full(len(scales), scales.max())
        stated = scales[: len(weights.quantization.scales)].astype(np.float32)
        scales = np.broadcast_to(stated, scales.shape).astype(np.float64)
        if not np.all(np.isfinite(scales)) or not scales.min() > 0:
            raise DataError("the last layer that was fitted is empty", fix="another minute of walking")
        codes = np.rint(layer.weights / scales[:, None]).clip(-127, 127).astype(np.int8)
        offsets = np.rint(layer.bias / (scales * self._in_scale()))
        tensors = list(self.graph.tensors)
        tensors[self.head.weight_tensor] = replace(
            weights, data=codes.reshape(weights.shape), quantization=_code(weights, stated)
        )
        tensors[self.head.bias_tensor] = replace(
            bias,
            data=offsets.clip(-(2**31), 2**31 - 1).astype(np.int32).reshape(bias.shape),
            quantization=_code(bias, (stated * np.float32(self._in_scale())).astype(np.float32)),
        )
        made = replace(self.graph, tensors=tuple(tensors))
        if head_of(made) is None:
            raise DataError(
                "the last layer that was fitted is beyond what the board computes exactly",
                why="its weights are too large for the model's scales",
                fix="check the reference force and the sensors' units",
            )
        return write_tflite(made)

    def _tensor(self, index: int) -> Tensor:
        return self.graph.tensors[index]

    def _in_scale(self) -> float:
        code = self._tensor(self.head.source).quantization
        assert code is not None
        return float(code.scales[0])

    def _weight_scales(self) -> NDArray[np.float64]:
        code = self._tensor(self.head.weight_tensor).quantization
        assert code is not None
        return np.broadcast_to(code.scales.astype(np.float64), (len(self.head.weights),))


def head_of(graph: Graph) -> Head | None:
    """The last layer that a board may replace; None where the model has no such."""
    last = make_plan(graph).last
    return last.head if last else None


def _code(tensor: Tensor, scales: NDArray[np.float32]) -> Quantization:
    was = tensor.quantization
    axis = was.axis if was else 0
    return Quantization(scales, np.zeros(len(scales), np.int64), axis)


def _features(graph: Graph, head: Head) -> HostModel:
    """The model up to its last layer, as C on this computer."""
    states = {after for _, after in graph.states}
    tensors, operators = list(graph.tensors), []
    for operator in graph.operators:
        if head.target in operator.outputs:
            break
        operators.append(operator)
    source = graph.tensors[head.source]
    tensors += [
        replace(source, name="features"),
        Tensor("features/shape", (len(source.shape),), "int32", data=np.array(source.shape, np.int32)),
    ]
    operators.append(
        Operator("RESHAPE", (head.source, len(tensors) - 1), (len(tensors) - 2,), {"new_shape": source.shape})
    )
    outputs = tuple(index if index in states else len(tensors) - 2 for index in graph.outputs)
    cut = Graph(tuple(tensors), tuple(operators), graph.inputs, outputs, graph.description)
    with tempfile.TemporaryDirectory(prefix="edgegrf-") as name:
        path = Path(name) / "features.tflite"
        path.write_bytes(write_tflite(cut))
        return HostModel(path)
