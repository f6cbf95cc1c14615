# SPDX-License-Identifier: Apache-2.0
"""The one table of operators, options and types shared by the `.tflite` writer and reader.

Codes are those of TensorFlow Lite's schema.fbs (version 3), checked against the bindings by a test.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType

from edgegrf.errors import MissingToolError

__all__ = [
    "ACTIVATIONS",
    "DTYPES",
    "FILE_IDENTIFIER",
    "MIRRORS",
    "OPERATORS",
    "PADDINGS",
    "REAL_OPTIONS",
    "OperatorSchema",
    "bindings",
]

FILE_IDENTIFIER = b"TFL3"

#: name in Tensor.dtype -> TensorType
DTYPES: Mapping[str, int] = {"int32": 2, "int64": 4, "int16": 7, "int8": 9}

#: name in options["activation"] -> ActivationFunctionType
ACTIVATIONS: Mapping[str, int] = {"NONE": 0, "RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3}

#: name in options["padding"] -> Padding
PADDINGS: Mapping[str, int] = {"SAME": 0, "VALID": 1}

#: name in options["mode"] -> MirrorPadMode
MIRRORS: Mapping[str, int] = {"REFLECT": 0, "SYMMETRIC": 1}

#: options that are float32
REAL_OPTIONS = frozenset({"alpha", "beta"})


@dataclass(frozen=True)
class OperatorSchema:
    """One builtin operator: its code, the version that holds int8, its options table and their fields.

    `fields` maps our option key to the schema's attribute names: a pair for (h, w), one name else.
    Options are integers (0 or 1 for yes and no), apart from REAL_OPTIONS and the names of this module.
    `wide` is the version that holds int16 activations, 0 where there is none here.
    """

    code: int
    version: int
    table: str = ""
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    wide: int = 0


_STRIDE = {"padding": ("padding",), "stride": ("strideH", "strideW")}
_ACTIVATION = {"activation": ("fusedActivationFunction",)}
_DILATION = {"dilation": ("dilationHFactor", "dilationWFactor")}
_POOL = {**_STRIDE, **_ACTIVATION, "filter": ("filterHeight", "filterWidth")}
_MASKS = {
    "begin_mask": ("beginMask",),
    "end_mask": ("endMask",),
    "ellipsis_mask": ("ellipsisMask",),
    "new_axis_mask": ("newAxisMask",),
    "shrink_axis_mask": ("shrinkAxisMask",),
}

OPERATORS: Mapping[str, OperatorSchema] = {
    "ADD": OperatorSchema(0, 2, "AddOptions", _ACTIVATION, wide=4),
    "AVERAGE_POOL_2D": OperatorSchema(1, 2, "Pool2DOptions", _POOL, wide=3),
    "CONCATENATION": OperatorSchema(2, 2, "ConcatenationOptions", {"axis": ("axis",), **_ACTIVATION}, wide=3),
    "CONV_2D": OperatorSchema(3, 3, "Conv2DOptions", {**_STRIDE, **_ACTIVATION, **_DILATION}, wide=4),
    "DEPTHWISE_CONV_2D": OperatorSchema(
        4,
        3,
        "DepthwiseConv2DOptions",
        {**_STRIDE, **_ACTIVATION, **_DILATION, "depth_multiplier": ("depthMultiplier",)},
        wide=5,
    ),
    "ELU": OperatorSchema(111, 1),
    "FULLY_CONNECTED": OperatorSchema(9, 4, "FullyConnectedOptions", _ACTIVATION, wide=7),
    "HARD_SWISH": OperatorSchema(117, 1, "HardSwishOptions"),
    "LEAKY_RELU": OperatorSchema(98, 2, "LeakyReluOptions", {"alpha": ("alpha",)}, wide=2),
    "LOGISTIC": OperatorSchema(14, 2, wide=3),
    "MAX_POOL_2D": OperatorSchema(17, 2, "Pool2DOptions", _POOL),
    "MEAN": OperatorSchema(40, 2, "ReducerOptions", {"keep_dims": ("keepDims",)}, wide=2),
    "MIRROR_PAD": OperatorSchema(100, 2, "MirrorPadOptions", {"mode": ("mode",)}),
    "MUL": OperatorSchema(18, 2, "MulOptions", _ACTIVATION, wide=4),
    "PAD": OperatorSchema(34, 2, "PadOptions", wide=2),
    "PADV2": OperatorSchema(60, 2, "PadV2Options"),
    "PRELU": OperatorSchema(54, 1),
    "QUANTIZE": OperatorSchema(114, 2, "QuantizeOptions", wide=2),
    "RELU": OperatorSchema(19, 2, wide=2),
    "RELU6": OperatorSchema(21, 2, wide=2),
    "RESHAPE": OperatorSchema(22, 1, "ReshapeOptions", {"new_shape": ("newShape",)}, wide=1),
    "RESIZE_NEAREST_NEIGHBOR": OperatorSchema(
        97,
        2,
        "ResizeNearestNeighborOptions",
        {"align_corners": ("alignCorners",), "half_pixel_centers": ("halfPixelCenters",)},
        wide=4,
    ),
    "SLICE": OperatorSchema(65, 2, "SliceOptions", wide=4),
    "SOFTMAX": OperatorSchema(25, 2, "SoftmaxOptions", {"beta": ("beta",)}),
    "STRIDED_SLICE": OperatorSchema(45, 2, "StridedSliceOptions", _MASKS, wide=4),
    "SUB": OperatorSchema(41, 2, "SubOptions", _ACTIVATION, wide=5),
    "TANH": OperatorSchema(28, 2, wide=3),
    "TRANSPOSE": OperatorSchema(39, 2, "TransposeOptions", wide=4),
}


@functools.cache
def bindings() -> ModuleType:
    """The schema's Python bindings; raises MissingToolError."""
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError as error:
        raise MissingToolError("ai-edge-litert is not installed", fix="pip install edgegrf") from error
    return schema_py_generated  # type: ignore[no-any-return]
