# SPDX-License-Identifier: Apache-2.0
"""ConvTranspose over time: one CONV_2D that gives all of a sample's outputs, which then follow each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgegrf.export.arrange import channels_last
from edgegrf.export.families.geometry import Geometry, pad
from edgegrf.export.layout import Atom
from edgegrf.export.lowered import Node
from edgegrf.export.lowering import Lowering, OnnxNode

__all__ = ["HANDLERS", "REPLACEMENTS"]

Floats = NDArray[np.float32]
_FIX = "ConvTranspose1d(kernel_size=2, stride=2), or Upsample and Conv1d"


@dataclass(frozen=True)
class _Phases:
    """Output q * stride + phase sees inputs q - back .. q + ahead."""

    stride: int
    back: int
    ahead: int

    def weights(self, kernel: Floats, crop: int) -> Floats:
        """[in, out, taps] as CONV_2D's [phases * out, 1, inputs seen, in]; `crop` outputs go in front."""
        inputs, outputs, taps = kernel.shape
        placed = np.zeros((self.stride, outputs, self.back + 1 + self.ahead, inputs), np.float32)
        for phase in range(self.stride):
            for seen in range(placed.shape[2]):
                tap = phase + crop + (self.back - seen) * self.stride
                if 0 <= tap < taps:
                    placed[phase, :, seen] = kernel[:, :, tap].T
        return placed.reshape(self.stride * outputs, 1, -1, inputs)


def _conv_transpose(lowering: Lowering, node: OnnxNode) -> None:
    kernel, bias = lowering.constant(node, 1), lowering.constant(node, 2)
    value, source, (batch, height, width, _) = channels_last(lowering, node, lowering.value(node))
    if kernel is None or kernel.ndim != 3 or node.attributes.get("group", 1) != 1 or height != 1:
        lowering.refuse(node, "it is grouped, or not over time alone", _FIX)
    phases, crop = _phases(lowering, node, kernel.shape[2])
    outputs = kernel.shape[1]
    biases = np.zeros(outputs, np.float32) if bias is None else bias
    activation, output = lowering.activation(node.outputs[0])
    geometry = Geometry(
        (1, phases.back + 1 + phases.ahead), (1, 1), (1, 1), (0, phases.back), (0, phases.ahead)
    )
    weights = phases.weights(kernel, crop)[..., value.layout.indices(1)]
    options = {"padding": "VALID", "stride": (1, 1), "dilation": (1, 1), "activation": activation}
    source = pad(lowering, source, geometry)
    all_biases = np.tile(biases, phases.stride)
    made = Node("CONV_2D", [source], output, options, np.ascontiguousarray(weights), all_biases, node.place)
    tensor = lowering.emit(made, (batch, 1, width, phases.stride * outputs), output)
    time, phase, channel = Atom(width), Atom(phases.stride), Atom(outputs)
    dims = [value.layout.dims[0], (channel,), (time, phase)]
    lowering.bind(output, tensor, dims, [*value.layout.real(0), time, phase, channel])


def _phases(lowering: Lowering, node: OnnxNode, taps: int) -> tuple[_Phases, int]:
    """What each output sees, and how many outputs are cut in front; there must be `stride` for each input."""
    (stride,), (before, after) = node.attributes.get("strides", [1]), node.attributes.get("pads", [0, 0])
    (more,) = node.attributes.get("output_padding", [0])
    if (
        node.attributes.get("dilations", [1]) != [1]
        or node.attributes.get("auto_pad", b"NOTSET") != b"NOTSET"
    ):
        lowering.refuse(node, "it is dilated, or pads automatically", _FIX)
    if taps - before - after + more != stride:
        lowering.refuse(node, f"it does not give {stride} outputs for each input", _FIX)
    back = (taps - 1 - before) // stride
    return _Phases(stride, max(back, 0), (stride - 1 + before) // stride), before


HANDLERS = {"ConvTranspose": _conv_transpose}
REPLACEMENTS: dict[str, str] = {}
