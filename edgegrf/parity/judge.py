# SPDX-License-Identifier: Apache-2.0
"""The judge: TFLite Micro's own interpreter says what a model's bits are; tflite-runtime is the witness."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from edgegrf.errors import MissingToolError, ModelError
from edgegrf.graph.affine import Codes, code_type
from edgegrf.graph.model import Graph

__all__ = ["Judge", "ReferenceRuntime", "TfliteMicro", "run_steps", "run_windows"]


_ARENAS = (1 << 20, 1 << 24, 1 << 27)
_FIX = "pip install 'edgegrf[verify]'"


class Judge(Protocol):
    """Anything that runs a model once: inputs in the graph's order in, outputs in its order out."""

    def invoke(self, inputs: list[Codes]) -> list[Codes]:
        """Run the model on `inputs`, each of the input tensor's shape."""
        ...


class TfliteMicro:
    """The `tflite-micro` interpreter on a model's bytes; the arena grows until the model fits."""

    def __init__(self, model: bytes, graph: Graph) -> None:
        try:
            from tflite_micro.python.tflite_micro import runtime
        except ImportError as error:
            raise MissingToolError("tflite-micro is not installed", fix=_FIX) from error
        self._outputs = len(graph.outputs)
        self._interpreter = _first_that_fits(runtime, model)

    def invoke(self, inputs: list[Codes]) -> list[Codes]:
        for index, value in enumerate(inputs):
            self._interpreter.set_input(value, index)
        self._interpreter.invoke()
        return [np.array(self._interpreter.get_output(index)) for index in range(self._outputs)]


class ReferenceRuntime:
    """tflite-runtime with its reference kernels (BUILTIN_REF), the second witness."""

    def __init__(self, model: bytes) -> None:
        try:
            from tflite_runtime.interpreter import Interpreter, OpResolverType
        except ImportError as error:
            raise MissingToolError("tflite-runtime is not installed", fix=_FIX) from error
        self._interpreter = Interpreter(
            model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
        )
        self._interpreter.allocate_tensors()
        self._inputs = [detail["index"] for detail in self._interpreter.get_input_details()]
        self._outputs = [detail["index"] for detail in self._interpreter.get_output_details()]

    def invoke(self, inputs: list[Codes]) -> list[Codes]:
        for index, value in zip(self._inputs, inputs, strict=True):
            self._interpreter.set_tensor(index, value)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]


def run_windows(judge: Judge, graph: Graph, windows: Codes) -> Codes:
    """Run a model without state on windows [N, ...]; returns [N, samples, channels].

    The elements of one window must be as many as the input tensor's; its shape is given to them.
    """
    shape = graph.tensors[graph.inputs[0]].shape
    out = graph.tensors[graph.outputs[0]].shape
    results = [judge.invoke([window.reshape(shape)])[0] for window in windows]
    return np.array(results, code_type(graph)).reshape(len(windows), -1, out[-1])


def run_steps(judge: Judge, graph: Graph, samples: Codes) -> Codes:
    """Run a step model on samples [T, ...] from its reset state; returns [T, channels].

    At reset every state holds its zero point, which stands for 0.0.
    """
    states = {
        source: np.full(graph.tensors[source].shape, _zero(graph, source), code_type(graph))
        for source, _ in graph.states
    }
    next_of = {target: source for source, target in graph.states}
    estimates = []
    for sample in samples:
        inputs = [
            states[index] if index in states else sample.reshape(graph.tensors[index].shape)
            for index in graph.inputs
        ]
        for index, value in zip(graph.outputs, judge.invoke(inputs), strict=True):
            if index in next_of:
                states[next_of[index]] = value
            else:
                estimates.append(value.reshape(-1))
    return np.array(estimates, code_type(graph))


def _zero(graph: Graph, tensor: int) -> int:
    quantization = graph.tensors[tensor].quantization
    return int(quantization.zero_points[0]) if quantization else 0


def _first_that_fits(runtime: Any, model: bytes) -> Any:
    refusal: RuntimeError | None = None
    for arena in _ARENAS:
        try:
            return runtime.Interpreter.from_bytes(model, arena_size=arena)
        except RuntimeError as error:
            refusal = error
    raise ModelError("tflite-micro refuses the model", why=str(refusal)) from refusal
