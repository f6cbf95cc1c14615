# SPDX-License-Identifier: Apache-2.0
"""The look-ahead and receptive field of a foreign ONNX model: measured, never taken on trust."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import ModelError
from edgegrf.export.accuracy import float_estimates
from edgegrf.export.source import Source
from edgegrf.export.windows import Piece
from edgegrf.students.reach import Reach, felt_reach

__all__ = ["with_reach"]

Floats = NDArray[np.float32]


def with_reach(source: Source, simple: Any) -> Source:
    """The source with its reach in `model` and `interface`; as it is where its reach is known.

    `simple` is its simplified ONNX.  Raises ModelError for a declared look-ahead below the felt one.
    """
    if source.lookahead == "known":
        return source
    if source.is_step:  # nothing but its states and the newest sample goes in
        return _stated(source, 0, None)
    reach = _felt(source, simple)
    felt = -1 if reach.whole else reach.ahead
    declared = source.interface.lookahead
    if source.lookahead == "open":
        return _stated(source, felt, reach)
    if 0 <= declared < reach.ahead:
        raise ModelError(
            f"{source.name} looks {reach.ahead} samples ahead, --lookahead says {declared}",
            why="measured by perturbing its input",
            fix=f"leave --lookahead out, or give {felt}{' (whole windows only)' if reach.whole else ''}",
        )
    return _stated(source, declared, reach)


def _felt(source: Source, simple: Any) -> Reach:
    interface = source.interface
    nothing = np.zeros((interface.window, len(interface.outputs)), np.float32)

    # One window at a time in one thread: what an estimate does not depend on leaves its bits alone.
    def run(pressure: Floats) -> Floats:
        pieces = [Piece(x, nothing, 1.0, 0, interface.window) for x in pressure]
        return np.asarray(float_estimates(simple, pieces), np.float32)

    return felt_reach(run, interface.window, len(interface.sensors))


def _stated(source: Source, lookahead: int, reach: Reach | None) -> Source:
    model = {
        **source.model,
        "receptive_field": reach and (source.interface.window if reach.whole else reach.back + reach.ahead),
        "causal": lookahead == 0,
        "recurrent": source.is_step,
    }
    return replace(source, model=model, interface=replace(source.interface, lookahead=lookahead))
