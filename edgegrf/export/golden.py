# SPDX-License-Identifier: Apache-2.0
"""Golden windows: coded pressure of the synthetic walker and the bits that the model must give for it."""

from __future__ import annotations

import io

import numpy as np

from edgegrf.export.accuracy import Runner, is_step
from edgegrf.export.windows import cut_pieces
from edgegrf.gait.choice import synthetic_walks
from edgegrf.gait.trials import trials
from edgegrf.graph.affine import Codes, code_type, pressure_code, quantize
from edgegrf.graph.model import Graph
from edgegrf.manifest import Interface
from edgegrf.progress import silent

__all__ = ["GOLDEN_WINDOWS", "STEP_SAMPLES", "golden_windows", "pack"]

GOLDEN_WINDOWS = 8
STEP_SAMPLES = 200  # of a step model: a walk from its reset

_SEED = 7  # a held-out subject of the synthetic walker


def golden_windows(run: Runner, model: bytes, graph: Graph, interface: Interface) -> dict[str, Codes]:
    """`input` [8, T, C] and `output` [8, E, K]: what the judge gives for it, each window from a reset."""
    length = STEP_SAMPLES if is_step(graph) else interface.window
    walks = trials(synthetic_walks(interface, [_SEED]), interface)
    pieces = cut_pieces(walks, length, GOLDEN_WINDOWS)
    pressure, _ = quantize(np.stack([piece.x for piece in pieces]), *pressure_code(graph), code_type(graph))
    return {"input": pressure, "output": run(model, graph, pressure, silent)}


def pack(arrays: dict[str, Codes]) -> bytes:
    """The arrays as `.npz`; the same arrays give the same bytes (numpy stamps 1980-01-01)."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()
