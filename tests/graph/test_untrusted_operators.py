# SPDX-License-Identifier: Apache-2.0
"""Operators with impossible parameters, and damaged models of them: refused in three lines, or taken."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "compiler"))
from more_models import MORE_FAMILIES, ints
from random_models import Maker
from test_untrusted_models import accepted, mutate

from edgegrf.graph.reader import read_tflite
from edgegrf.graph.writer import write_tflite

WIDE = 1 << 30


def one(kind, *, shape=(1, 6, 2, 4), out=None, vectors=(), scale=0.1, zero=3, options=None, more=()):
    """A graph of one operator over [1, 6, 2, 4]; `more`: (shape, scale, zero point) of further inputs."""
    m = Maker(np.random.default_rng(0))
    x = m.tensor(shape, 0.1, 3)
    others = [m.tensor(s, a, z, np.ones(s, np.int8)) for s, a, z in more]
    constants = [ints(m, vector) for vector in vectors]
    y = m.tensor(out or shape, scale, zero)
    m.op(kind, (x, *others, *constants), y, **(options or {}))
    return m.graph([x], [y])


NO_MASKS = dict.fromkeys(("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"), 0)
SIZES = {"align_corners": 0, "half_pixel_centers": 0}
REFLECT = {"mode": "REFLECT"}
JOIN = {"axis": 3, "activation": "NONE"}


def strided(begin, end, steps, out, **masks):
    return one("STRIDED_SLICE", vectors=(begin, end, steps), out=out, options=NO_MASKS | masks)


def join(out, axis=3, activation="NONE", other=(1, 6, 2, 4), scale=0.1):
    options = {"axis": axis, "activation": activation}
    return one("CONCATENATION", out=out, more=[(other, scale, 3)], options=options)


SOUND = {
    "slice": one("SLICE", vectors=((0, 1, 0, 2), (1, 5, -1, 2)), out=(1, 5, 2, 2)),
    "strided slice": strided((0, 5, 0, 0), (1, -7, 2, 4), (1, -2, 1, 3), (1, 3, 2, 2)),
    "transpose": one("TRANSPOSE", vectors=((0, 3, 1, 2),), out=(1, 4, 6, 2)),
    "resize": one("RESIZE_NEAREST_NEIGHBOR", vectors=((12, 6),), out=(1, 12, 6, 4), options=SIZES),
    "mirror": one("MIRROR_PAD", vectors=((0, 0, 5, 1, 1, 0, 0, 0),), out=(1, 12, 3, 4), options=REFLECT),
    "prelu": one("PRELU", more=[((1, 1, 4), 0.01, 0)]),
    "leaky": one("LEAKY_RELU", options={"alpha": 0.25}),
    "softmax": one("SOFTMAX", scale=1 / 256, zero=-128, options={"beta": 1.0}),
    "quantize": one("QUANTIZE", scale=0.3),
    "join with a constant": join((1, 6, 2, 8)),
}

BENT = {
    "a slice that begins before its input": one(
        "SLICE", vectors=((0, -1, 0, 0), (1, 5, 2, 4)), out=(1, 5, 2, 4)
    ),
    "a slice that ends after its input": one("SLICE", vectors=((0, 2, 0, 0), (1, 5, 2, 4)), out=(1, 5, 2, 4)),
    "a slice of a wild size": one("SLICE", vectors=((0, 1, 0, 0), (1, WIDE, 2, 4)), out=(1, 5, 2, 4)),
    "a slice of too few axes": one("SLICE", vectors=((0, 1), (1, 5)), out=(1, 5, 2, 4)),
    "a slice of another shape": one("SLICE", vectors=((0, 1, 0, 0), (1, 5, 2, 4)), out=(1, 4, 2, 4)),
    "a slice that changes the scale": one("SLICE", vectors=((0, 0, 0, 0), (1, 6, 2, 4)), scale=0.2),
    "a stride of nothing": strided((0, 0, 0, 0), (1, 6, 2, 4), (1, 0, 1, 1), (1, 6, 2, 4)),
    "a stride that takes nothing": strided((0, 5, 0, 0), (1, 2, 2, 4), (1, 1, 1, 1), (1, 1, 2, 4)),
    "a stride from far outside": strided((0, WIDE, 0, 0), (1, 6, 2, 4), (1, 1, 1, 1), (1, 1, 2, 4)),
    "a slice with new axes": strided((0, 0, 0, 0), (1, 6, 2, 4), (1, 1, 1, 1), (1, 6, 2, 4), new_axis_mask=1),
    "a shrink of another shape": strided(
        (0, 2, 0, 0), (1, 6, 2, 4), (1, 1, 1, 1), (1, 6, 2, 4), shrink_axis_mask=2
    ),
    "an order with an axis twice": one("TRANSPOSE", vectors=((0, 1, 1, 2),), out=(1, 6, 6, 2)),
    "an order of wild axes": one("TRANSPOSE", vectors=((0, 1, 2, 70),)),
    "an order that is short": one("TRANSPOSE", vectors=((1, 0),)),
    "a resize by a fraction": one(
        "RESIZE_NEAREST_NEIGHBOR", vectors=((9, 2),), out=(1, 9, 2, 4), options=SIZES
    ),
    "a resize to nothing": one("RESIZE_NEAREST_NEIGHBOR", vectors=((0, 2),), options=SIZES),
    "a resize to corners": one(
        "RESIZE_NEAREST_NEIGHBOR", vectors=((12, 2),), out=(1, 12, 2, 4), options=SIZES | {"align_corners": 1}
    ),
    "a mirror wider than the input": one(
        "MIRROR_PAD", vectors=((0, 0, 6, 0, 0, 0, 0, 0),), out=(1, 12, 2, 4), options=REFLECT
    ),
    "a mirror of a negative width": one("MIRROR_PAD", vectors=((0, 0, -1, 1, 0, 0, 0, 0),), options=REFLECT),
    "slopes of another shape": one("PRELU", more=[((1, 1, 3), 0.01, 0)]),
    "a slope that is no number": one("LEAKY_RELU", options={"alpha": float("nan")}),
    "a slope below 0": one("LEAKY_RELU", options={"alpha": -1.0}),
    "shares of another scale": one("SOFTMAX", options={"beta": 1.0}),
    "an infinite beta": one("SOFTMAX", scale=1 / 256, zero=-128, options={"beta": float("inf")}),
    "a negative beta": one("SOFTMAX", scale=1 / 256, zero=-128, options={"beta": -1.0}),
    "scales beyond int32": one("QUANTIZE", scale=1e-12),
    "a join along no axis": join((1, 6, 2, 8), axis=9),
    "a join of another size": join((1, 6, 2, 9)),
    "a join of shapes that differ": join((1, 6, 2, 8), other=(1, 5, 2, 4)),
    "a join of scales that differ": join((1, 6, 2, 8), scale=0.2),
    "a join with an activation": join((1, 6, 2, 8), activation="RELU"),
}


@pytest.mark.parametrize("name", SOUND)
def test_the_unbent_operator_is_accepted(name):
    assert accepted(write_tflite(SOUND[name]))


@pytest.mark.parametrize("name", BENT)
def test_bent_operators_are_refused(name):
    assert not accepted(write_tflite(BENT[name]))


@pytest.mark.parametrize("family", MORE_FAMILIES)
def test_damage_is_refused_or_harmless(family):
    chance, rng = random.Random(3), np.random.default_rng(3)
    outcomes = []
    for _ in range(12):
        data = write_tflite(MORE_FAMILIES[family](rng))
        outcomes += [accepted(mutate(data, chance)) for _ in range(25)]
    assert 30 < sum(outcomes) < 270


@pytest.mark.parametrize("family", ["joined", "moved"])
def test_every_truncation_is_refused(family):
    data = write_tflite(MORE_FAMILIES[family](np.random.default_rng(5)))
    whole = read_tflite(data)
    for length in range(0, len(data) - 8, 5):
        if accepted(data[:length]):
            assert read_tflite(data[:length]).operators == whole.operators
