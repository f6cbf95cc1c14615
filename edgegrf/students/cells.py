# SPDX-License-Identifier: Apache-2.0
"""The layers of recurrent students as steps with explicit gates, so that every one of them is exported."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgegrf.errors import UsageError
from edgegrf.manifest import Interface

__all__ = ["GruCell", "LstmCell", "linear_of", "no_look_ahead", "numbered"]


class GruCell(nn.Module):
    """One sample through layer `layer` of an nn.GRU: x [1, C], h [1, H] -> next h [1, H].

    r = s(Wir x + bir + Whr h + bhr), z likewise, n = tanh(Win x + bin + r * (Whn h + bhn)),
    h' = n + z * (h - n): PyTorch's nn.GRU, with the last line rewritten to need one product.
    """

    def __init__(self, gru: nn.GRU, layer: int) -> None:
        super().__init__()
        self.hidden = gru.hidden_size
        self.from_input = linear_of(gru, f"weight_ih_l{layer}", f"bias_ih_l{layer}")
        self.from_state = linear_of(gru, f"weight_hh_l{layer}", f"bias_hh_l{layer}")

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        input_r, input_z, input_n = torch.split(self.from_input(x), self.hidden, dim=1)
        state_r, state_z, state_n = torch.split(self.from_state(h), self.hidden, dim=1)
        reset = torch.sigmoid(input_r + state_r)
        update = torch.sigmoid(input_z + state_z)
        candidate = torch.tanh(input_n + reset * state_n)
        return candidate + update * (h - candidate)


class LstmCell(nn.Module):
    """One sample through layer `layer` of an nn.LSTM: x [1, C], h and c [1, H] -> next h and c.

    i, f, o = s(W x + b + V h + d), g = tanh(...), c' = f * c + i * g, h' = o * tanh(c'): PyTorch's
    nn.LSTM, gates in its order i, f, g, o.
    """

    def __init__(self, lstm: nn.LSTM, layer: int) -> None:
        super().__init__()
        self.hidden = lstm.hidden_size
        self.from_input = linear_of(lstm, f"weight_ih_l{layer}", f"bias_ih_l{layer}")
        self.from_state = linear_of(lstm, f"weight_hh_l{layer}", f"bias_hh_l{layer}")

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        pairs = zip(
            torch.split(self.from_input(x), self.hidden, dim=1),
            torch.split(self.from_state(h), self.hidden, dim=1),
            strict=True,
        )
        enter, forget, candidate, leave = (of_input + of_state for of_input, of_state in pairs)
        cell = torch.sigmoid(forget) * c + torch.sigmoid(enter) * torch.tanh(candidate)
        return torch.sigmoid(leave) * torch.tanh(cell), cell


def linear_of(module: nn.Module, weight: str, bias: str) -> nn.Linear:
    """A linear layer with parameters of `module`, copied."""
    weights = module.get_parameter(weight).detach().clone()
    layer = nn.Linear(weights.shape[1], weights.shape[0])
    layer.load_state_dict({"weight": weights, "bias": module.get_parameter(bias).detach().clone()})
    return layer


def no_look_ahead(kind: str, interface: Interface) -> None:
    """Raise UsageError for an interface that asks a recurrent student to look ahead."""
    if interface.lookahead > 0:
        raise UsageError(
            f"{kind} student with a look-ahead",
            why="its state has seen no later sample",
            fix="dstcn",
        )


def numbered(state: str, layers: int) -> list[str]:
    """The names of a state of each layer: "h" alone, else "h1", "h2"..."""
    return [state] if layers == 1 else [f"{state}{layer + 1}" for layer in range(layers)]
