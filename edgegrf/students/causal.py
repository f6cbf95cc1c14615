# SPDX-License-Identifier: Apache-2.0
"""Causal convolution over time: the past is padded, the future is never seen."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

__all__ = ["CausalConv", "Separable"]


class CausalConv(nn.Module):
    """Conv1d [B, in, T] -> [B, out, T] that sees samples t - (taps-1)*dilation .. t at t; then batch norm."""

    def __init__(self, inputs: int, outputs: int, taps: int, dilation: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.past = (taps - 1) * dilation
        self.conv = nn.Conv1d(inputs, outputs, taps, dilation=dilation, groups=groups, bias=False)
        self.norm = nn.BatchNorm1d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        padded = functional.pad(x, (self.past, 0)) if self.past else x
        return self.norm(self.conv(padded))  # type: ignore[no-any-return]


class Separable(nn.Module):
    """[B, C, T] -> same: depthwise taps over time, a pointwise mix of the channels, and what came in."""

    def __init__(self, channels: int, taps: int, dilation: int) -> None:
        super().__init__()
        self.depthwise = CausalConv(channels, channels, taps, dilation, groups=channels)
        self.pointwise = CausalConv(channels, channels, 1)

    @property
    def past(self) -> int:
        """How many earlier samples the block sees."""
        return self.depthwise.past

    def forward(self, x: Tensor) -> Tensor:
        mixed = self.pointwise(functional.relu(self.depthwise(x)))
        return functional.relu(x + mixed)
