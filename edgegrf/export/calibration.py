# SPDX-License-Identifier: Apache-2.0
"""What every tensor holds on representative pressure, and the range that int8 shall cover of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import DataError
from edgegrf.export.lowered import Content, Lowered
from edgegrf.export.onnx_file import OnnxRun
from edgegrf.graph.model import NEXT_SUFFIX, STATE_PREFIX
from edgegrf.progress import Progress, silent

__all__ = ["METHODS", "Observed", "observe", "to_onnx_layout"]

Floats = NDArray[np.float32]

_KEPT = 200_000  # values of a tensor that percentiles are computed on
_JUDGED = 10_000  # of those, for the squared error
_SHARES = tuple(float(share) for share in np.linspace(1.0, 0.5, 17))


class Observed:
    """The content of one tensor over all calibration samples: exact extremes and a sample of values.

    Everything is in memory order, so that the channel of element i is i modulo the channels.
    """

    def __init__(self, size: int, keep: int) -> None:
        self.low = np.zeros(size, np.float32)
        self.high = np.zeros(size, np.float32)
        kept = min(size, max(keep, 1))
        self._index = np.sort(np.random.default_rng(0).choice(size, kept, replace=False))
        self._pieces: list[Floats] = []

    def add(self, memory: Floats) -> None:
        """Take in the elements [size] of one invocation."""
        np.minimum(self.low, memory, out=self.low)
        np.maximum(self.high, memory, out=self.high)
        self._pieces.append(memory[self._index])

    @property
    def extremes(self) -> tuple[float, float]:
        """The least and the greatest value, 0 between them."""
        return float(self.low.min()), float(self.high.max())

    @property
    def values(self) -> Floats:
        """The kept values."""
        return np.concatenate(self._pieces)

    def peaks(self, channels: int) -> Floats:
        """The largest magnitude in each channel."""
        largest: Floats = np.maximum(self.high, -self.low).reshape(-1, channels).max(0)
        return largest

    def scaled(self, factors: Floats) -> Observed:
        """What would have been seen, had each channel been multiplied by its factor (> 0)."""
        everywhere = np.resize(factors, self.low.size)
        other = Observed(self.low.size, len(self._index))
        other.low, other.high = self.low * everywhere, self.high * everywhere
        other._pieces = [piece * everywhere[self._index] for piece in self._pieces]
        return other


def to_onnx_layout(shape: Sequence[int], x: Floats) -> Floats:
    """Pressure [T, C] (or [C]) in the shape of an ONNX input: [1, C, T], [1, T, C], frames or [1, C]."""
    if len(shape) == 3 and shape[1] != x.shape[0]:
        return np.ascontiguousarray(x.T[None])
    if len(shape) == 3 and shape[2] != x.shape[1]:
        return np.ascontiguousarray(x.T[None])
    return np.ascontiguousarray(x.reshape(shape))


def observe(
    model: Any, lowered: Lowered, windows: Sequence[Floats], progress: Progress = silent
) -> dict[str, Observed]:
    """Run the simplified ONNX model over `windows` and watch every lowered tensor.

    A window is pressure [T, C]; a step model is run from its reset through each window, sample by sample.
    """
    if not len(windows):
        raise DataError("no window to calibrate on", why="every walk is shorter than the model's window")
    contents = {_key(held): held for held in lowered.observed.values()}
    run = OnnxRun(model, sorted({held.value for held in contents.values()}))
    step = any(name.startswith(STATE_PREFIX) for name in lowered.inputs)
    invocations = sum(len(window) for window in windows) if step else len(windows)
    keep = _KEPT // invocations + 1
    seen = {key: Observed(_size(held), keep) for key, held in contents.items()}
    for index, window in enumerate(windows):
        for values in _invocations(run, model, window, step):
            for key, observed in seen.items():
                observed.add(_memory(contents[key], values[contents[key].value]))
        progress("calibrate", index + 1, len(windows))
    return {tensor: _amplified(seen[_key(held)], held.gain) for tensor, held in lowered.observed.items()}


def _key(held: Content) -> tuple[Any, ...]:
    """The same for tensors that hold the same in the same order, but for the gain."""
    return held.value, held.layout.order, held.part


def _size(held: Content) -> int:
    start, stop, of = held.part or (0, 1, 1)
    return math.prod(held.layout.shape) // of * (stop - start)


def _memory(held: Content, value: Floats) -> Floats:
    """The elements of the tensor, without its gain, in the order of memory."""
    memory = held.layout.in_memory(value)
    if held.part is None:
        return memory
    start, stop, of = held.part
    return memory.reshape(-1, of)[:, start:stop].reshape(-1)


def _amplified(observed: Observed, gain: float) -> Observed:
    return observed if gain == 1.0 else observed.scaled(np.array([gain], np.float32))


def _invocations(run: OnnxRun, model: Any, window: Floats, step: bool) -> Any:
    shapes = {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in model.graph.input
    }
    pressure = next(name for name in run.inputs if not name.startswith(STATE_PREFIX))
    if not step:
        yield run({pressure: to_onnx_layout(shapes[pressure], window)})
        return
    states = {name: np.zeros(shapes[name], np.float32) for name in run.inputs if name != pressure}
    for sample in window:
        values = run({pressure: sample.reshape(shapes[pressure]), **states})
        states = {name: values[name + NEXT_SUFFIX] for name in states}
        yield values


def _minmax(seen: Observed) -> tuple[float, float]:
    return seen.extremes


def _percentile(seen: Observed) -> tuple[float, float]:
    """All but the outermost 0.001 % on each side."""
    low, high = np.quantile(seen.values, [1e-5, 1 - 1e-5])
    return min(float(low), 0.0), max(float(high), 0.0)


def _mse(seen: Observed) -> tuple[float, float]:
    """The range with the least squared rounding and clipping error: each end shrunk in turn, twice."""
    values = seen.values[:: max(1, len(seen.values) // _JUDGED)].astype(np.float64)
    low, high = lowest, highest = seen.extremes
    for _ in range(2):
        high = min((highest * share for share in _SHARES), key=lambda end: _squared(values, low, end))
        low = min((lowest * share for share in _SHARES), key=lambda end: _squared(values, end, high))
    return low, high


def _squared(values: NDArray[np.float64], low: float, high: float) -> float:
    """The mean squared error of int8 codes over low..high."""
    scale = (high - low) / 255
    if scale <= 0:
        return math.inf
    zero = round(-128 - low / scale)
    coded = np.clip(np.rint(values / scale) + zero, -128, 127)
    return float(np.mean(((coded - zero) * scale - values) ** 2))


#: name -> the range (low <= 0 <= high) that a tensor's int8 values shall cover
METHODS: Mapping[str, Callable[[Observed], tuple[float, float]]] = {
    "minmax": _minmax,
    "mse": _mse,
    "percentile": _percentile,
}
