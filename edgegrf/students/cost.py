# SPDX-License-Identifier: Apache-2.0
"""What an estimate costs, counted on the network itself."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from edgegrf.students.student import Student, example_input

__all__ = ["macs_per_sample"]


def macs_per_sample(student: Student) -> float:
    """Multiply-accumulates of one window, divided by its samples.

    Convolution, dense and recurrent layers count, element-wise work does not.  A causal student's
    stream costs this for each sample.
    """
    total = 0

    def count(layer: nn.Module, _inputs: Any, output: Any) -> None:
        nonlocal total
        total += _macs(layer, output)

    hooks = [layer.register_forward_hook(count) for layer in student.modules()]
    training = student.training
    student.eval()
    try:
        with torch.no_grad():
            student(example_input(student.interface))
    finally:
        student.train(training)
        for hook in hooks:
            hook.remove()
    return total / student.interface.window


def _macs(layer: nn.Module, output: Any) -> int:
    if isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Linear) and isinstance(output, Tensor):
        return int(output.numel() * layer.weight[0].numel())
    if isinstance(layer, nn.GRU | nn.LSTM):
        steps = output[0].shape[0] * output[0].shape[1]
        each = sum(weight.numel() for key, weight in layer.named_parameters() if key.startswith("weight"))
        return int(steps * each)
    return 0
