# SPDX-License-Identifier: Apache-2.0
"""Models that look ahead, and models that go in strides, streamed by firmware: each estimate when due."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "compiler"))
from random_models import Maker

from edgegrf.graph.writer import write_tflite
from edgegrf.link import Device, open_port
from edgegrf.parity.host import HostModel
from edgegrf.parity.tflm_c import check_stream

SAMPLES = 203


def centred(m, x):
    """Two convolutions of five taps around their sample: 4 samples ahead."""
    for _ in range(2):
        x = m.conv(m.pad(x, [(0, 0), (2, 2), (0, 0), (0, 0)]), (5, 1), 6)
    return x


def causal_strides(m, x):
    """An estimate every 4 samples, with the first of them: 3 before the last of its period."""
    for _ in range(2):
        x = m.conv(m.pad(x, [(0, 0), (2, 0), (0, 0), (0, 0)]), (3, 1), 6, stride=(2, 1))
    return x


def pooled(m, x):
    """The largest of 3, then every second mean of 4."""
    return m.pool(m.pool(x, (3, 1), (1, 1), kind="MAX_POOL_2D"), (4, 1), (2, 1))


@pytest.mark.parametrize(
    ("make", "period", "lookahead"), [(centred, 1, 4), (causal_strides, 4, -3), (pooled, 2, 4)]
)
def test_a_board_gives_each_estimate_when_it_is_due(make, period, lookahead, tmp_path, monkeypatch):
    pytest.importorskip("tflite_micro")
    maker = Maker(np.random.default_rng(8))
    maker.extreme = False
    maker.act = lambda: "NONE"
    first = maker.activation((1, 48, 1, 3), 0.1, 0)
    last = make(maker, first)
    tflite = tmp_path / "paced.tflite"
    tflite.write_bytes(write_tflite(maker.graph([first], [last])))
    host = HostModel(tflite)
    samples = np.random.default_rng(1).integers(-128, 128, (SAMPLES, 3)).astype(np.int8)
    assert check_stream(tflite, host, samples).ok
    with Device(open_port("native:", model=tflite)) as device:
        info = device.info
        assert (info.period, info.lookahead) == (period, lookahead)
        got, cycles = device.stream(samples)
        assert len(got) == info.estimates(SAMPLES) == len(range(period - 1 + lookahead, SAMPLES, period))
        assert len(cycles) == SAMPLES
        host.reset()
        np.testing.assert_array_equal(got, host.stream(samples))
        window = samples[:48]
        np.testing.assert_array_equal(device.window(window)[0], host.window(window[np.newaxis])[0])
