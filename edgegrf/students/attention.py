# SPDX-License-Identifier: Apache-2.0
"""A self-attention network over the last samples: a teacher, too wide for a microcontroller."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from edgegrf.errors import UsageError
from edgegrf.manifest import Interface
from edgegrf.students.causal import CausalConv
from edgegrf.students.student import Student

__all__ = ["Attention"]


class Attention(Student):
    """[B, C, T] -> [B, K, T]: a causal convolution, blocks of self-attention over `span` samples, a 1x1 head.

    After Vaswani et al. 2017, with a learnt bias for each distance in time (Shaw et al. 2018) and the norm
    before each part (Xiong et al. 2020).  A look-ahead is the first block's.
    """

    def __init__(
        self,
        interface: Interface,
        *,
        channels: int = 48,
        heads: int = 4,
        blocks: int = 3,
        span: int = 60,
        taps: int = 5,
    ) -> None:
        super().__init__(interface)
        if channels % heads:
            raise UsageError(f"{channels} channels for {heads} heads", fix="a multiple")
        ahead = [max(interface.lookahead, 0), *(0 for _ in range(blocks - 1))]
        self.stem = CausalConv(len(interface.sensors), channels, taps)
        self.blocks = nn.Sequential(*(_Block(channels, heads, span, more) for more in ahead))
        self.head = nn.Conv1d(channels, len(interface.outputs), 1)
        self.stages = tuple(f"blocks.{index}" for index in range(blocks))
        self._reach = taps + blocks * (span - 1) + ahead[0]

    @property
    def receptive_field(self) -> int:
        """taps + blocks * (span - 1), and the look-ahead."""
        return self._reach

    def forward(self, pressure: Tensor) -> Tensor:
        return self.head(self.blocks(functional.relu(self.stem(pressure))))  # type: ignore[no-any-return]


class _Block(nn.Module):
    """[B, C, T] -> same: what other moments tell, then what each moment makes of it, both added."""

    def __init__(self, channels: int, heads: int, span: int, ahead: int) -> None:
        super().__init__()
        self.heads, self.span, self.ahead = heads, span, ahead
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.into = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)
        self.bias = nn.Parameter(torch.zeros(heads, span + ahead))
        self.mlp = nn.Sequential(
            nn.Linear(channels, 2 * channels), nn.ReLU(), nn.Linear(2 * channels, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        moments = x.mT  # [B, T, C]
        moments = moments + self._told(self.norm1(moments))
        return (moments + self.mlp(self.norm2(moments))).mT  # type: ignore[no-any-return]

    def _told(self, moments: Tensor) -> Tensor:
        batch, time, channels = moments.shape
        split = self.into(moments).reshape(batch, time, 3, self.heads, channels // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        told = functional.scaled_dot_product_attention(query, key, value, attn_mask=self._mask(time))
        return self.out(told.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]

    def _mask(self, time: int) -> Tensor:
        """[heads, T, T]: the bias of each distance, minus infinity beyond the span."""
        moment = torch.arange(time, device=self.bias.device)
        distance = moment[:, None] - moment[None, :] + self.ahead  # 0: the latest that is seen
        seen = (distance >= 0) & (distance < self.span + self.ahead)
        bias = self.bias[:, distance.clamp(0, self.span + self.ahead - 1)]
        return bias.masked_fill(~seen, float("-inf"))
