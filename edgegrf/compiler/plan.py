# SPDX-License-Identifier: Apache-2.0
"""What a graph becomes before it is C: layers that call kernels, and the values that pass between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

__all__ = ["Array", "Layer", "Plan", "Ring", "Value"]


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
    """Activations between layers: bytes in a whole window (`size`) and per sample in a stream (`step`)."""

    index: int
    role: str  # input, output (written by its layer straight into the caller's buffer), state, inner
    size: int
    step: int
    label: str


@dataclass(frozen=True)
class Layer:
    """One kernel call.

    `window` and `step` are C calls with places for in0, in1, out, scratch (pointers to the plan's type),
    words (the scratch as words), ring (as bytes), head and p, the name of the layer's struct or table.
    `step` is empty where the layer cannot stream.  Constants among the inputs stand in the calls by name;
    `inputs` are the values alone.
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
    receptive_field: int  # samples that an estimate depends on; 0 where it is not bounded
    stream_refusal: str  # why there is no stream mode; empty where there is
    dtype: str = "int8"  # of all activations; int16 in int16x8

    @property
    def value_bytes(self) -> int:
        """Bytes of an activation."""
        return 2 if self.dtype == "int16" else 1

    @property
    def window(self) -> bool:
        return not self.states

    @property
    def stream(self) -> bool:
        return not self.stream_refusal
