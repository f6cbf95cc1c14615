# SPDX-License-Identifier: Apache-2.0
"""The two integer schemes of TFLite: int8, and int16x8 (int16 activations, int8 weights, int64 biases)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from edgegrf.errors import UnsupportedError
from edgegrf.graph.model import Quantization
from edgegrf.graph.schema import OPERATORS

__all__ = ["INT8", "INT16X8", "SCHEMES", "Range", "Scheme"]

#: the real values (low <= 0 <= high) that a tensor's codes shall cover
Range = tuple[float, float]


@dataclass(frozen=True)
class Scheme:
    """How activations and biases are coded; weights are int8, symmetric, per channel, in both.

    `bias_limit` leaves the accumulator as much room again; `accumulator_limit` is what the reference
    kernels requantise exactly; `fixed` are the operators whose output has a scale and zero point of its own.
    """

    name: str
    activations: str  # the dtype
    biases: str
    symmetric: bool
    steps: int  # codes from the least to the greatest, or from 0 where symmetric
    bias_limit: float
    accumulator_limit: float
    fixed: Mapping[str, tuple[float, int]] = field(default_factory=dict)

    def code(self, tensor: str, limits: Range) -> Quantization:
        """Scale and zero point that cover `limits`; raises UnsupportedError for a tensor that is always 0."""
        low, high = min(limits[0], 0.0), max(limits[1], 0.0)
        scale = np.float32((max(-low, high) if self.symmetric else high - low) / self.steps)
        if not np.isfinite(scale) or scale <= 0:
            raise UnsupportedError(
                f"tensor '{tensor}' has the range {low:.9g}..{high:.9g}",
                node=tensor,
                why="it is always 0 on the calibration data, or not finite",
                fix="calibrate on other walks, with --data",
            )
        if self.symmetric:
            return self.per_tensor(float(scale), 0)
        return self.per_tensor(float(scale), int(np.clip(np.rint(-128 - low / float(scale)), -128, 127)))

    @staticmethod
    def per_tensor(scale: float, zero_point: int) -> Quantization:
        """One scale and one zero point."""
        return Quantization(np.array([scale], np.float32), np.array([zero_point], np.int64))

    def version(self, kind: str) -> int:
        """The version of operator `kind` that holds this scheme; raises UnsupportedError if none does."""
        known = OPERATORS[kind]
        version = known.version if self.activations == "int8" else known.wide
        if not version:
            raise UnsupportedError(
                f"{kind} has no {self.name} in TFLite Micro", node=kind, fix="--quantize int8"
            )
        return version


#: tensorflow.org/lite/performance/quantization_spec
INT8 = Scheme(
    "int8",
    activations="int8",
    biases="int32",
    symmetric=False,
    steps=255,
    bias_limit=2.0**30,
    accumulator_limit=2.0**31,
    fixed={"LOGISTIC": (1 / 256, -128), "SOFTMAX": (1 / 256, -128), "TANH": (1 / 128, 0)},
)

#: its int64 accumulators are multiplied by 16 bits of the multiplier, exact within 2^47
INT16X8 = Scheme(
    "int16x8",
    activations="int16",
    biases="int64",
    symmetric=True,
    steps=32767,
    bias_limit=2.0**46,
    accumulator_limit=2.0**47,
    fixed={"LOGISTIC": (1 / 32768, 0), "TANH": (1 / 32768, 0)},
)

SCHEMES: Mapping[str, Scheme] = {scheme.name: scheme for scheme in (INT8, INT16X8)}
