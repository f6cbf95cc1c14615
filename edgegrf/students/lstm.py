# SPDX-License-Identifier: Apache-2.0
"""A long short-term memory student: trained over whole walks, exported as a step with explicit gates."""

from __future__ import annotations

from torch import Tensor, nn

from edgegrf.manifest import Interface
from edgegrf.students.cells import LstmCell, linear_of, no_look_ahead, numbered
from edgegrf.students.student import Student

__all__ = ["Lstm", "LstmStep"]


class Lstm(Student):
    """[B, C, T] -> [B, K, T]: LSTM layers (Hochreiter and Schmidhuber 1997), a linear head."""

    recurrent = True

    def __init__(self, interface: Interface, *, hidden: int = 24, layers: int = 1) -> None:
        super().__init__(interface)
        no_look_ahead("LSTM", interface)
        self.lstm = nn.LSTM(len(interface.sensors), hidden, layers, batch_first=True)
        self.head = nn.Linear(hidden, len(interface.outputs))
        self.stages = ("lstm",)

    @property
    def receptive_field(self) -> None:
        """None: the states remember everything since the reset."""
        return None

    def forward(self, pressure: Tensor) -> Tensor:
        states, _ = self.lstm(pressure.transpose(1, 2))
        return self.head(states).transpose(1, 2)  # type: ignore[no-any-return]

    def step(self) -> LstmStep:
        """The same weights as a step model, in evaluation mode."""
        return LstmStep(self).eval()


class LstmStep(nn.Module):
    """One sample: pressure [1, C], h and c [1, H] of each layer -> force [1, K], next h and c of each."""

    #: the names and sizes of the states, in the order of forward's arguments and results
    states: tuple[tuple[str, int], ...]

    def __init__(self, student: Lstm) -> None:
        super().__init__()
        lstm = student.lstm
        pairs = zip(numbered("h", lstm.num_layers), numbered("c", lstm.num_layers), strict=True)
        self.states = tuple((name, lstm.hidden_size) for pair in pairs for name in pair)
        self.cells = nn.ModuleList(LstmCell(lstm, layer) for layer in range(lstm.num_layers))
        self.head = linear_of(student.head, "weight", "bias")

    def forward(self, pressure: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        x, after = pressure, []
        for index, cell in enumerate(self.cells):
            x, c = cell(x, states[2 * index], states[2 * index + 1])
            after += [x, c]
        return self.head(x), *after
