# SPDX-License-Identifier: Apache-2.0
"""The spatio-temporal student of a matrix insole: each frame is an image, the frames a series."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from edgegrf.errors import UsageError
from edgegrf.manifest import Interface
from edgegrf.students.causal import Separable, shared_ahead
from edgegrf.students.student import Student

__all__ = ["Matrix"]


class Matrix(Student):
    """[B, T, rows, columns] -> [B, K, T]: three 2-D convolutions a frame, then a causal TCN.

    Two are strided; the third spans what is left and leaves one pixel, so that frames become channels
    without a change of layout.
    """

    def __init__(
        self,
        interface: Interface,
        *,
        maps: Sequence[int] = (8, 12),
        channels: int = 24,
        taps: int = 5,
        dilations: Sequence[int] = (1, 2, 4),
    ) -> None:
        super().__init__(interface)
        if interface.frame is None:
            raise UsageError("the matrix student needs a matrix insole", fix="give the interface a frame")
        rows, columns = interface.frame
        if rows % 4 or columns % 4:
            raise UsageError(f"a frame of {rows} x {columns}: both must be divisible by 4")
        first, second = maps
        self.frames = nn.Sequential(
            _image(1, first, (3, 3), stride=2, padding=1),
            _image(first, second, (3, 3), stride=2, padding=1),
            _image(second, channels, (rows // 4, columns // 4)),
        )
        shares = shared_ahead([(taps - 1) * dilation for dilation in dilations], interface.lookahead)
        self.blocks = nn.Sequential(
            *(
                Separable(channels, taps, dilation, ahead)
                for dilation, ahead in zip(dilations, shares, strict=True)
            )
        )
        self.head = nn.Conv1d(channels, len(interface.outputs), 1)
        self.stages = tuple(f"blocks.{index}" for index in range(len(self.blocks)))
        self._reach = 1 + (taps - 1) * sum(dilations)

    @property
    def receptive_field(self) -> int:
        """1 + (taps - 1) * the sum of the dilations: the 2-D part sees one frame."""
        return self._reach

    def forward(self, pressure: Tensor) -> Tensor:
        batch, time, rows, columns = pressure.shape
        features = self.frames(pressure.reshape(batch * time, 1, rows, columns))
        series = features.reshape(batch, time, -1).transpose(1, 2)
        return self.head(self.blocks(series))  # type: ignore[no-any-return]


def _image(
    inputs: int, outputs: int, size: tuple[int, int], *, stride: int = 1, padding: int = 0
) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, size, stride=stride, padding=padding, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU())
