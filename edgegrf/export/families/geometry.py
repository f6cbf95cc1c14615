# SPDX-License-Identifier: Apache-2.0
"""The windows of convolutions and pools, and the border around what they look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgegrf.export.lowered import Node
from edgegrf.export.lowering import Lowering, OnnxNode

__all__ = ["Geometry", "pad"]


@dataclass
class Geometry:
    """Of a 2-D convolution, each (h, w); `before` and `after` are the zeros put around the input."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    before: tuple[int, int]
    after: tuple[int, int]

    @classmethod
    def of(cls, lowering: Lowering, node: OnnxNode, kernel: Sequence[int]) -> Geometry:
        """That of a Conv or pool with a `kernel` (h, w)."""
        if node.attributes.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
            lowering.refuse(node, "its padding is automatic", "explicit padding")
        rank = len(node.attributes.get("kernel_shape", kernel))
        pads = list(node.attributes.get("pads", [0] * 2 * rank))

        def pair(values: list[int], fill: int) -> tuple[int, int]:
            height, width = [fill] * (2 - len(values)) + list(values)
            return height, width

        return cls(
            (kernel[0], kernel[1]),
            pair(node.attributes.get("strides", [1] * rank), 1),
            pair(node.attributes.get("dilations", [1] * rank), 1),
            pair(pads[:rank], 0),
            pair(pads[rank:], 0),
        )

    def output(self, size: tuple[int, int]) -> tuple[int, int]:
        """(height, width) of the output for an input of `size`."""
        height, width = (self._output(size[axis], axis) for axis in (0, 1))
        return height, width

    def _output(self, size: int, axis: int) -> int:
        room = size + self.before[axis] + self.after[axis] - self.dilation[axis] * (self.kernel[axis] - 1)
        return (room - 1) // self.stride[axis] + 1

    def is_same(self, size: tuple[int, int]) -> bool:
        """True if TFLite's SAME puts the very same border, of 1 or more, around an input of `size`."""
        if not any((*self.before, *self.after)):
            return False
        for axis in (0, 1):
            outputs = -(-size[axis] // self.stride[axis])
            span = (outputs - 1) * self.stride[axis] + self.dilation[axis] * (self.kernel[axis] - 1) + 1
            zeros = max(span - size[axis], 0)
            if (self.before[axis], self.after[axis]) != (zeros // 2, zeros - zeros // 2):
                return False
        return True


def pad(lowering: Lowering, source: str, geometry: Geometry, kind: str = "PAD") -> str:
    """`source` in the border that `geometry` asks for: zeros with PAD, less than everything with PADV2."""
    sides = list(zip(geometry.before, geometry.after, strict=True))
    if not any(map(any, sides)):
        return source
    batch, height, width, channels = lowering.shapes[source]
    padded = (batch, height + sum(sides[0]), width + sum(sides[1]), channels)
    name = f"{source}/{kind.lower()}{'_'.join(str(n) for side in sides for n in side)}"
    if name not in lowering.shapes:
        pads = [[0, 0], list(sides[0]), list(sides[1]), [0, 0]]
        lowering.emit(Node(kind, [source], name, {"pads": pads}), padded, lowering.observed[source])
        for held in (lowering.layouts, lowering.gains, lowering.parts):
            if source in held:
                held[name] = held[source]  # type: ignore[assignment]
    return name
