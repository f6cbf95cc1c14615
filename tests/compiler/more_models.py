# SPDX-License-Identifier: Apache-2.0
"""Random int8 models, continued: functions of one value, and operators that move values."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from random_models import Maker, causal_layer

CURVES = ["ELU", "HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "QUANTIZE", "RELU", "TANH"]


def curve(m, kind, x):
    """A function of one value whose output's scale is of the input's order."""
    if kind in ("RELU", "TANH", "LOGISTIC"):
        return m.lookup(kind, x)
    options = {"alpha": float(np.float32(m.rng.uniform(0, 1)))} if kind == "LEAKY_RELU" else {}
    out = m.activation(m.shape(x), m.scale_of(x) * 2.0 ** m.rng.uniform(-1, 1))
    return m.op(kind, (x,), out, **options)


def ints(m, values):
    return m.tensor((len(values),), data=np.array(values, np.int32), dtype="int32")


def like(m, x, shape):
    return m.tensor(shape, m.scale_of(x), m.zero_of(x))


def concat(m, parts, axis):
    """`parts` requantised where their codes differ from the first's."""
    first = parts[0]
    alike = [m.op("QUANTIZE", (x,), like(m, first, m.shape(x))) if x != first else x for x in parts]
    shape = list(m.shape(first))
    shape[axis] = sum(m.shape(x)[axis] for x in alike)
    axis = axis - len(shape) if m.rng.random() < 0.5 else axis
    return m.op("CONCATENATION", alike, like(m, first, shape), axis=axis, activation="NONE")


def cut(m, x, axis):
    """A SLICE of one axis."""
    shape = list(m.shape(x))
    begin = int(m.rng.integers(0, shape[axis]))
    size = int(m.rng.integers(1, shape[axis] - begin + 1))
    begins, sizes = [0] * len(shape), list(shape)
    begins[axis], sizes[axis] = begin, size
    shape[axis] = size
    if begin + size == m.shape(x)[axis] and m.rng.random() < 0.5:
        sizes[axis] = -1
    return m.op("SLICE", (x, ints(m, begins), ints(m, sizes)), like(m, x, shape))


def strided(m, x, keep):
    """A STRIDED_SLICE of every axis from `keep` on, forwards or backwards."""
    shape, vectors, masks = list(m.shape(x)), ([], [], []), [0, 0]
    for axis, n in enumerate(shape):
        step = int(m.rng.choice([-2, -1, 1, 2])) if axis >= keep else 1
        begin, end = (0, n) if step > 0 else (n - 1, -n - 1)
        for vector, value in zip(vectors, (begin, end, step), strict=True):
            vector.append(value)
        for which in (0, 1):
            masks[which] |= int(m.rng.integers(2)) << axis
        shape[axis] = -(-n // abs(step))
    options = {"ellipsis_mask": 0, "new_axis_mask": 0, "shrink_axis_mask": 0}
    inputs = (x, *(ints(m, vector) for vector in vectors))
    return m.op("STRIDED_SLICE", inputs, like(m, x, shape), begin_mask=masks[0], end_mask=masks[1], **options)


def transpose(m, x, keep):
    """The axes from `keep` on in another order."""
    order = [*range(keep), *(int(a) + keep for a in m.rng.permutation(len(m.shape(x)) - keep))]
    return m.op("TRANSPOSE", (x, ints(m, order)), like(m, x, [m.shape(x)[axis] for axis in order]))


def resize(m, x, factors):
    n, h, w, c = m.shape(x)
    sizes = [h * factors[0], w * factors[1]]
    half = int(m.rng.integers(2))
    out = like(m, x, (n, *sizes, c))
    return m.op("RESIZE_NEAREST_NEIGHBOR", (x, ints(m, sizes)), out, align_corners=0, half_pixel_centers=half)


def mirror(m, x, keep):
    mode, edge = [("REFLECT", 1), ("SYMMETRIC", 0)][int(m.rng.integers(2))]
    pads = [
        [int(m.rng.integers(0, min(n - edge, 3) + 1)) if axis >= keep else 0 for _ in (0, 1)]
        for axis, n in enumerate(m.shape(x))
    ]
    shape = [n + a + b for n, (a, b) in zip(m.shape(x), pads, strict=True)]
    amounts = m.tensor((len(pads), 2), data=np.array(pads, np.int32), dtype="int32")
    return m.op("MIRROR_PAD", (x, amounts), like(m, x, shape), mode=mode)


def filled(m, x, keep):
    """A PADV2 of any value around the axes from `keep` on."""
    pads = [
        [int(m.rng.integers(0, 3)) if axis >= keep else 0 for _ in (0, 1)] for axis in range(len(m.shape(x)))
    ]
    shape = [n + a + b for n, (a, b) in zip(m.shape(x), pads, strict=True)]
    amounts = m.tensor((len(pads), 2), data=np.array(pads, np.int32), dtype="int32")
    value = np.array([m.rng.choice([-128, m.rng.integers(-128, 128)])], np.int8)
    around = m.tensor((1,), m.scale_of(x), m.zero_of(x), value)
    return m.op("PADV2", (x, amounts, around), like(m, x, shape))


def prelu(m, x):
    c = m.shape(x)[-1]
    shape = (1,) * (len(m.shape(x)) - 2) + (c,)
    alpha = m.tensor(shape, 2.0 ** m.rng.uniform(-10, -5), m.zero_point(), m.constant(shape, -128))
    out = m.activation(m.shape(x), m.scale_of(x) * 2.0 ** m.rng.uniform(-1, 1))
    return m.op("PRELU", (x, alpha), out)


def mean(m, x, axes):
    """A MEAN at a scale of its own."""
    shape, keep = list(m.shape(x)), int(m.rng.integers(2))
    out = [1 if axis in axes else n for axis, n in enumerate(shape) if keep or axis not in axes]
    given = [axis - len(shape) if m.rng.random() < 0.3 else axis for axis in axes]
    target = m.activation(out, m.scale_of(x) * 2.0 ** m.rng.uniform(-2, 0.5))
    return m.op("MEAN", (x, ints(m, given)), target, keep_dims=keep)


def softmax(m, x):
    beta = float(np.float32(2.0 ** m.rng.uniform(-1, 2)))
    return m.op("SOFTMAX", (x,), m.tensor(m.shape(x), 1 / 256, -128), beta=beta)


def averaged(rng):
    """[1, T, C]: layers and means over time or channels."""
    m, t, c = Maker(rng), int(rng.integers(2, 20)), int(rng.integers(1, 7))
    first = x = m.activation((1, t, c))
    for _ in range(int(rng.integers(0, 3))):
        x = causal_layer(m, x, t)
    x = mean(m, x, [int(rng.integers(1, 3))])
    return m.graph([first], [m.dense(m.reshape(x, (1, math.prod(m.shape(x)))), int(rng.integers(1, 4)))])


def curved(rng):
    """[1, T, C]: layers and functions of one value, of a channel, of a row.  Streams."""
    m, t, c = Maker(rng), int(rng.integers(2, 20)), int(rng.integers(1, 9))
    first = x = m.activation((1, t, c))
    for _ in range(int(rng.integers(1, 5))):
        choice = rng.random()
        if choice < 0.4:
            x = curve(m, str(rng.choice(CURVES)), x)
        elif choice < 0.6:
            x = prelu(m, x)
        elif choice < 0.7:
            x = softmax(m, x)
        else:
            x = causal_layer(m, x, t)
    return m.graph([first], [x])


def joined(rng):
    """[1, T, C]: branches, cut and joined along the channels.  Streams."""
    m, t, c = Maker(rng), int(rng.integers(2, 16)), int(rng.integers(1, 7))
    first = x = m.activation((1, t, c))
    for _ in range(int(rng.integers(1, 4))):
        parts = [x, *(m.dense(x, int(rng.integers(1, 5))) for _ in range(int(rng.integers(0, 4))))]
        x = concat(m, [parts[i] for i in rng.permutation(len(parts))], 2)
        x = cut(m, x, 2) if rng.random() < 0.6 else strided(m, x, 2)
        x = curve(m, "LEAKY_RELU", x) if rng.random() < 0.3 else x
    return m.graph([first], [m.dense(x, int(rng.integers(1, 4)))])


def moved(rng):
    """[1, T, rows, columns]: values moved and borders put within each frame.  Streams."""
    m = Maker(rng)
    borders = [lambda x: filled(m, x, 2), lambda x: mirror(m, x, 2)]
    return _within_frames(m, borders)


def turned(rng):
    """[1, T, rows, columns]: values moved within each frame, also in int16.  Streams."""
    return _within_frames(Maker(rng), [])


def _within_frames(m, more):
    rng, t = m.rng, int(m.rng.integers(2, 7))
    moves = [
        lambda x: cut(m, x, int(rng.integers(2, 4))),
        lambda x: strided(m, x, 2),
        lambda x: transpose(m, x, 2),
        lambda x: resize(m, x, (1, int(rng.integers(1, 4)))),
        lambda x: concat(m, [x, cut(m, x, 2)], 2),
        *more,
    ]
    first = x = m.activation((1, t, int(rng.integers(1, 5)), int(rng.integers(1, 5))))
    for _ in range(int(rng.integers(1, 4))):
        x = moves[rng.integers(len(moves))](x)
    if rng.random() < 0.5:
        x = mean(m, x, [[2], [3], [2, 3]][rng.integers(3)])
    x = m.reshape(x, (1, t, math.prod(m.shape(x)[2:])))
    return m.graph([first], [m.dense(x, int(rng.integers(1, 4)))])


def cut_time(rng):
    """[1, T, C] with time cut, mirrored, stretched, turned round.  Windows only, mostly."""
    m, t, c = Maker(rng), int(rng.integers(4, 16)), int(rng.integers(1, 5))
    first = x = m.activation((1, t, c))
    x = m.reshape(x, (1, t, 1, c))
    for _ in range(int(rng.integers(1, 4))):
        choice = rng.integers(7)
        x = [
            lambda x: filled(m, x, 1),
            lambda x: cut(m, x, 1),
            lambda x: strided(m, x, 1),
            lambda x: transpose(m, x, 0),
            lambda x: mirror(m, x, 1),
            lambda x: resize(m, x, (int(rng.integers(1, 4)), 1)),
            lambda x: concat(m, [x, cut(m, x, 1)], 1),
        ][choice](x)
    if rng.random() < 0.5:
        x = mean(m, x, [[1], [1, 2]][rng.integers(2)])
    return m.graph([first], [m.dense(m.reshape(x, (1, math.prod(m.shape(x)))), int(rng.integers(1, 4)))])


MORE_FAMILIES = {
    "averaged": averaged,
    "curved": curved,
    "joined": joined,
    "moved": moved,
    "turned": turned,
    "cut_time": cut_time,
}
