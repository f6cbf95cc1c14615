# SPDX-License-Identifier: Apache-2.0
"""A gated recurrent student: trained over whole walks, exported as a step with explicit gates."""

from __future__ import annotations

from torch import Tensor, nn

from edgegrf.manifest import Interface
from edgegrf.students.cells import GruCell, linear_of, no_look_ahead, numbered
from edgegrf.students.student import Student

__all__ = ["Gru", "GruStep"]


class Gru(Student):
    """[B, C, T] -> [B, K, T]: GRU layers (Cho et al. 2014; gates in PyTorch's order), a linear head."""

    recurrent = True

    def __init__(self, interface: Interface, *, hidden: int = 32, layers: int = 1) -> None:
        super().__init__(interface)
        no_look_ahead("GRU", interface)
        self.gru = nn.GRU(len(interface.sensors), hidden, layers, batch_first=True)
        self.head = nn.Linear(hidden, len(interface.outputs))
        self.stages = ("gru",)

    @property
    def receptive_field(self) -> None:
        """None: the state remembers everything since the reset."""
        return None

    def forward(self, pressure: Tensor) -> Tensor:
        states, _ = self.gru(pressure.transpose(1, 2))
        return self.head(states).transpose(1, 2)  # type: ignore[no-any-return]

    def step(self) -> GruStep:
        """The same weights as a step model, in evaluation mode."""
        return GruStep(self).eval()


class GruStep(nn.Module):
    """One sample: pressure [1, C], state h [1, H] of each layer -> force [1, K], next h of each."""

    #: the names and sizes of the states, in the order of forward's arguments and results
    states: tuple[tuple[str, int], ...]

    def __init__(self, student: Gru) -> None:
        super().__init__()
        gru = student.gru
        self.states = tuple((name, gru.hidden_size) for name in numbered("h", gru.num_layers))
        self.cells = nn.ModuleList(GruCell(gru, layer) for layer in range(gru.num_layers))
        self.head = linear_of(student.head, "weight", "bias")

    def forward(self, pressure: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        x, after = pressure, []
        for cell, h in zip(self.cells, states, strict=True):
            x = cell(x, h)
            after.append(x)
        return self.head(x), *after
