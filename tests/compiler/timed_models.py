# SPDX-License-Identifier: Apache-2.0
"""Random int8 models over time: look-ahead, strides, pools, branches that come at different times."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from more_models import concat, ints, like, resize
from random_models import POOLS, Maker


def timed(rng):
    """[1, T, W, C]: convolutions and pools over time that look ahead and go in strides, and residuals around
    them, whose branches come at different times.  Most stream."""
    m, t, w, c = Maker(rng), int(rng.integers(24, 48)), int(rng.choice([1, 1, 2])), int(rng.integers(1, 5))
    first = x = m.activation((1, t, w, c))
    for _ in range(int(rng.integers(1, 5))):
        make = [timed_layer, timed_layer, timed_residual, timed_residual, timed_concat, timed_cut][
            rng.integers(6)
        ]
        x = make(m, x)
    _, rows, columns, channels = m.shape(x)
    if m.rng.random() < 0.3:
        parts = int(rng.choice([2, 3]))
        if columns == 1 and rows > 1 and channels % parts == 0:
            return m.graph([first], [m.reshape(x, (1, rows * parts, channels // parts))])
    return m.graph([first], [m.reshape(x, (1, rows, columns * channels))])


def timed_layer(m, x, same_length=False):
    """A convolution or a pool over time; `same_length`: with as many rows out as in, and as many channels."""
    rng, shape = m.rng, m.shape(x)
    k, s, d = int(rng.integers(1, 6)), 1 if same_length else int(rng.choice([1, 1, 2, 3])), 1
    d = int(rng.integers(1, 3)) if s == 1 else 1
    pool = rng.random() < 0.4
    past = (k - 1) * (1 if pool else d)
    ahead = int(rng.integers(0, past + 1)) if rng.random() < 0.5 else 0
    padding = str(rng.choice(["SAME", "VALID"]))
    if padding == "VALID" and (same_length or rng.random() < 0.8) and past:
        x = m.pad(x, [(0, 0), (past - ahead, ahead), (0, 0), (0, 0)])
    if pool:
        return m.pool(x, (k, 1), (s, 1), padding, str(rng.choice(POOLS)))
    multiplier = int(rng.choice([0, 1])) if same_length else int(rng.choice([0, 0, 1, 2]))
    outputs = shape[3] if same_length else int(rng.integers(1, 7))
    return m.conv(x, (k, 1), outputs, padding, (s, 1), (d, 1), multiplier)


def timed_residual(m, x):
    """What is left of x after one branch, plus another branch, or x itself."""
    y = timed_layer(m, timed_layer(m, x, same_length=True), same_length=True)
    z = timed_layer(m, x, same_length=True) if m.rng.random() < 0.3 else x
    return m.binary(str(m.rng.choice(["ADD", "SUB", "MUL"])), *((z, y) if m.rng.random() < 0.5 else (y, z)))


def timed_concat(m, x):
    """Branches that come at different times, joined along the channels."""
    parts = [x, timed_layer(m, x, same_length=True), timed_layer(m, x, same_length=True)]
    return concat(m, [parts[i] for i in m.rng.permutation(int(m.rng.integers(2, 4)))], 3)


def timed_cut(m, x):
    """Rows left out at an end or taken with a stride; or every row twice."""
    _, rows, columns, channels = m.shape(x)
    choice = m.rng.integers(3)
    if choice == 0:
        return resize(m, x, (2, 1)) if m.rng.random() < 0.7 else resize(m, x, (1, 2))
    begin, step = int(m.rng.integers(0, 4)), 1 if choice == 1 else 2
    if rows < begin + 3 * step:
        return x
    if choice == 1:
        size = int(m.rng.integers(2, rows - begin + 1))
        vectors = (ints(m, [0, begin, 0, 0]), ints(m, [1, size, columns, channels]))
        return m.op("SLICE", (x, *vectors), like(m, x, (1, size, columns, channels)))
    vectors = (ints(m, row) for row in ([0, begin, 0, 0], [1, rows, columns, channels], [1, step, 1, 1]))
    out = like(m, x, (1, len(range(begin, rows, step)), columns, channels))
    masks = dict.fromkeys(("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"), 0)
    return m.op("STRIDED_SLICE", (x, *vectors), out, **masks)
