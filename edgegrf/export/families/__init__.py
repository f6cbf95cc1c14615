# SPDX-License-Identifier: Apache-2.0
"""The operator table: one file per family; adding a family is adding a file and a name here."""

from __future__ import annotations

from collections.abc import Mapping

from edgegrf.export.families import (
    arithmetic,
    clipping,
    conv,
    dense,
    joining,
    nonlinear,
    padding,
    pooling,
    resizing,
    scale,
    shape,
    slicing,
    transposed,
)
from edgegrf.export.lowering import Handler

__all__ = ["HANDLERS", "REPLACEMENTS"]

_FAMILIES = (
    arithmetic,
    clipping,
    conv,
    dense,
    joining,
    nonlinear,
    padding,
    pooling,
    resizing,
    scale,
    shape,
    slicing,
    transposed,
)

#: ONNX operator -> what lowers it
HANDLERS: Mapping[str, Handler] = {
    kind: handler for family in _FAMILIES for kind, handler in family.HANDLERS.items()
}

#: ONNX operator that cannot be lowered -> what to use instead
REPLACEMENTS: Mapping[str, str] = {
    kind: advice for family in _FAMILIES for kind, advice in family.REPLACEMENTS.items()
}
