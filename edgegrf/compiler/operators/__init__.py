# SPDX-License-Identifier: Apache-2.0
"""One operator per file: TFLite's name -> the function that lowers it to layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edgegrf.compiler.lowering import Lowering, Node
from edgegrf.compiler.operators import binary, conv, dense, lookup, pad, pool, reshape

__all__ = ["OPERATORS"]

OPERATORS: Mapping[str, Callable[[Lowering, Node], None]] = {
    "ADD": binary.lower,
    "AVERAGE_POOL_2D": pool.lower,
    "CONV_2D": conv.lower,
    "DEPTHWISE_CONV_2D": conv.lower,
    "FULLY_CONNECTED": dense.lower,
    "LOGISTIC": lookup.lower,
    "MUL": binary.lower,
    "PAD": pad.lower,
    "RELU": lookup.lower,
    "RELU6": lookup.lower,
    "RESHAPE": reshape.lower,
    "SUB": binary.lower,
    "TANH": lookup.lower,
}
