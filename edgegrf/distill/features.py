# SPDX-License-Identifier: Apache-2.0
"""What a network's stages give at each forward pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from edgegrf.errors import ModelError
from edgegrf.students.student import Student, example_input

__all__ = ["Stages", "paired"]


class Stages:
    """The stages of a network: modules that it names in `stages`, whose outputs are features [B, C, T'].

    Raises ModelError when it names none, or one that gives something else.
    """

    def __init__(self, network: Student) -> None:
        self.network = network
        if not network.stages:
            raise ModelError(
                f"{network.architecture} names no stages",
                why="this recipe compares features, and it does not say which modules give them",
                fix='give the class `stages = ("name.of.module", ...)`, or take --recipe kd',
            )
        self._modules = [_module(network, name) for name in network.stages]
        with torch.no_grad(), self.caught() as found:
            network(example_input(network.interface, batch=2))
        self.channels = [feature.shape[1] for feature in found]

    @contextmanager
    def caught(self) -> Iterator[list[Tensor]]:
        """Within the block, a forward pass fills the list with the stages' features, in order."""
        found: list[Tensor] = []

        def keep(module: nn.Module, _inputs: Any, output: Any) -> None:
            found.append(self._feature(module, output))

        hooks = [module.register_forward_hook(keep) for module in self._modules]
        try:
            yield found
        finally:
            for hook in hooks:
                hook.remove()

    def _feature(self, module: nn.Module, output: Any) -> Tensor:
        if isinstance(module, nn.RNNBase):
            output = output[0].mT  # states [B, T, H]
        if not isinstance(output, Tensor) or output.dim() != 3:
            name = self.network.stages[self._modules.index(module)]
            got = list(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise ModelError(
                f"stage {name} of {self.network.architecture} gives {got}, not features [B, C, T]",
                fix="name modules in `stages` that give one series per channel",
            )
        return output


def _module(network: Student, name: str) -> nn.Module:
    try:
        return network.get_submodule(name)
    except AttributeError as error:
        known = ", ".join(one for one, _ in network.named_children())
        raise ModelError(
            f"{network.architecture} names a stage {name} and has no such module",
            why=f"its modules: {known}",
            fix="name modules in `stages` as named_modules() does",
        ) from error


def paired(teacher: Sequence[Tensor], stages: int) -> list[Tensor]:
    """The teacher's features that go with a student's `stages`: evenly spaced, the last with the last."""
    step = len(teacher) / stages
    return [teacher[max(0, round(step * (index + 1)) - 1)] for index in range(stages)]
