# SPDX-License-Identifier: Apache-2.0
"""What 8 bits will do to a layer, felt while training: noise in proportion to the layer's range."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["step_noise"]


@contextmanager
def step_noise(student: nn.Module, steps: float) -> Iterator[None]:
    """Within the block, each batch norm in training gives normal noise too, `steps` times its range / 255.

    The gradient reaches the range through its two extremes, so that outliers cost what they will in int8.
    """
    if not steps:
        yield
        return

    def disturb(layer: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        if not layer.training:
            return output
        return output + (output.max() - output.min()) * (steps / 255) * torch.randn_like(output)

    kinds = nn.BatchNorm1d | nn.BatchNorm2d
    hooks = [layer.register_forward_hook(disturb) for layer in student.modules() if isinstance(layer, kinds)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
