# SPDX-License-Identifier: Apache-2.0
"""An int8 `.tflite` becomes C99: window mode, stream mode, a static memory plan."""

from __future__ import annotations

from edgegrf.compiler.driver import Compiled, compile_model
from edgegrf.compiler.layout import MEMORY, MODES, WEIGHTS
from edgegrf.compiler.step_file import write_step_model
from edgegrf.compiler.step_model import StepModel, step_model

__all__ = [
    "MEMORY",
    "MODES",
    "WEIGHTS",
    "Compiled",
    "StepModel",
    "compile_model",
    "step_model",
    "write_step_model",
]
