# SPDX-License-Identifier: Apache-2.0
"""The table of architectures; adding one is adding a file and a row."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ARCHITECTURES", "Architecture"]


@dataclass(frozen=True)
class Architecture:
    """Where a network's class is, as `package.module:Class`, and what it is in a line."""

    target: str
    line: str


ARCHITECTURES = {
    "dstcn": Architecture(
        "edgegrf.students.dstcn:DepthwiseTcn", "causal depthwise-separable TCN (the default)"
    ),
    "tcn": Architecture("edgegrf.students.tcn:Tcn", "causal TCN with full convolutions"),
    "gru": Architecture("edgegrf.students.gru:Gru", "GRU layers; streams only"),
    "lstm": Architecture("edgegrf.students.lstm:Lstm", "LSTM layers; streams only"),
    "matrix": Architecture(
        "edgegrf.students.matrix:Matrix", "2-D convolutions per frame of a matrix insole, then a TCN"
    ),
    "attention": Architecture(
        "edgegrf.students.attention:Attention", "self-attention over the last samples: a teacher"
    ),
    "wrn": Architecture("edgegrf.students.wrn:WideResNet", "1-D WideResNet d-k over whole windows"),
}
