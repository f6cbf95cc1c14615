# SPDX-License-Identifier: Apache-2.0
"""Convolution over time that sees the past, and of the future only what the look-ahead allows."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from edgegrf.errors import UsageError

__all__ = ["CausalConv", "Separable", "shared_ahead"]


class CausalConv(nn.Module):
    """Conv1d [B, in, T] -> [B, out, T] that at t sees t - (taps-1)*dilation + ahead .. t + ahead; then batch
    norm.
    """

    def __init__(
        self, inputs: int, outputs: int, taps: int, dilation: int = 1, groups: int = 1, ahead: int = 0
    ) -> None:
        super().__init__()
        self.padding = ((taps - 1) * dilation - ahead, ahead)
        self.conv = nn.Conv1d(inputs, outputs, taps, dilation=dilation, groups=groups, bias=False)
        self.norm = nn.BatchNorm1d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        padded = functional.pad(x, self.padding) if any(self.padding) else x
        return self.norm(self.conv(padded))  # type: ignore[no-any-return]


class Separable(nn.Module):
    """[B, C, T] -> same: depthwise taps over time, a pointwise mix of the channels, and what came in."""

    def __init__(self, channels: int, taps: int, dilation: int, ahead: int = 0) -> None:
        super().__init__()
        self.depthwise = CausalConv(channels, channels, taps, dilation, groups=channels, ahead=ahead)
        self.pointwise = CausalConv(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        mixed = self.pointwise(functional.relu(self.depthwise(x)))
        return functional.relu(x + mixed)


def shared_ahead(spans: Sequence[int], lookahead: int) -> list[int]:
    """How much of a look-ahead each layer takes, in proportion to the samples that it spans beside its own.

    Half of all spans makes every layer centred.  What rounding leaves goes to the last layers, whose spans
    are the longest.  Raises UsageError for more than the spans.
    """
    ahead = max(lookahead, 0)
    total = sum(spans)
    if ahead > total:
        raise UsageError(
            f"a look-ahead of {ahead} samples", why=f"the network sees {total + 1} samples in all",
            fix="a smaller --lookahead, or more or wider dilations",
        )  # fmt: skip
    shares = [span * ahead // total if total else 0 for span in spans]
    for index in reversed(range(len(spans))):
        more = min(ahead - sum(shares), spans[index] - shares[index])
        shares[index] += more
    return shares
