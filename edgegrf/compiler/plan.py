# SPDX-License-Identifier: Apache-2.0
"""What a graph becomes before it is C: layers that call kernels, and the values that pass between them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.compiler.timing import EVERY_SAMPLE, Clock, Timing

__all__ = ["Array", "Head", "Layer", "Plan", "Ring", "Value"]


#: of the last layer's constants, beyond which they are not replaced: they lie in RAM, and in a page of flash
_HEAD_BYTES = 1024


@dataclass(frozen=True)
class Array:
    """A constant of a layer: `name` in the C file, its C type, its values."""

    name: str
    ctype: str  # int8_t, int32_t, int64_t, uint32_t or a struct
    data: NDArray[Any]


@dataclass(frozen=True)
class Ring:
    """The rows that a layer keeps from sample to sample, all at the zero point after a reset."""

    rows: int
    row_bytes: int
    zero_point: int

    @property
    def bytes(self) -> int:
        return self.rows * self.row_bytes


@dataclass(frozen=True)
class Value:
    """Activations between layers: bytes in a whole window (`size`) and per row of a stream (`step`)."""

    index: int
    role: str  # input, output (written by its layer straight into the caller's buffer), state, inner
    size: int
    step: int
    label: str
    timing: Timing


@dataclass(frozen=True)
class Head:
    """A last layer whose constants may be replaced on the board (eg_head.h), as the `.tflite` has it."""

    weights: NDArray[np.int8]  # [outputs, depth]
    scales: NDArray[np.int32]  # [outputs, 3]: bias, and the multiplier's mantissa and shift
    input_zero_point: int
    output_zero_point: int
    source: int  # tensors of the graph: the layer's input, weights, biases and output
    weight_tensor: int
    bias_tensor: int
    target: int


@dataclass(frozen=True)
class Layer:
    """One kernel call.

    `window` and `step` are C calls with places for in0, in1, out, scratch (pointers to the plan's type),
    words (the scratch as words), ring (as bytes), head and p, the name of the layer's struct or table.
    `step` is empty where the layer cannot stream, `window` where a window has no need of it: its output is
    its input.  Constants among the inputs stand in the calls by name; `inputs` are the values alone.

    A stream calls `step` with a sample that brings an input, by `source`, and makes an output, by `clock`;
    `keep` with one that only brings an input, which goes into the ring; `hold` with one that only makes an
    output, out of the ring.
    """

    name: str
    kind: str
    place: str
    shape: tuple[int, ...]
    inputs: tuple[int, ...]
    output: int
    window: str
    step: str
    sources: tuple[str, ...]
    struct: str = ""  # the parameters' C type; none for a plain table
    fields: tuple[tuple[str, Any], ...] = ()  # (field, C initialiser or nested fields)
    arrays: tuple[Array, ...] = ()
    macs: int = 0  # of a window
    step_macs: int = 0
    scratch: int = 0  # bytes while it runs over a window
    step_scratch: int = 0  # and over a sample
    ring: Ring | None = None
    in_place: tuple[int, ...] = ()  # inputs (positions) whose buffer may become the output's
    window_in_place: tuple[int, ...] = ()  # the same in window mode alone
    clock: Clock = EVERY_SAMPLE  # of the output
    source: Clock = EVERY_SAMPLE  # of the inputs
    keep: str = ""
    hold: str = ""
    head: Head | None = None  # set where it could be the last one

    @property
    def constant_bytes(self) -> int:
        return sum(array.data.nbytes for array in self.arrays)


@dataclass(frozen=True)
class Plan:
    """A model ready to be written as C; times in samples."""

    layers: tuple[Layer, ...]
    values: tuple[Value, ...]
    input: int  # values
    output: int
    states: tuple[tuple[int, int, int], ...]  # (state, the value it takes next, its zero point)
    samples: int  # of a window; 1 for a step model
    estimates: int
    input_channels: int
    output_channels: int
    input_scale: float
    input_zero_point: int
    output_scale: float
    output_zero_point: int
    timing: Timing  # of the estimates
    stream_refusal: str  # why there is no stream mode; empty where there is
    dtype: str = "int8"  # of all activations; int16 in int16x8

    @property
    def value_bytes(self) -> int:
        """Bytes of an activation."""
        return 2 if self.dtype == "int16" else 1

    @property
    def clock(self) -> Clock:
        """When a stream gives its estimates."""
        return self.timing.clock

    @property
    def receptive_field(self) -> int:
        """How many samples an estimate depends on; 0 where that is not bounded or not followed."""
        return self.timing.reach + 1 if self.stream and not self.states else 0

    @property
    def lookahead(self) -> int:
        """Samples beyond the last of its period that an estimate waits for; below 0: it comes before that."""
        return self.clock.first - (self.clock.period - 1)

    @property
    def grain(self) -> int:
        """Samples after which a stream's layers run alike again: windows that begin so far apart agree."""
        return math.lcm(*(layer.clock.period for layer in self.layers))

    def run(self, *, stream: bool) -> tuple[Layer, ...]:
        """The layers of one mode, in their order."""
        if stream:
            return self.layers
        same: dict[int, int] = {}
        for layer in self.layers:
            if not layer.window:
                before = same.get(layer.inputs[0], layer.inputs[0])
                if layer.output == self.output:  # the caller's buffer stands for both
                    same = {key: layer.output if value == before else value for key, value in same.items()}
                    same[before] = layer.output
                else:
                    same[layer.output] = before
        return tuple(
            replace(
                layer,
                inputs=tuple(same.get(value, value) for value in layer.inputs),
                output=same.get(layer.output, layer.output),
            )
            for layer in self.layers
            if layer.window
        )

    @property
    def last(self) -> Layer | None:
        """The layer whose constants may be replaced on the board; None where the model has no such."""
        writer = {layer.output: layer for layer in self.layers}
        layer = writer.get(self.output)
        while layer is not None and layer.kind == "RESHAPE":  # a row's parts, given one after the other
            layer = writer.get(layer.inputs[0])
        fits = layer is not None and layer.head is not None and layer.constant_bytes <= _HEAD_BYTES
        return layer if fits else None

    @property
    def window(self) -> bool:
        return not self.states

    @property
    def stream(self) -> bool:
        return not self.stream_refusal
