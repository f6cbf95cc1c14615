# SPDX-License-Identifier: Apache-2.0
"""Where the windows of convolutions and pools lie: sizes, borders, and which axis of theirs is time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgegrf.compiler.lowering import Lowering, Node, View
from edgegrf.compiler.plan import Ring
from edgegrf.compiler.timing import Timing
from edgegrf.errors import ModelError, UnsupportedError

__all__ = ["Axis", "Geometry", "take_padding", "timed", "windows"]

_LARGEST = 1 << 15


@dataclass(frozen=True)
class Axis:
    """One spatial axis: sizes, the padding before the input, and how much of it a PAD made at either end."""

    size: int
    out: int
    kernel: int
    stride: int
    dilation: int
    pad: int
    counted: tuple[int, int] = (0, 0)

    @property
    def past(self) -> int:
        """Inputs before the newest one that an output looks at."""
        return (self.kernel - 1) * self.dilation

    @property
    def trivial(self) -> bool:
        """Output i is input i's alone."""
        return self.kernel == 1 and self.stride == 1 and self.pad == 0 and self.out == self.size

    @property
    def ahead(self) -> int:
        """Inputs after the one of its own place that an output looks at; below 0 where it lags behind."""
        return self.past - self.pad

    @property
    def causal(self) -> bool:
        """Output i looks at inputs up to i and none after it, and there are as many."""
        return self.stride == 1 and self.pad == self.past and self.out == self.size


@dataclass(frozen=True)
class Geometry:
    """The frames of an input and the windows over one frame, whose rows may be time steps."""

    frames: int
    rows: Axis
    columns: Axis
    channels: int
    rows_are_time: bool

    @property
    def pointwise(self) -> bool:
        return self.rows.trivial and self.columns.trivial

    @property
    def taps(self) -> int:
        """Inputs of one channel that an output looks at."""
        return self.rows.kernel * self.columns.kernel

    @property
    def per_step(self) -> int:
        """Positions that a sample of a stream makes."""
        return self.columns.out * (1 if self.rows_are_time else self.rows.out)

    def ring(self, value_bytes: int, start: int) -> Ring:
        """The rows over time that a stream keeps, `start` in all of them at first; one row at least."""
        return Ring(max(1, self.rows.past), value_bytes * self.columns.size * self.channels, start)

    def fields(self, zero_point: int) -> tuple[tuple[str, Any], ...]:
        """The initialisers of struct eg_geometry."""
        rows, columns = self.rows, self.columns
        return (
            ("in_h", rows.size),
            ("in_w", columns.size),
            ("in_c", self.channels),
            ("out_h", rows.out),
            ("out_w", columns.out),
            ("kernel_h", rows.kernel),
            ("kernel_w", columns.kernel),
            ("stride_h", rows.stride),
            ("stride_w", columns.stride),
            ("dilation_h", rows.dilation),
            ("dilation_w", columns.dilation),
            ("pad_top", rows.pad),
            ("pad_left", columns.pad),
            ("zero_point", zero_point),
        )


def take_padding(lowering: Lowering, node: Node) -> View:
    """The input with its padding still waiting, where that lies on the two spatial axes."""
    source = lowering.waiting(node.inputs[0])
    if source.pads and (len(source.shape) != 4 or any(source.pads[0]) or any(source.pads[3])):
        source = lowering.view(node.inputs[0])
    return source


def timed(lowering: Lowering, node: Node, source: View, geometry: Geometry) -> tuple[int | None, Timing]:
    """The output's time axis, and when its rows come; refuses, with None, what a stream cannot follow."""
    timing = lowering.timing(source)
    if not geometry.rows_are_time:
        return lowering.follow(node, source), timing
    rows = geometry.rows
    if rows.ahead < 0:
        lowering.refuse(f"{node.place} has {-rows.ahead} time steps more padding than it looks back")
    elif rows.out == 1:
        lowering.refuse(f"{node.place} makes one time step of the whole window")
    else:
        time = lowering.locate(node.out.shape, rows.out)
        return time, timing.windowed(rows.past, rows.ahead, rows.stride, rows.out)
    return None, timing


def windows(lowering: Lowering, node: Node, source: View, kernel: tuple[int, int]) -> Geometry:
    """The windows of `node` over `source` [batch, rows, columns, channels], whose padding they take over.

    A single row whose columns are time is turned into rows, so that time is the batch or the rows or
    not there at all.
    """
    if len(source.shape) != 4 or len(node.out.shape) != 4 or source.shape[0] != node.out.shape[0]:
        raise ModelError(f"{node.place}: {list(source.padded)} in, {list(node.out.shape)} out")
    axes = [_axis(node, source, which, kernel[which]) for which in (0, 1)]
    time = source.time
    if axes[0].size == 1 and axes[0].trivial:  # memory is the same, whichever of the two axes is 1
        axes.reverse()
        time = 1 if time == 2 else time
    if time == 2:
        lowering.refuse(f"{node.place}: its rows mix with time")
        time = None
    if time == 1 and axes[0].trivial:
        one = Axis(1, 1, 1, 1, 1, 0)
        return Geometry(axes[0].size, one, axes[1], source.shape[3], rows_are_time=False)
    return Geometry(source.shape[0], axes[0], axes[1], source.shape[3], rows_are_time=time == 1)


def _axis(node: Node, source: View, which: int, kernel: int) -> Axis:
    """Axis `which` of the two spatial ones; raises ModelError where the output's size is another."""
    axis = which + 1
    stride = node.options["stride"][which]
    dilation = node.options.get("dilation", (1, 1))[which]
    if not all(1 <= number <= _LARGEST for number in (kernel, stride, dilation)):
        raise UnsupportedError(
            f"{node.place}: kernel {kernel}, stride {stride}, dilation {dilation}", node=node.place
        )
    before, after = source.pads[axis] if source.pads else (0, 0)
    size, extent = before + source.shape[axis] + after, (kernel - 1) * dilation + 1
    if extent > 1 << 20:
        raise UnsupportedError(f"{node.place}: a kernel over {extent} inputs", node=node.place)
    if node.options["padding"] == "SAME":
        out = -(-size // stride)
        pad = before + max((out - 1) * stride + extent - size, 0) // 2
    else:
        out, pad = (size - extent) // stride + 1, before
    if out < 1 or out != node.out.shape[axis]:
        raise ModelError(f"{node.place}: {node.out.shape[axis]} outputs along axis {axis}, {out} expected")
    return Axis(source.shape[axis], out, kernel, stride, dilation, pad, (before, after))
