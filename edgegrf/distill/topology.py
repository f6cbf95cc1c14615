# SPDX-License-Identifier: Apache-2.0
"""Persistence images: which hills and valleys a signal has, whenever they come."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import MissingToolError

__all__ = ["PIXELS", "persistence_image"]

#: an image is PIXELS x PIXELS: birth from left to right, lifetime from bottom to top
PIXELS = 64
_SPREAD = 0.015  # of a point, as a part of the image's side [C]
_SHORTEST = 0.01  # a life that counts, as a part of the image's side [C]
_RANGE_BW = 1.5  # what the image's side stands for


def persistence_image(series: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """The image [PIXELS, PIXELS] of a series [T] in BW: sub-level-set persistence in dimension 0.

    Each valley is a point (birth, lifetime); the valley that never dies lives until the highest value.
    Points are Gaussians weighted by lifetime (Adams et al. 2017).  Raises MissingToolError without gudhi.
    """
    try:
        from gudhi import CubicalComplex
    except ImportError as error:
        raise MissingToolError("gudhi is not installed", fix="pip install 'edgegrf[topology]'") from error
    scaled = np.clip(np.asarray(series, np.float64) / _RANGE_BW, 0, 1)
    complex_ = CubicalComplex(top_dimensional_cells=scaled)
    pairs = np.array([pair for degree, pair in complex_.persistence() if degree == 0]).reshape(-1, 2)
    birth, life = pairs[:, 0], np.minimum(pairs[:, 1], scaled.max()) - pairs[:, 0]
    kept = life > _SHORTEST
    middle = (np.arange(PIXELS) + 0.5) / PIXELS
    across = np.exp(-((middle[None] - birth[kept, None]) ** 2) / (2 * _SPREAD**2))
    along = np.exp(-((middle[None] - life[kept, None]) ** 2) / (2 * _SPREAD**2)) * life[kept, None]
    return np.asarray(along.T @ across, np.float32)
