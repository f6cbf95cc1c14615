# SPDX-License-Identifier: Apache-2.0
"""Windows: a long signal cut into equal pieces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["cut"]


def cut(signal: NDArray[np.float32], window: int, hop: int | None = None) -> NDArray[np.float32]:
    """Cut a signal [T, C] into windows [N, window, C], one every `hop` samples (default: window).

    What is left at the end and fills no window is dropped; a signal shorter than a window gives N = 0.
    """
    step = window if hop is None else hop
    if window < 1 or step < 1:
        raise ValueError(f"window {window} and hop {step} must be at least 1 sample")
    samples, channels = signal.shape
    if samples < window:
        return np.empty((0, window, channels), np.float32)
    views = np.lib.stride_tricks.sliding_window_view(signal, window, axis=0)[::step]
    return np.ascontiguousarray(views.transpose(0, 2, 1), np.float32)
