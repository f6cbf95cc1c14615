# SPDX-License-Identifier: Apache-2.0
"""What one step of training learns from."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

__all__ = ["Batch"]


@dataclass(frozen=True)
class Batch:
    """Pressure [B, C, T] (matrix: [B, T, rows, columns]), force [B, K, T] of the reference, the teacher's
    estimate of it [B, K, T] or None, and what the teacher sees where that is not `pressure`.

    The first `warmup` samples do not count; `images` [B, P, D] are an image teacher's features of P pieces.
    """

    pressure: Tensor
    force: Tensor
    taught: Tensor | None = None
    seen: Tensor | None = None
    warmup: int = 0
    images: tuple[Tensor, ...] = ()

    def counted(self, values: Tensor) -> Tensor:
        """The part of estimates or forces [B, K, T] that counts: what follows the warm-up."""
        return values[..., self.warmup :]

    def mapped(self, change: Callable[[Tensor], Tensor]) -> Batch:
        """Every series changed alike."""
        return dataclasses.replace(
            self,
            pressure=change(self.pressure),
            force=change(self.force),
            taught=None if self.taught is None else change(self.taught),
            seen=None if self.seen is None else change(self.seen),
        )
