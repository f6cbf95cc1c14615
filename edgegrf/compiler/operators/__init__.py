# SPDX-License-Identifier: Apache-2.0
"""One operator per file: TFLite's name -> the function that lowers it to layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edgegrf.compiler.lowering import Lowering, Node
from edgegrf.compiler.operators import (
    binary,
    concat,
    conv,
    dense,
    lookup,
    mean,
    mirror,
    moving,
    pad,
    pool,
    prelu,
    reshape,
    softmax,
)

__all__ = ["OPERATORS", "WIDE"]

OPERATORS: Mapping[str, Callable[[Lowering, Node], None]] = {
    "ADD": binary.lower,
    "AVERAGE_POOL_2D": pool.lower,
    "CONCATENATION": concat.lower,
    "CONV_2D": conv.lower,
    "DEPTHWISE_CONV_2D": conv.lower,
    "ELU": lookup.lower,
    "FULLY_CONNECTED": dense.lower,
    "HARD_SWISH": lookup.lower,
    "LEAKY_RELU": lookup.lower,
    "LOGISTIC": lookup.lower,
    "MAX_POOL_2D": pool.lower,
    "MEAN": mean.lower,
    "MIRROR_PAD": mirror.lower,
    "MUL": binary.lower,
    "PAD": pad.lower,
    "PADV2": pad.lower,
    "PRELU": prelu.lower,
    "QUANTIZE": lookup.lower,
    "RELU": lookup.lower,
    "RELU6": lookup.lower,
    "RESHAPE": reshape.lower,
    "RESIZE_NEAREST_NEIGHBOR": moving.lower,
    "SLICE": moving.lower,
    "SOFTMAX": softmax.lower,
    "STRIDED_SLICE": moving.lower,
    "SUB": binary.lower,
    "TANH": lookup.lower,
    "TRANSPOSE": moving.lower,
}

#: what is compiled for int16 activations as well
WIDE = frozenset(
    {
        "ADD",
        "AVERAGE_POOL_2D",
        "CONCATENATION",
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "FULLY_CONNECTED",
        "LEAKY_RELU",
        "LOGISTIC",
        "MEAN",
        "MUL",
        "PAD",
        "QUANTIZE",
        "RELU",
        "RELU6",
        "RESHAPE",
        "RESIZE_NEAREST_NEIGHBOR",
        "SLICE",
        "STRIDED_SLICE",
        "SUB",
        "TANH",
        "TRANSPOSE",
    }
)
