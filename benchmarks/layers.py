# SPDX-License-Identifier: Apache-2.0
"""Single int8 layers of common sizes on the virtual board, per multiply-accumulate, beside CMSIS-NN."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.marks import table
from edgegrf.boards import board
from edgegrf.graph.model import Graph, Operator, Quantization, Tensor
from edgegrf.graph.writer import write_tflite
from edgegrf.profile import run_profile

__all__ = ["LAYERS", "LayerKind", "graph_of", "measure_layers", "table_of_layers"]

_SAMPLES = 200
_SEED = 5
_BASELINE = Path(__file__).with_name("baseline.json")


@dataclass(frozen=True)
class LayerKind:
    """A causal convolution over time; `channels` in and `outputs` out, or depthwise without outputs."""

    name: str
    mode: str
    channels: int
    outputs: int  # 0: depthwise
    taps: int
    dilation: int = 1
    rectified: bool = True  # with a fused ReLU

    @property
    def macs(self) -> int:
        """Of a sample."""
        return self.taps * self.channels * max(self.outputs, 1)


LAYERS = (
    LayerKind("depthwise k3, 64 channels", "window", 64, 0, 3),
    LayerKind("depthwise k3, 64 channels, no ReLU", "window", 64, 0, 3, rectified=False),
    LayerKind("depthwise k3, dilation 4, 64 channels", "window", 64, 0, 3, 4),
    LayerKind("pointwise 64 to 64", "window", 64, 64, 1),
    LayerKind("conv k3, 32 to 32", "window", 32, 32, 3),
    LayerKind("conv k3, 32 to 32", "stream", 32, 32, 3),
    LayerKind("depthwise k3, 64 channels", "stream", 64, 0, 3),
    LayerKind("pointwise 64 to 64", "stream", 64, 64, 1),
)


def graph_of(kind: LayerKind) -> Graph:
    """The layer over a window of 200 samples, weights and biases random, of a fixed seed."""
    rng = np.random.default_rng(_SEED)
    outputs, past = kind.outputs or kind.channels, (kind.taps - 1) * kind.dilation
    zero_point = -128 if kind.rectified else -3
    shape = (kind.outputs, kind.taps, 1, kind.channels) if kind.outputs else (1, kind.taps, 1, outputs)
    weights = rng.integers(-127, 128, shape).astype(np.int8)
    bias = rng.integers(-4096, 4096, outputs).astype(np.int32)
    scales = (2.0 ** rng.uniform(-9, -7, outputs)).astype(np.float32)
    out_scale = np.float32(0.1 * np.sqrt(weights.size // outputs))
    pads = np.array([[0, 0], [past, 0], [0, 0], [0, 0]], np.int32)
    options: dict[str, Any] = {
        "padding": "VALID", "stride": (1, 1), "dilation": (kind.dilation, 1),
        "activation": "RELU" if kind.rectified else "NONE",
    }  # fmt: skip
    if not kind.outputs:
        options["depth_multiplier"] = 1
    tensors = (
        _tensor("in", (1, _SAMPLES, 1, kind.channels), [0.05], -7),
        Tensor("pads", (4, 2), "int32", None, pads),
        _tensor("padded", (1, _SAMPLES + past, 1, kind.channels), [0.05], -7),
        _tensor("weights", shape, scales, 0, weights, axis=0 if kind.outputs else 3),
        _tensor("bias", (outputs,), scales * np.float32(0.05), 0, bias),
        _tensor("out", (1, _SAMPLES, 1, outputs), [out_scale], zero_point),
    )
    operators = (
        Operator("PAD", (0, 1), (2,), {}, 2),
        Operator("CONV_2D" if kind.outputs else "DEPTHWISE_CONV_2D", (2, 3, 4), (5,), options, 3),
    )
    return Graph(tensors, operators, (0,), (5,), kind.name)


def _tensor(
    name: str,
    shape: tuple[int, ...],
    scales: Sequence[float] | NDArray[np.float32],
    zero_point: int,
    data: NDArray[Any] | None = None,
    axis: int = 0,
) -> Tensor:
    zeros = np.full(len(scales), zero_point, np.int64)
    quantization = Quantization(np.asarray(scales, np.float32), zeros, axis)
    dtype = "int8" if data is None or data.dtype == np.int8 else "int32"
    return Tensor(name, shape, dtype, quantization, data)


def measure_layers(target: str, kinds: Sequence[LayerKind] = LAYERS) -> list[dict[str, Any]]:
    """Instructions and cycles of each layer, in all and per MAC; its bits are compared with the host's."""
    rows = []
    for kind in kinds:
        with tempfile.TemporaryDirectory(prefix="edgegrf-") as name:
            path = Path(name) / "layer.tflite"
            path.write_bytes(write_tflite(graph_of(kind)))
            found = run_profile(path, board(target), kind.mode, name=kind.name)
        rows.append(
            {
                "layer": kind.name, "mode": kind.mode, "instructions": found.instructions,
                "cycles": found.cycles, "macs": found.macs, "mismatches": found.mismatches,
                "instructions_per_mac": round(found.instructions / found.macs, 3),
                "cycles_per_mac": round(found.cycles / found.macs, 3),
            }
        )  # fmt: skip
    return rows


def table_of_layers(rows: Sequence[Mapping[str, Any]]) -> str:
    """The layers as a Markdown table, beside CMSIS-NN's instructions where those were measured."""
    known = json.loads(_BASELINE.read_text())["layers"]
    columns = (
        "layer",
        "mode",
        "instructions per MAC",
        "cycles per MAC (est.)",
        "CMSIS-NN, instructions per MAC",
    )
    lines = [
        (
            row["layer"], row["mode"], f"{row['instructions_per_mac']:.2f}", f"{row['cycles_per_mac']:.2f}",
            known.get(f"{row['layer']}, {row['mode']}", "-"),
        )
        for row in rows
    ]  # fmt: skip
    return table(columns, lines)
