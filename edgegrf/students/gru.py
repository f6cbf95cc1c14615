# SPDX-License-Identifier: Apache-2.0
"""A gated recurrent student: trained over whole walks, exported as a step with explicit gates."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgegrf.errors import UsageError
from edgegrf.manifest import Interface
from edgegrf.students.student import Student

__all__ = ["Gru", "GruStep"]


class Gru(Student):
    """[B, C, T] -> [B, K, T]: one GRU layer (Cho et al. 2014; gates in PyTorch's order), a linear head."""

    recurrent = True

    def __init__(self, interface: Interface, *, hidden: int = 32) -> None:
        super().__init__(interface)
        if interface.lookahead > 0:
            raise UsageError(
                "a GRU student with a look-ahead", why="its state has seen no later sample", fix="dstcn"
            )
        self.gru = nn.GRU(len(interface.sensors), hidden, batch_first=True)
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
    """One sample: pressure [1, C], state h [1, H] -> force [1, K], next h [1, H].

    r = s(Wir x + bir + Whr h + bhr), z likewise, n = tanh(Win x + bin + r * (Whn h + bhn)),
    h' = n + z * (h - n): PyTorch's nn.GRU, with the last line rewritten to need one product.
    """

    #: the names and sizes of the states, in the order of forward's arguments and results
    states: tuple[tuple[str, int], ...]

    def __init__(self, student: Gru) -> None:
        super().__init__()
        gru = student.gru
        self.hidden = gru.hidden_size
        self.states = (("h", self.hidden),)
        self.from_input = _linear(gru, "weight_ih_l0", "bias_ih_l0")
        self.from_state = _linear(gru, "weight_hh_l0", "bias_hh_l0")
        self.head = _linear(student.head, "weight", "bias")

    def forward(self, pressure: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        input_r, input_z, input_n = torch.split(self.from_input(pressure), self.hidden, dim=1)
        state_r, state_z, state_n = torch.split(self.from_state(h), self.hidden, dim=1)
        reset = torch.sigmoid(input_r + state_r)
        update = torch.sigmoid(input_z + state_z)
        candidate = torch.tanh(input_n + reset * state_n)
        after = candidate + update * (h - candidate)
        return self.head(after), after


def _linear(module: nn.Module, weight: str, bias: str) -> nn.Linear:
    weights = module.get_parameter(weight).detach().clone()
    layer = nn.Linear(weights.shape[1], weights.shape[0])
    layer.load_state_dict({"weight": weights, "bias": module.get_parameter(bias).detach().clone()})
    return layer
