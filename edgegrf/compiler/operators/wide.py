# SPDX-License-Identifier: Apache-2.0
"""int16x8: the constants of eg_kernels16.h, and proofs that its 64-bit and 32-bit sums are exact.

TFLite Micro multiplies a 64-bit sum by 16 bits of the multiplier (MultiplyByQuantizedMultiplier of int64),
which it states to be right for sums within 2^47 and shifts from -31 to 7.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.compiler.arithmetic import Multiplier, activation_range, fits, multiplier
from edgegrf.compiler.lowering import Lowering, Node, View
from edgegrf.compiler.operators.curves import leaky_multiplier
from edgegrf.compiler.plan import Array, Layer
from edgegrf.errors import ModelError, UnsupportedError

__all__ = ["HEADER", "Wide", "curve", "relu", "weighted"]

HEADER = "eg_kernels16.h"

_LARGEST_SUM = 1 << 47
_LARGEST = (1 << 31) - 1
_SHIFTS = range(-31, 8)


@dataclass(frozen=True)
class Wide:
    """A weighted layer: out = clamp((bias + matrix x) * multiplier, rounded)."""

    name: str
    matrix: NDArray[np.int8]  # [outputs, depth]
    bias: NDArray[np.int64]
    multiplier: NDArray[np.int16]
    shift: NDArray[np.int8]
    least: int
    most: int

    @property
    def ends(self) -> tuple[tuple[str, Any], ...]:
        """The fields that end every struct."""
        return ("activation_min", self.least), ("activation_max", self.most)

    def arrays(self, weights: NDArray[np.int8]) -> tuple[tuple[tuple[str, Any], ...], tuple[Array, ...]]:
        """The pointers that begin every struct, and what they point to."""
        arrays = (
            Array(f"{self.name}_weights", "int8_t", weights),
            Array(f"{self.name}_bias", "int64_t", self.bias),
            Array(f"{self.name}_multiplier", "int16_t", self.multiplier),
            Array(f"{self.name}_shift", "int8_t", self.shift),
        )
        return tuple((array.name.removeprefix(f"{self.name}_"), array.name) for array in arrays), arrays

    def dense(self) -> tuple[tuple[tuple[str, Any], ...], tuple[Array, ...]]:
        """Fields and arrays of struct eg_dense16."""
        pointers, arrays = self.arrays(self.matrix)
        outputs, depth = self.matrix.shape
        return (*pointers, ("depth", depth), ("outputs", outputs), *self.ends), arrays


def weighted(
    lowering: Lowering, node: Node, name: str, matrix: NDArray[np.int8], by: list[Multiplier]
) -> Wide:
    """The layer of weights [outputs, depth]; refuses what TFLite Micro does not hold exactly."""
    if len(node.inputs) < 3:
        raise UnsupportedError(
            f"{node.place} has no bias", node=node.place, why="int16x8 is compiled with one"
        )
    bias = lowering.constant(node, 2, "int64").reshape(-1).astype(np.int64)
    if len(bias) != len(matrix):
        raise ModelError(f"{node.place}: {len(bias)} biases for {len(matrix)} channels")
    magnitude = np.abs(matrix.astype(np.int64)).sum(1)
    if np.abs(bias).max() >= _LARGEST_SUM or magnitude.max() >= 1 << 31:
        raise _refusal(node, "a bias or a sum of weights", by[0])
    reduced = [min((one.mantissa + (1 << 15)) >> 16, 0x7FFF) for one in by]
    for o, one in enumerate(by):
        largest = int(magnitude[o]) * 32768 + abs(int(bias[o]))
        scaled = ((largest * reduced[o]) >> (15 - one.shift)) + 1
        if one.shift not in _SHIFTS or largest >= _LARGEST_SUM or scaled > _LARGEST:
            raise _refusal(node, f"a sum of up to {largest}", one)
    scale, _ = lowering.quantization(node.output)
    activation = node.options.get("activation", "NONE")
    least, most = activation_range(activation, scale, 0, node.place, (lowering.least, lowering.most))
    shifts = np.array([15 - one.shift for one in by], np.int8)
    return Wide(name, matrix, bias, np.array(reduced, np.int16), shifts, least, most)


def _refusal(node: Node, what: str, by: Multiplier) -> UnsupportedError:
    return UnsupportedError(
        f"{node.place}: 47 bits are too few for its accumulator",
        node=node.place,
        why=f"{what}, scaled by 2^{by.shift}",
        fix="quantise the model again",
    )


def curve(lowering: Lowering, node: Node) -> None:
    """LOGISTIC or TANH, whose output has the scale 2^-15."""
    scale, _ = lowering.quantization(node.inputs[0])
    out_scale, _ = lowering.quantization(node.output)
    if float(out_scale) != 1 / 32768:
        why = f"its output has scale {float(out_scale):.9g}; TFLite defines it for 2^-15"
        raise UnsupportedError(f"{node.place}: changes the scale", node=node.place, why=why)
    factor, shift = _input_multiplier(float(scale), node.kind == "TANH")
    if not 0 < factor <= 0xFFFF:
        what = f"{node.place}: its input's scale {float(scale):.9g} is beyond this operator"
        raise UnsupportedError(what, node=node.place, fix="quantise the model again")
    fields = (("multiplier", factor), ("shift", shift))
    _one_by_one(lowering, node, f"eg_{node.kind.lower()}16", "eg_curve16.c", "eg_curve16", fields)


def _input_multiplier(scale: float, tanh: bool) -> tuple[int, int]:
    """What takes an input to units of 1 / (3 * 4096), as TFLite Micro's Prepare has it."""
    fraction, exponent = math.frexp(scale)
    up = exponent - 1 + 12
    if fraction == 0.5 and up in ((0, 1) if tanh else (0,)):
        return 3 << up, 0
    factor, shift = scale * 4096.0 * 3.0, 0
    while factor <= 32767.0 / 2.0 and shift <= 30:
        factor, shift = factor * 2.0, shift + 1
    return int(min(factor, 1 << 31)), shift


def relu(lowering: Lowering, node: Node) -> None:
    """RELU, RELU6, LEAKY_RELU or QUANTIZE: a factor from 0 on, a factor below, two bounds."""
    scale, _ = lowering.quantization(node.inputs[0])
    out_scale, _ = lowering.quantization(node.output)
    with np.errstate(over="ignore"):
        ratio = float(np.float32(scale) / np.float32(out_scale))  # as RELU takes it
    by = below = multiplier(ratio if node.kind in ("RELU", "RELU6") else float(scale) / float(out_scale))
    if node.kind == "LEAKY_RELU":
        below = leaky_multiplier(scale, node.options["alpha"], out_scale, node.place)
    fits(32768, by, node.place)
    fits(32768, below, node.place)
    bounded = node.kind if node.kind in ("RELU", "RELU6") else "NONE"
    ends = activation_range(bounded, out_scale, 0, node.place, (lowering.least, lowering.most))
    fields = (
        ("multiplier", by.mantissa),
        ("shift", by.shift),
        ("multiplier_below", below.mantissa),
        ("shift_below", below.shift),
    )
    clamps = (("activation_min", ends[0]), ("activation_max", ends[1]))
    _one_by_one(lowering, node, "eg_relu16", "eg_relu16.c", "eg_relu16", (*fields, *clamps))


def _one_by_one(
    lowering: Lowering, node: Node, kernel: str, file: str, struct: str, fields: tuple[tuple[str, Any], ...]
) -> None:
    """Add the layer of a function of one value at a time."""
    source: View = lowering.view(node.inputs[0])
    if source.shape != node.out.shape:
        raise ModelError(f"{node.place}: {list(source.shape)} in, {list(node.out.shape)} out")
    step = math.prod(source.frame())
    call = f"{kernel}(&{{p}}, %d, {{in0}}, {{out}})"
    layer = Layer(
        name=node.name(node.kind.lower()),
        kind=node.kind,
        place=node.place,
        shape=node.out.shape,
        inputs=(source.value,),
        output=0,
        window=call % (step * source.frames()),
        step=call % step,
        sources=(HEADER, file),
        struct=struct,
        fields=fields,
        in_place=(0,),
    )
    lowering.finish(node, layer, source.time)
