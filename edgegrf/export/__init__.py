# SPDX-License-Identifier: Apache-2.0
"""torch -> ONNX -> int8 `.tflite`: lowering, calibration, quantisation; heavy packages on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgegrf.export.pipeline import export_model
    from edgegrf.export.records import Exported
    from edgegrf.export.source import Source, from_checkpoint, from_onnx

__all__ = ["Exported", "Source", "export_model", "from_checkpoint", "from_onnx"]

_HOMES = {
    "Exported": "records",
    "Source": "source",
    "export_model": "pipeline",
    "from_checkpoint": "source",
    "from_onnx": "source",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(f"edgegrf.export.{_HOMES[name]}"), name)
