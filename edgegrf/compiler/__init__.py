# SPDX-License-Identifier: Apache-2.0
"""An int8 `.tflite` becomes C99: window mode, stream mode, a static memory plan."""

from __future__ import annotations

from edgegrf.compiler.driver import Compiled, compile_model
from edgegrf.compiler.layout import MEMORY, MODES, WEIGHTS

__all__ = ["MEMORY", "MODES", "WEIGHTS", "Compiled", "compile_model"]
