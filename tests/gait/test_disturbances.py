# SPDX-License-Identifier: Apache-2.0
"""The disturbances do what they say, in the strength that they say."""

from __future__ import annotations

import numpy as np
import pytest

from edgegrf.gait.disturbances import DISTURBANCES

WALK = np.abs(np.sin(np.arange(4000, dtype=np.float32)[:, None] / [7, 9, 11, 13])).astype(np.float32)


def disturbed(name: str, strength: float, seed: int = 1) -> np.ndarray:
    return DISTURBANCES[name].apply(WALK, strength, np.random.default_rng(seed))


@pytest.mark.parametrize("name", DISTURBANCES)
def test_each_is_graded_repeatable_and_keeps_the_shape(name: str) -> None:
    kind, before = DISTURBANCES[name], WALK.copy()
    errors = [float(np.abs(disturbed(name, strength) - WALK).mean()) for strength in kind.strengths]
    assert errors == sorted(errors) and errors[0] > 0
    once, again = disturbed(name, kind.middle), disturbed(name, kind.middle)
    assert once.shape == WALK.shape and once.dtype == np.float32 and np.array_equal(once, again)
    assert not np.array_equal(once, disturbed(name, kind.middle, seed=2))
    assert np.array_equal(WALK, before) and len(kind.strengths) == 5


def test_the_strength_is_in_the_unit_that_it_says() -> None:
    assert np.std(disturbed("noise", 0.01) - WALK) == pytest.approx(0.01, rel=0.03)
    gains = [np.log(disturbed("gain", 0.2, seed)[1:5] / WALK[1:5])[0] for seed in range(200)]
    assert np.std(gains) == pytest.approx(0.2, rel=0.1)
    offsets = [(disturbed("drift", 0.01, seed) - WALK)[2000] for seed in range(100)]
    assert np.std(offsets) == pytest.approx(0.01 / np.sqrt(2), rel=0.15)
    silent = (disturbed("dead", 0.25) == 0) & (WALK > 0)
    assert sorted(silent.sum(axis=0)) == [0, 0, 0, 1000] or silent.sum() == pytest.approx(1000, abs=2)
    held = np.all(disturbed("dropped", 0.2)[1:] == disturbed("dropped", 0.2)[:-1], axis=1).mean()
    assert held == pytest.approx(0.2, abs=0.02)
    assert abs(np.log(disturbed("wearer", 0.1)[1:] / WALK[1:])).max() == pytest.approx(0.1, rel=1e-3)
