# SPDX-License-Identifier: Apache-2.0
"""Random models on the virtual boards: they give the bits of tflite-micro, by either compiler."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from random_models import FAMILIES, Maker
from timed_models import timed
from virtual_models import checksum, checksums, uses, wanted

from edgegrf.boards import board
from edgegrf.compiler import compile_model
from edgegrf.errors import MissingToolError, ModelError
from edgegrf.graph.writer import write_tflite
from edgegrf.toolchain import core_compiler

MODELS = 72
KERNELS = {
    f"eg_packed_{name}"
    for name in ("add", "mul", "conv", "conv_step", "dense", "depthwise", "depthwise_step")
} | {"eg_paired_conv", "eg_column_depthwise"}


def large(rng):
    """[1, T, C]: a causal convolution, depthwise, pointwise, a residual; as large as real students'."""
    m = Maker(rng)
    m.extreme = False
    m.act = lambda: "NONE"
    t, c = int(rng.integers(9, 14)), int(rng.choice([4, 8, 12, 16, 20]))
    k, d, outputs = int(rng.integers(2, 6)), int(rng.integers(1, 4)), int(rng.choice([4, 6, 8, 16, 19]))
    first = x = m.activation((1, t, c))
    x = m.reshape(x, (1, t, 1, c))
    x = m.conv(m.pad(x, [(0, 0), ((k - 1) * d, 0), (0, 0), (0, 0)]), (k, 1), outputs, dilation=(d, 1))
    y = m.pad(x, [(0, 0), ((k - 1) * d, 0), (0, 0), (0, 0)])
    y = m.conv(y, (k, 1), 0, dilation=(d, 1), multiplier=1)
    y = m.conv(y, (1, 1), outputs)
    x = m.binary("ADD", *((x, y) if rng.random() < 0.5 else (y, x)))
    return m.graph([first], [m.reshape(x, (1, t, outputs))])


def long(rng):
    """[1, T, C]: depthwise convolutions whose runs are long enough for assembly, with ReLU or without."""
    m = Maker(rng)
    m.extreme = False
    t, c = int(rng.integers(24, 60)), int(rng.choice([4, 8, 12]))
    if rectified := bool(rng.integers(2)):
        m.zero_point = lambda: -128
    m.act = lambda: "RELU" if rectified else "NONE"
    first = x = m.activation((1, t, c))
    x = m.reshape(x, (1, t, 1, c))
    for k in (3, 5, int(rng.integers(2, 10))):
        d = int(rng.integers(1, 3))
        x = m.pad(x, [(0, 0), ((k - 1) * d, 0), (0, 0), (0, 0)])
        x = m.conv(x, (k, 1), 0, dilation=(d, 1), multiplier=1)
    return m.graph([first], [m.reshape(x, (1, t, c))])


def compiled_models(folder):
    """(graph, bytes, compiled) of random models, each in one mode that it can do."""
    found = []
    for index in range(MODELS):
        rng = np.random.default_rng([21, index])
        family = [large, long, timed, *FAMILIES.values()][index % (3 + len(FAMILIES))]
        graph = family(rng)
        name = f"m{index}"
        path = folder / f"{name}.tflite"
        path.write_bytes(write_tflite(graph))
        for mode in ("stream", "window") if rng.random() < 0.6 else ("window", "stream"):
            weights = str(rng.choice(["auto", "flash", "ram"]))
            try:
                compiled = compile_model(path, folder / name, name=name, mode=mode, weights=weights)
            except ModelError:
                continue
            found.append((graph, path.read_bytes(), compiled))
            break
    return found


@pytest.mark.parametrize("name", ["nrf52840dk", "esp32c3"])
@pytest.mark.parametrize("kind", ["gcc", "zig"])
def test_the_virtual_board_gives_the_same_bits(name, kind, tmp_path):
    pytest.importorskip("tflite_micro")
    try:
        core_compiler(board(name).core, kind)
    except MissingToolError as error:
        pytest.skip(error.what)
    models = compiled_models(tmp_path)
    assert len(models) >= 50
    assert set().union(*(uses(model) for _, _, model in models)) >= KERNELS
    rng = np.random.default_rng(8)
    pairs = [wanted(graph, data, model, rng) for graph, data, model in models]
    got = checksums([model for _, _, model in models], [x for x, _ in pairs], tmp_path, kind, name)
    assert got == [checksum(y) for _, y in pairs]
