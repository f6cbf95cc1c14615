# SPDX-License-Identifier: Apache-2.0
"""The default student: a causal depthwise-separable temporal convolution network."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from edgegrf.manifest import Interface
from edgegrf.students.causal import CausalConv, Separable, shared_ahead
from edgegrf.students.student import Student

__all__ = ["DepthwiseTcn"]


class DepthwiseTcn(Student):
    """[B, C, T] -> [B, K, T]: a full stem, depthwise-separable blocks with growing dilation, a 1x1 head.

    A look-ahead of the interface is shared among the layers.  Dilated causal convolution after Bai, Kolter &
    Koltun 2018, separable after Howard et al. 2017.
    """

    def __init__(
        self,
        interface: Interface,
        *,
        channels: int = 16,
        taps: int = 5,
        dilations: Sequence[int] = (2, 4, 8),
    ) -> None:
        super().__init__(interface)
        first, *rest = shared_ahead(
            [(taps - 1) * dilation for dilation in (1, *dilations)], interface.lookahead
        )
        self.stem = CausalConv(len(interface.sensors), channels, taps, ahead=first)
        self.blocks = nn.Sequential(
            *(
                Separable(channels, taps, dilation, ahead)
                for dilation, ahead in zip(dilations, rest, strict=True)
            )
        )
        self.head = nn.Conv1d(channels, len(interface.outputs), 1)
        self.stages = tuple(f"blocks.{index}" for index in range(len(self.blocks)))
        self._reach = 1 + (taps - 1) * (1 + sum(dilations))

    @property
    def receptive_field(self) -> int:
        """1 + (taps - 1) * (1 + the sum of the dilations)."""
        return self._reach

    def forward(self, pressure: Tensor) -> Tensor:
        return self.head(self.blocks(functional.relu(self.stem(pressure))))  # type: ignore[no-any-return]
