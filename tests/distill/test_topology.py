# SPDX-License-Identifier: Apache-2.0
"""Persistence images, and the teacher that sees them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from edgegrf.distill.examples import prepare
from edgegrf.distill.plans import INSOLE4
from edgegrf.gait.choice import synthetic_walks

pytest.importorskip("gudhi")

from edgegrf.distill.images import image_features
from edgegrf.distill.topology import PIXELS, persistence_image


def test_valleys_are_points_of_birth_and_lifetime() -> None:
    # two valleys: one at 0.15 BW that lives until the top at 1.2, one at 0.3 that dies at the pass at 0.9
    series = np.interp(np.arange(200), [0, 40, 90, 140, 199], [1.2, 0.15, 0.9, 0.3, 1.2])
    image = persistence_image(series)
    assert image.shape == (PIXELS, PIXELS) and image.dtype == np.float32
    for birth, death in ((0.15, 1.2), (0.3, 0.9)):
        row, column = int((death - birth) / 1.5 * PIXELS), int(birth / 1.5 * PIXELS)
        patch = image[row - 2 : row + 3, column - 2 : column + 3]
        assert patch.max() > 0.3 * (death - birth) / 1.5
    assert image[:, PIXELS // 2 :].max() < 1e-6
    assert np.allclose(persistence_image(series[::-1]), image, atol=1e-6)  # whenever they come
    assert persistence_image(np.zeros(200)).max() == 0


def test_features_are_of_every_piece_and_cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEGRF_CACHE", str(tmp_path))
    torch.set_num_threads(1)
    training = prepare(synthetic_walks(INSOLE4, range(1, 8), seconds=10), INSOLE4).training
    features = image_features(training)
    assert [one.shape for one in features] == [(len(training), 4, width) for width in (64, 128, 256)]
    assert len(list((tmp_path / "teachers").iterdir())) == 1
    assert all(torch.equal(a, b) for a, b in zip(features, image_features(training), strict=True))
