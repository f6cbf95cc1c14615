# SPDX-License-Identifier: Apache-2.0
"""Small random int8 models of five families, with scales and zero points out to the extremes."""

from __future__ import annotations

import math

import numpy as np

from edgegrf.graph.model import Graph, Operator, Quantization, Tensor

POOLS = ["AVERAGE_POOL_2D", "MAX_POOL_2D"]

#: activation -> how often
ACTIVATIONS = {"NONE": 0.7, "RELU": 0.2, "RELU6": 0.07, "RELU_N1_TO_1": 0.03}


class Maker:
    """A graph in the making; the current tensor is what the next operator takes."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng, self.tensors, self.operators = rng, [], []
        self.extreme = rng.random() < 0.15

    def tensor(self, shape, scale=None, zero_point=None, data=None, dtype="int8", axis=0, name=None):
        quantization = None
        if scale is not None:
            scales = np.atleast_1d(np.asarray(scale, np.float32))
            zeros = np.full(len(scales), 0 if zero_point is None else zero_point, np.int64)
            quantization = Quantization(scales, zeros, axis)
        name = name or f"t{len(self.tensors)}"
        self.tensors.append(Tensor(name, tuple(shape), dtype, quantization, data))
        return len(self.tensors) - 1

    def zero_point(self):
        if self.rng.random() < 0.7:
            return int(self.rng.integers(-30, 30))
        return int(self.rng.choice([-128, 127, self.rng.integers(-128, 128)]))

    def act(self):
        return str(self.rng.choice(list(ACTIVATIONS), p=list(ACTIVATIONS.values())))

    def scale(self):
        return float(2.0 ** self.rng.uniform(*((-20, 8) if self.extreme else (-9, 1))))

    def activation(self, shape, scale=None, zero_point=None, name=None):
        return self.tensor(
            shape, scale or self.scale(), self.zero_point() if zero_point is None else zero_point, name=name
        )

    def shape(self, tensor):
        return self.tensors[tensor].shape

    def scale_of(self, tensor):
        return float(self.tensors[tensor].quantization.scales[0])

    def zero_of(self, tensor):
        return int(self.tensors[tensor].quantization.zero_points[0])

    def op(self, kind, inputs, output, version=2, **options):
        self.operators.append(Operator(kind, tuple(inputs), (output,), options, version))
        return output

    def constant(self, shape, low=-127, high=128):
        return self.rng.integers(low, high, shape).astype(np.int8)

    def reshape(self, x, shape):
        out = self.tensor(shape, self.scale_of(x), self.zero_of(x))
        wanted = self.tensor((len(shape),), data=np.array(shape, np.int32), dtype="int32")
        return self.op("RESHAPE", (x, wanted), out, 1, new_shape=tuple(shape))

    def pad(self, x, pads):
        shape = [n + a + b for n, (a, b) in zip(self.shape(x), pads, strict=True)]
        amounts = self.tensor((len(pads), 2), data=np.array(pads, np.int32), dtype="int32")
        return self.op("PAD", (x, amounts), self.tensor(shape, self.scale_of(x), self.zero_of(x)))

    def weighted(self, kind, x, weights, axis, out_shape, depth, **options):
        """A convolution or dense layer whose outputs fill most of int8, except in extreme models."""
        channels = weights.shape[axis]
        per_channel = kind != "FULLY_CONNECTED" or self.rng.random() < 0.5
        spread = 2.0 ** self.rng.uniform(-1, 1, channels if per_channel else 1)
        target = 150 / (74 * 74 * math.sqrt(depth))
        if self.extreme:
            target *= 2.0 ** self.rng.uniform(-24, 10)
        scale = self.scale_of(x) * 2.0 ** self.rng.uniform(-8, -4)
        out = self.activation(out_shape, scale / target)
        w_scale = (spread * scale / self.scale_of(x)).astype(np.float32)
        w = self.tensor(weights.shape, w_scale, 0, weights, axis=axis)
        inputs = [x, w]
        if self.rng.random() < 0.8:
            bias = self.rng.integers(-(1 << 13), 1 << 13, channels).astype(np.int32)
            b_scale = (w_scale * np.float32(self.scale_of(x))).astype(np.float32)
            inputs.append(self.tensor((channels,), b_scale, 0, bias, "int32"))
        activation = self.act()
        version = 4 if kind == "FULLY_CONNECTED" else 3
        return self.op(kind, inputs, out, version, activation=activation, **options)

    def conv(self, x, kernel, outputs, padding="VALID", stride=(1, 1), dilation=(1, 1), multiplier=0):
        """A convolution over [N, H, W, C]; depthwise where `multiplier` is not 0."""
        n, h, w, c = self.shape(x)
        size = []
        for extent, k, s, d in zip((h, w), kernel, stride, dilation, strict=True):
            size.append(-(-extent // s) if padding == "SAME" else (extent - (k - 1) * d - 1) // s + 1)
        if min(size) < 1:
            return x
        options = {"padding": padding, "stride": stride, "dilation": dilation}
        if multiplier:
            weights = self.constant((1, *kernel, c * multiplier))
            return self.weighted(
                "DEPTHWISE_CONV_2D",
                x,
                weights,
                3,
                (n, *size, c * multiplier),
                kernel[0] * kernel[1],
                depth_multiplier=multiplier,
                **options,
            )
        weights = self.constant((outputs, *kernel, c))
        depth = kernel[0] * kernel[1] * c
        return self.weighted("CONV_2D", x, weights, 0, (n, *size, outputs), depth, **options)

    def dense(self, x, outputs):
        depth = self.shape(x)[-1]
        weights = self.constant((outputs, depth))
        return self.weighted("FULLY_CONNECTED", x, weights, 0, (*self.shape(x)[:-1], outputs), depth)

    def binary(self, kind, a, b, shape=None):
        """ADD, SUB or MUL whose result mostly fits its output's scale."""
        sa, sb = self.scale_of(a), self.scale_of(b)
        scale = sa * sb * 40 if kind == "MUL" else (sa + sb) / 1.5
        out = self.activation(shape or self.shape(a), scale * 2.0 ** self.rng.uniform(-1, 1))
        return self.op(kind, (a, b), out, activation=self.act())

    def with_constant(self, kind, x):
        c = self.shape(x)[-1]
        rank = int(self.rng.integers(0, len(self.shape(x))))
        shape = [(c,), (1,) * rank + (c,), (), (1,) * rank][self.rng.integers(4)]
        scale = self.scale_of(x) * 2.0 ** self.rng.uniform(-2, 2) if kind != "MUL" else self.scale()
        other = self.tensor(shape, scale, self.zero_point(), self.constant(shape, -128))
        pair = (x, other) if self.rng.random() < 0.7 else (other, x)
        return self.binary(kind, *pair, shape=self.shape(x))

    def lookup(self, kind, x):
        ends = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}
        ends["RELU6"] = (self.scale_of(x), self.zero_of(x))
        scale, zero = ends.get(kind, (self.scale_of(x) * 2.0 ** self.rng.uniform(-1, 1), self.zero_point()))
        return self.op(kind, (x,), self.tensor(self.shape(x), scale, zero))

    def pool(self, x, size, stride, padding="VALID", kind="AVERAGE_POOL_2D"):
        n, h, w, c = self.shape(x)
        out = []
        for extent, k, s in zip((h, w), size, stride, strict=True):
            out.append(-(-extent // s) if padding == "SAME" else (extent - k) // s + 1)
        if min(out) < 1:
            return x
        result = self.tensor((n, *out, c), self.scale_of(x), self.zero_of(x))
        activation = self.act()
        return self.op(
            kind,
            (x,),
            result,
            padding=padding,
            stride=stride,
            filter=size,
            activation=activation,
        )

    def graph(self, inputs, outputs):
        return Graph(tuple(self.tensors), tuple(self.operators), tuple(inputs), tuple(outputs), "random")


def causal(rng):
    """[1, T, C]: causal convolutions, plain, depthwise, dilated; residuals; constants; tables.  Streams."""
    m, t, c = Maker(rng), int(rng.integers(2, 20)), int(rng.integers(1, 7))
    first = x = m.activation((1, t, c))
    for _ in range(int(rng.integers(1, 6))):
        x = causal_layer(m, x, t)
    return m.graph([first], [x])


def causal_layer(m, x, t):
    rng = m.rng
    choice = rng.integers(8)
    c = m.shape(x)[-1]
    if choice <= 2:
        wide, k, d = bool(rng.integers(2)), int(rng.integers(1, 5)), int(rng.integers(1, 4))
        past = (k - 1) * d
        early = bool(rng.integers(2))
        if early and past:
            x = m.pad(x, [(0, 0), (past, 0), (0, 0)])
        x = m.reshape(x, (1, 1, m.shape(x)[1], c) if wide else (1, m.shape(x)[1], 1, c))
        if not early and past:
            pads = [(0, 0)] * 4
            pads[2 if wide else 1] = (past, 0)
            x = m.pad(x, pads)
        kernel, dilation = ((1, k), (1, d)) if wide else ((k, 1), (d, 1))
        multiplier = int(rng.integers(0, 3))
        x = m.conv(x, kernel, int(rng.integers(1, 8)), dilation=dilation, multiplier=multiplier)
        return m.reshape(x, (1, t, m.shape(x)[-1]))
    if choice == 3:
        return m.dense(x, int(rng.integers(1, 8)))
    if choice == 4:
        return m.lookup(str(rng.choice(["LOGISTIC", "TANH", "RELU", "RELU6"])), x)
    if choice == 5:
        return m.with_constant(str(rng.choice(["ADD", "SUB", "MUL"])), x)
    if choice == 6:
        y = causal_layer(m, x, t)
        if m.shape(y) != m.shape(x):
            return y
        return m.binary(str(rng.choice(["ADD", "SUB", "MUL"])), *((x, y) if rng.random() < 0.5 else (y, x)))
    return m.pad(x, [(0, 0), (0, 0), (int(rng.integers(0, 2)), int(rng.integers(1, 3)))])


def windowed(rng):
    """[1, T, C] with strides, centred padding and pools over time.  Mostly cannot stream."""
    m, t, c = Maker(rng), int(rng.integers(4, 24)), int(rng.integers(1, 6))
    first = x = m.activation((1, t, c))
    x = m.reshape(x, (1, t, 1, c))
    for _ in range(int(rng.integers(1, 4))):
        k, s, d = (int(rng.integers(1, n)) for n in (5, 3, 3))
        padding = str(rng.choice(["SAME", "VALID"]))
        if rng.random() < 0.3:
            x = m.pad(x, [(0, 0), (int(rng.integers(3)), int(rng.integers(3))), (0, 0), (0, 0)])
        if rng.random() < 0.3:
            x = m.pool(x, (k, 1), (s, 1), padding, str(rng.choice(POOLS)))
        else:
            outputs, multiplier = int(rng.integers(1, 6)), int(rng.integers(2))
            x = m.conv(x, (k, 1), outputs, padding, (s, 1), (1 if s > 1 else d, 1), multiplier)
    x = m.reshape(x, (1, m.shape(x)[1] * m.shape(x)[3]))
    return m.graph([first], [m.dense(x, int(rng.integers(1, 4)))])


def matrix(rng):
    """[1, T, rows, columns]: convolutions and pools within each frame, then over time.  Streams."""
    m, t = Maker(rng), int(rng.integers(2, 9))
    r, c = int(rng.integers(3, 9)), int(rng.integers(3, 7))
    first = x = m.activation((1, t, r, c))
    x = m.reshape(x, (t, r, c, 1))
    for _ in range(int(rng.integers(1, 4))):
        padding = str(rng.choice(["SAME", "VALID"]))
        size = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
        stride = (int(rng.integers(1, 3)), int(rng.integers(1, 3)))
        if rng.random() < 0.3:
            x = m.pad(x, [(0, 0), (int(rng.integers(2)), int(rng.integers(2))), (1, 0), (0, 0)])
        if rng.random() < 0.3:
            x = m.pool(x, size, stride, padding, str(rng.choice(POOLS)))
        else:
            x = m.conv(x, size, int(rng.integers(1, 5)), padding, stride, multiplier=int(rng.integers(3)))
    x = m.reshape(x, (1, t, math.prod(m.shape(x)[1:])))
    return m.graph([first], [causal_layer(m, causal_layer(m, x, t), t)])


def rows(rng):
    """[1, T, W, C] as an image whose rows are time: causal downwards, anything sideways.  Streams."""
    m, t, w, c = Maker(rng), int(rng.integers(2, 12)), int(rng.integers(2, 6)), int(rng.integers(1, 4))
    first = x = m.activation((1, t, w, c))
    for _ in range(int(rng.integers(1, 4))):
        k, kw, d = int(rng.integers(1, 4)), int(rng.integers(1, 3)), int(rng.integers(1, 3))
        x = m.pad(x, [(0, 0), ((k - 1) * d, 0), (int(rng.integers(2)), int(rng.integers(1, 2))), (0, 0)])
        x = m.conv(
            x,
            (k, kw),
            int(rng.integers(1, 5)),
            "VALID",
            (1, int(rng.integers(1, 3))),
            (d, 1),
            int(rng.integers(3)),
        )
    return m.graph([first], [x])


def steps(rng):
    """[1, C] and one or two states: a recurrent step.  Streams only."""
    m, c = Maker(rng), int(rng.integers(1, 6))
    m.extreme = False
    first = m.activation((1, c), 0.05)
    sizes = [int(rng.integers(1, 6)) for _ in range(int(rng.integers(1, 3)))]
    inputs, outputs, x = [first], [], first
    for index, size in enumerate(sizes):
        h = m.activation((1, size), 1 / 128, 0, name=f"state:h{index}")
        gate = m.lookup("LOGISTIC", m.binary("ADD", m.dense(x, size), m.dense(h, size)))
        new = m.lookup("TANH", m.binary("ADD", m.dense(x, size), m.dense(h, size)))
        change = m.binary("MUL", gate, m.binary("SUB", h, new))
        after = m.activation((1, size), 1 / 128, 0, name=f"state:h{index}:next")
        x = m.op("ADD", (new, change), after, activation="NONE")
        inputs.append(h)
        outputs.append(after)
    y = m.dense(x, int(rng.integers(1, 4)))
    order = rng.permutation(len(inputs))
    return m.graph([inputs[i] for i in order], [y, *outputs] if rng.random() < 0.5 else [*outputs, y])


def fours(rng):
    """[1, T, C] in whole fours of channels, with what int8 clamps alone: what the packed kernels take."""
    m, t, c = Maker(rng), int(rng.integers(1, 60)), 4 * int(rng.integers(1, 6))
    m.extreme = rng.random() < 0.1
    rectified = bool(rng.integers(2))
    m.act = lambda: "RELU" if rectified else "NONE"
    if rectified:
        m.zero_point = lambda: -128
    first = x = m.activation((1, t, c))
    x = m.reshape(x, (1, t, 1, c))
    for _ in range(int(rng.integers(1, 4))):
        k, d = int(rng.integers(1, 8)), int(rng.choice([1, 1, 2, 3, 9]))
        past = (k - 1) * d
        before = int(rng.choice([past, past // 2, rng.integers(0, past + 1)]))
        after = past - before if rng.random() < 0.8 else int(rng.integers(0, past + 1))
        x = m.pad(x, [(0, 0), (before, after), (0, 0), (0, 0)])
        outputs, depthwise = 4 * int(rng.integers(1, 7)), int(rng.random() < 0.4)
        x = m.conv(x, (k, 1), outputs, dilation=(d, 1), multiplier=depthwise)
    return m.graph([first], [m.reshape(x, (1, m.shape(x)[1], m.shape(x)[3]))])


FAMILIES = {
    "fours": fours,
    "causal": causal,
    "windowed": windowed,
    "matrix": matrix,
    "rows": rows,
    "steps": steps,
}
