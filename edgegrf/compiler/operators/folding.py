# SPDX-License-Identifier: Apache-2.0
"""Weights and biases with the input's zero point folded in, proven to stay within int32."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.compiler.arithmetic import Multiplier, activation_range, fits
from edgegrf.compiler.lowering import Lowering, Node
from edgegrf.compiler.plan import Array
from edgegrf.errors import ModelError

__all__ = ["Folded", "fold"]


@dataclass(frozen=True)
class Folded:
    """A weighted layer: out = clamp(requantise(bias + matrix x, by) + zero_point)."""

    name: str
    matrix: NDArray[np.int8]  # [outputs, depth]
    bias: NDArray[np.int64]  # [outputs], within int32
    by: tuple[Multiplier, ...]  # per output
    largest: int  # that |bias + matrix x| and |bias| can reach
    input_zero_point: int
    zero_point: int  # of the output
    least: int  # the fused activation's range
    most: int

    @property
    def output(self) -> tuple[tuple[str, Any], ...]:
        """The fields that end every generic kernel's struct."""
        return (
            ("output_zero_point", self.zero_point),
            ("activation_min", self.least),
            ("activation_max", self.most),
        )

    def generic(self) -> tuple[tuple[tuple[str, Any], ...], tuple[Array, ...]]:
        """Fields and arrays of struct eg_dense."""
        arrays = (
            Array(f"{self.name}_weights", "int8_t", self.matrix),
            Array(f"{self.name}_bias", "int32_t", self.bias.astype(np.int32)),
            Array(f"{self.name}_multiplier", "int32_t", np.array([m.mantissa for m in self.by], np.int32)),
            Array(f"{self.name}_shift", "int8_t", np.array([m.shift for m in self.by], np.int8)),
        )
        pointers = tuple((array.name.removeprefix(f"{self.name}_"), array.name) for array in arrays)
        outputs, depth = self.matrix.shape
        return (*pointers, ("depth", depth), ("outputs", outputs), *self.output), arrays


def fold(lowering: Lowering, node: Node, name: str, matrix: NDArray[np.int8], by: list[Multiplier]) -> Folded:
    """Weights [outputs, depth] with the input's zero point in the bias; refuses what int32 cannot hold."""
    _, zero_point = lowering.quantization(node.inputs[0])
    wide = matrix.astype(np.int64)
    bias = _biases(lowering, node, len(matrix))
    folded = bias - zero_point * wide.sum(1)
    magnitude = np.abs(wide).sum(1)
    centred = np.abs(bias) + magnitude * max(127 - zero_point, zero_point + 128)
    for o, multiplier in enumerate(by):
        running = max(int(centred[o]), abs(int(folded[o])) + 128 * int(magnitude[o]))
        fits(running, Multiplier(0, 0), node.place)
        fits(int(centred[o]), multiplier, node.place)
    scale, out_zero = lowering.quantization(node.output)
    least, most = activation_range(node.options.get("activation", "NONE"), scale, out_zero, node.place)
    largest = int(max(centred.max(), np.abs(folded).max()))
    return Folded(name, matrix, folded, tuple(by), largest, zero_point, out_zero, least, most)


def _biases(lowering: Lowering, node: Node, channels: int) -> NDArray[np.int64]:
    """The int32 biases as int64 [channels], zeros where there are none."""
    if len(node.inputs) < 3:
        return np.zeros(channels, np.int64)
    bias = lowering.constant(node, 2, "int32").reshape(-1).astype(np.int64)
    if len(bias) != channels:
        raise ModelError(f"{node.place}: {len(bias)} biases for {channels} channels")
    return bias
