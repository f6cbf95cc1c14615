# SPDX-License-Identifier: Apache-2.0
"""CONV_2D and DEPTHWISE_CONV_2D, over time, within a frame, or both."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.compiler.arithmetic import multiplier
from edgegrf.compiler.lowering import Lowering, Node, View
from edgegrf.compiler.operators import dense, packed
from edgegrf.compiler.operators.folding import fold
from edgegrf.compiler.operators.geometry import Geometry, take_padding, timed, windows
from edgegrf.compiler.operators.wide import HEADER, weighted
from edgegrf.compiler.plan import Array, Layer
from edgegrf.errors import ModelError, UnsupportedError

__all__ = ["lower"]


@dataclass(frozen=True)
class _Kernel:
    """The kernel of a layer: the generic one, and the packed one where it may take that."""

    generic: str
    layer: str
    fields: tuple[tuple[str, Any], ...]
    arrays: tuple[Array, ...]
    fast: packed.Packed | None

    @property
    def function(self) -> str:
        return self.fast.struct if self.fast else self.generic

    @property
    def scratch(self) -> str:
        return "{words}" if self.fast else "{scratch}"

    def window(self, frames: int) -> str:
        if self.fast and self.fast.window:
            return f"{self.fast.window}(&{{p}}, {{in0}}, {{words}}, {{out}})"
        return f"{self.function}(&{{p}}, {frames}, {{in0}}, {self.scratch}, {{out}})"

    def complete(self, layer: Layer, geometry: Geometry, zero_point: int) -> Layer:
        """`layer` with its parameters, constants and scratch."""
        if self.fast:
            return self.fast.complete(layer)
        wide = self.generic.endswith("16")
        if wide:  # patches are gathered as bytes
            geometry = replace(geometry, channels=2 * geometry.channels)
        patch = geometry.taps * geometry.channels
        dense = {"eg_conv": ("eg_dense.c",), "eg_conv16": ("eg_dense16.c",)}.get(self.generic, ())
        header = (HEADER,) if wide else ()
        return replace(
            layer,
            struct=self.generic,
            fields=(("geometry", geometry.fields(zero_point)), *self.fields),
            arrays=self.arrays,
            scratch=patch,
            step_scratch=patch,
            sources=(f"{self.generic}.c", "eg_patch.c", *dense, *header),
        )


def lower(lowering: Lowering, node: Node) -> None:
    source = take_padding(lowering, node)
    kernel = dense.weights(lowering, node)
    if kernel.ndim != 4:
        raise ModelError(f"{node.place}: weights of shape {list(kernel.shape)}")
    depthwise = node.kind == "DEPTHWISE_CONV_2D"
    outputs = kernel.shape[3 if depthwise else 0]
    if node.out.shape[-1:] != (outputs,):
        raise ModelError(f"{node.place}: {outputs} channels of weights, output {list(node.out.shape)}")
    geometry = windows(lowering, node, source, (kernel.shape[1], kernel.shape[2]))
    by = _multipliers(lowering, node, 3 if depthwise else 0, outputs)
    if depthwise:
        _depthwise(lowering, node, source, geometry, kernel, by)
        return
    if kernel.shape[3] != geometry.channels:
        raise UnsupportedError(
            f"{node.place}: {kernel.shape[3]} channels of weights for {geometry.channels} of input",
            node=node.place,
            why="grouped convolutions are not in the set",
            fix="use groups 1 or depthwise",
        )
    matrix = kernel.reshape(outputs, -1)
    if geometry.pointwise:
        dense.emit(lowering, node, source, matrix, by)
        return
    name = node.name("conv")
    if lowering.wide:
        inner, arrays = weighted(lowering, node, name, matrix, by).dense()
        which = _Kernel("eg_conv16", name, (("dense", inner),), arrays, None)
    else:
        folded = fold(lowering, node, name, matrix, by)
        inner, arrays = folded.generic()
        fast = packed.conv(folded, geometry, lowering.quantization(node.inputs[0])[1])
        which = _Kernel("eg_conv", name, (("dense", inner),), arrays, fast)
    _emit(lowering, node, source, geometry, which, kernel.size)


def _multipliers(lowering: Lowering, node: Node, axis: int, outputs: int) -> list[Any]:
    scales = np.broadcast_to(dense.weight_scales(lowering, node, axis, outputs), (outputs,))
    in_scale, _ = lowering.quantization(node.inputs[0])
    out_scale, _ = lowering.quantization(node.output)
    return [multiplier(float(in_scale) * float(scale) / float(out_scale)) for scale in scales]


def _depthwise(
    lowering: Lowering, node: Node, source: View, geometry: Geometry, kernel: NDArray[np.int8], by: list[Any]
) -> None:
    outputs = kernel.shape[3]
    multiplicity = outputs // geometry.channels
    if kernel.shape[0] != 1 or multiplicity * geometry.channels != outputs:
        raise ModelError(f"{node.place}: {outputs} outputs of {geometry.channels} input channels")
    if node.options["depth_multiplier"] != multiplicity:
        said = node.options["depth_multiplier"]
        raise ModelError(f"{node.place}: depth multiplier {said}, not {multiplicity}")
    taps = kernel.reshape(-1, outputs)
    if lowering.wide:
        layer = weighted(lowering, node, node.name("depthwise"), np.ascontiguousarray(taps.T), by)
        if int(np.abs(layer.matrix.astype(np.int64)).sum(1).max()) << 15 >= 1 << 31:
            raise UnsupportedError(f"{node.place}: a kernel of {len(taps)} taps in int16x8", node=node.place)
        pointers, arrays = layer.arrays(taps)
        fields = (*pointers, ("multiplicity", multiplicity), *layer.ends)
        which = _Kernel("eg_depthwise16", layer.name, fields, arrays, None)
        _emit(lowering, node, source, geometry, which, kernel.size)
        return
    folded = fold(lowering, node, node.name("depthwise"), np.ascontiguousarray(taps.T), by)
    inner, arrays = folded.generic()
    arrays = (Array(f"{folded.name}_weights", "int8_t", taps), *arrays[1:])
    fields = tuple(field for field in inner if field[0] not in ("depth", "outputs"))
    fields = (*fields[:4], ("multiplicity", multiplicity), *fields[4:])
    fast = packed.depthwise(folded, geometry, lowering.quantization(node.inputs[0])[1])
    which = _Kernel("eg_depthwise", folded.name, fields, arrays, fast)
    _emit(lowering, node, source, geometry, which, kernel.size)


def _emit(
    lowering: Lowering, node: Node, source: View, geometry: Geometry, kernel: _Kernel, macs_per_position: int
) -> None:
    _, zero_point = lowering.quantization(node.inputs[0])
    time, timing = timed(lowering, node, source, geometry)
    layer = Layer(
        name=kernel.layer,
        kind=node.kind,
        place=node.place,
        shape=node.out.shape,
        inputs=(source.value,),
        output=0,
        window=kernel.window(geometry.frames),
        step=f"{kernel.function}(&{{p}}, 1, {{in0}}, {kernel.scratch}, {{out}})",
        sources=(),
        macs=macs_per_position * math.prod(node.out.shape[:3]),
        step_macs=macs_per_position * geometry.per_step,
    )
    layer = kernel.complete(layer, geometry, zero_point)
    if not geometry.rows_are_time or time is None:
        lowering.finish(node, layer, time)
        return
    step = f"{kernel.function}_step(&{{p}}, {{ring}}, {{head}}, {{in0}}, {kernel.scratch}, {{out}})"
    layer = replace(layer, step=step, ring=geometry.ring(lowering.value_bytes, zero_point))
    if timing.clock != lowering.timing(source).clock:
        keep = "eg_ring_push(&{p}.geometry, {ring}, {head}, (const int8_t *)({in0}))"
        layer = replace(layer, keep=keep, sources=(*layer.sources, "eg_patch.c"))
    lowering.finish(node, layer, time, timing=timing)
