# SPDX-License-Identifier: Apache-2.0
"""Single layers on the virtual board: what a multiply-accumulate may cost."""

from __future__ import annotations

import pytest

from benchmarks.layers import LAYERS, graph_of, measure_layers, table_of_layers
from edgegrf.compiler.planning import make_plan
from edgegrf.errors import MissingToolError

#: instructions per MAC, built by arm-none-eabi-gcc 12.2 at -O2
LIMITS = {
    ("depthwise k3, 64 channels", "window"): 2.8,
    ("depthwise k3, 64 channels, no ReLU", "window"): 3.1,
    ("depthwise k3, dilation 4, 64 channels", "window"): 3.0,
    ("pointwise 64 to 64", "window"): 1.0,
    ("conv k3, 32 to 32", "window"): 0.75,
    ("conv k3, 32 to 32", "stream"): 0.95,
    ("depthwise k3, 64 channels", "stream"): 5.4,
    ("pointwise 64 to 64", "stream"): 0.95,
}


@pytest.mark.parametrize("kind", LAYERS, ids=lambda kind: f"{kind.name}, {kind.mode}")
def test_a_layer_stays_within_its_limit(kind):
    try:
        (row,) = measure_layers("nrf52840dk", [kind])
    except MissingToolError as error:
        pytest.skip(error.what)
    assert row["mismatches"] == 0
    assert row["macs"] == kind.macs * (200 if kind.mode == "window" else 1)
    limit = LIMITS[kind.name, kind.mode]
    assert 0.8 * limit < row["instructions_per_mac"] <= limit
    assert f"| {kind.name} | {kind.mode} |" in table_of_layers([row])


@pytest.mark.parametrize("kind", LAYERS, ids=lambda kind: f"{kind.name}, {kind.mode}")
def test_a_layer_is_one_layer(kind):
    (layer,) = make_plan(graph_of(kind)).layers
    assert layer.step_macs == kind.macs and layer.struct.startswith("eg_packed_")
