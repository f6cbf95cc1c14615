# SPDX-License-Identifier: Apache-2.0
"""The 1-D wide residual networks d-k that the insole papers' authors use."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from edgegrf.errors import UsageError
from edgegrf.manifest import Interface
from edgegrf.students.student import Student

__all__ = ["WideResNet"]


class WideResNet(Student):
    """[B, C, T] -> [B, K, T] (head "sequence") or [B, K, 1] ("value"): a pre-activation WideResNet.

    After Zagoruyko & Komodakis 2016 in one dimension: a convolution to 16 channels, three groups of
    (depth - 4) / 6 blocks of 16, 32 and 64 times `width`, strides 1, 2 and 2.  It sees the whole window.  The
    head "sequence" makes 4 estimates from each of the T / 4 last positions; "value" pools over the window and
    estimates its last sample.
    """

    def __init__(
        self, interface: Interface, *, depth: int = 16, width: int = 1, head: str = "sequence"
    ) -> None:
        super().__init__(interface)
        if (depth - 4) % 6 or depth < 10:
            raise UsageError(
                f"depth {depth} of a WideResNet", why="depth - 4 must be a multiple of 6", fix="16 or 28"
            )
        if head not in ("sequence", "value"):
            raise UsageError(f"unknown head '{head}' of a WideResNet", fix="head: sequence or value")
        if interface.window % 4:
            raise UsageError(
                f"a window of {interface.window} samples", why="a WideResNet needs a multiple of 4"
            )
        outputs, widest = len(interface.outputs), 64 * width
        self.stem = nn.Conv1d(len(interface.sensors), 16, 3, padding=1, bias=False)
        self.groups = nn.Sequential(*_blocks((depth - 4) // 6, width))
        self.norm = nn.BatchNorm1d(widest)
        self.stages = tuple(f"groups.{group * ((depth - 4) // 6) - 1}" for group in (1, 2, 3))
        self.sequence = head == "sequence"
        self.head = nn.Conv1d(widest, 4 * outputs, 1) if self.sequence else nn.Linear(widest, outputs)

    @property
    def receptive_field(self) -> int:
        """The window: every estimate is made from the whole of it."""
        return self.interface.window

    def forward(self, pressure: Tensor) -> Tensor:
        x = functional.relu(self.norm(self.groups(self.stem(pressure))))
        if not self.sequence:
            return self.head(x.mean(dim=2)).unsqueeze(2)  # type: ignore[no-any-return]
        estimates = self.head(x).transpose(1, 2)
        outputs = estimates.shape[2] // 4
        return estimates.reshape(pressure.shape[0], -1, outputs).transpose(1, 2)  # type: ignore[no-any-return]


class _Block(nn.Module):
    """Twice batch norm, ReLU, conv3; a 1x1 of the activated input is the short cut to a new shape."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm1d(inputs)
        self.conv1 = nn.Conv1d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm1d(outputs)
        self.conv2 = nn.Conv1d(outputs, outputs, 3, padding=1, bias=False)
        self.short = nn.Conv1d(inputs, outputs, 1, stride=stride, bias=False) if inputs != outputs else None

    def forward(self, x: Tensor) -> Tensor:
        active = functional.relu(self.norm1(x))
        deep = self.conv2(functional.relu(self.norm2(self.conv1(active))))
        return deep + (x if self.short is None else self.short(active))  # type: ignore[no-any-return]


def _blocks(each: int, width: int) -> list[_Block]:
    blocks, inputs = [], 16
    for outputs, stride in ((16 * width, 1), (32 * width, 2), (64 * width, 2)):
        for index in range(each):
            blocks.append(_Block(inputs, outputs, 1 if index else stride))
            inputs = outputs
    return blocks
