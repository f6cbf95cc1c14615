# SPDX-License-Identifier: Apache-2.0
"""A causal temporal convolution network with full convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from edgegrf.manifest import Interface
from edgegrf.students.causal import CausalConv, shared_ahead
from edgegrf.students.student import Student

__all__ = ["Tcn"]


class Tcn(Student):
    """[B, C, T] -> [B, K, T]: causal convolutions with growing dilation and short cuts, a 1x1 head.

    After Bai, Kolter & Koltun 2018.
    """

    def __init__(
        self,
        interface: Interface,
        *,
        channels: int = 32,
        taps: int = 5,
        dilations: Sequence[int] = (1, 2, 4, 8),
    ) -> None:
        super().__init__(interface)
        shares = shared_ahead([(taps - 1) * dilation for dilation in dilations], interface.lookahead)
        widths = [len(interface.sensors), *(channels for _ in dilations)]
        self.layers = nn.ModuleList(
            CausalConv(before, after, taps, dilation, ahead=ahead)
            for (before, after), dilation, ahead in zip(pairwise(widths), dilations, shares, strict=True)
        )
        self.head = nn.Conv1d(channels, len(interface.outputs), 1)
        self.stages = tuple(f"layers.{index}" for index in range(len(self.layers)))
        self._reach = 1 + (taps - 1) * sum(dilations)

    @property
    def receptive_field(self) -> int:
        """1 + (taps - 1) * the sum of the dilations."""
        return self._reach

    def forward(self, pressure: Tensor) -> Tensor:
        x = pressure
        for index, layer in enumerate(self.layers):
            x = functional.relu(layer(x) + x if index else layer(x))
        return self.head(x)  # type: ignore[no-any-return]
