# SPDX-License-Identifier: Apache-2.0
"""The way a convolution runs: the cheapest of all, by an estimate that the virtual board bears out."""

from __future__ import annotations

import pytest

from benchmarks.layers import LayerKind, graph_of
from edgegrf.boards import board
from edgegrf.compiler import compile_model
from edgegrf.compiler.operators import packed
from edgegrf.compiler.operators.geometry import Axis, Geometry
from edgegrf.compiler.operators.tiles import OWN_WORDS, STAGE_BYTES, chosen, ways
from edgegrf.errors import MissingToolError
from edgegrf.graph.writer import write_tflite
from edgegrf.profile import run_profile

NARROW = LayerKind("conv k5, dilation 2, 16 to 16", "window", 16, 16, 5, 2)
WIDE = LayerKind("conv k3, 64 to 64", "window", 64, 64, 3)
SHORT = LayerKind("conv k2, 8 to 12", "window", 8, 12, 2)


def geometry_of(kind):
    past = (kind.taps - 1) * kind.dilation
    rows = Axis(200, 200, kind.taps, 1, kind.dilation, past)
    return Geometry(1, rows, Axis(1, 1, 1, 1, 1, 0), kind.channels, rows_are_time=True)


@pytest.mark.parametrize("paired", [False, True], ids=["plain", "paired"])
@pytest.mark.parametrize("kind", [NARROW, WIDE, SHORT], ids=lambda kind: kind.name)
def test_the_estimate_is_that_of_the_board(kind, paired, tmp_path, monkeypatch):
    way = [way for way in ways(kind.outputs, geometry_of(kind)) if way.paired == paired][-1]
    monkeypatch.setattr(packed, "chosen", lambda outputs, geometry: way)
    tflite = tmp_path / "layer.tflite"
    tflite.write_bytes(write_tflite(graph_of(kind)))
    try:
        found = run_profile(tflite, board("nrf52840dk"), "window", compiler="gcc")
    except MissingToolError as error:
        pytest.skip(error.what)
    assert found.mismatches == 0
    assert way.cycles == pytest.approx(found.cycles, rel=0.07)


def test_the_cheapest_way_that_fits_is_taken():
    for kind in (NARROW, WIDE, SHORT):
        found = list(ways(kind.outputs, geometry_of(kind)))
        best = chosen(kind.outputs, geometry_of(kind))
        assert best.cycles == min(way.cycles for way in found) and best.paired
        assert {way.paired for way in found} == {False, True}
        for way in found:
            assert way.staged == 4 or 4 * way.staged * (way.words + OWN_WORDS) <= STAGE_BYTES
    assert chosen(16, geometry_of(NARROW)).staged == 16
    assert chosen(64, geometry_of(WIDE)).staged == 4


def test_what_has_no_neighbours_is_not_paired():
    one, rows = Axis(1, 1, 1, 1, 1, 0), Axis(200, 200, 5, 1, 1, 4)
    for geometry, outputs in (
        (Geometry(1, Axis(200, 100, 3, 2, 1, 1), one, 16, True), 16),  # stride
        (Geometry(200, rows, one, 16, False), 16),  # frames
        (Geometry(1, rows, Axis(8, 8, 3, 1, 1, 1), 16, True), 16),  # two axes
        (Geometry(1, rows, one, 6, True), 16),  # no whole fours
        (Geometry(1, rows, one, 16, True), 6),
    ):
        assert not chosen(outputs, geometry).paired


def test_a_dilation_as_long_as_the_window_is_not_worth_pairing():
    rows = Axis(20, 20, 3, 1, 20, 40)
    geometry = Geometry(1, rows, Axis(1, 1, 1, 1, 1, 0), 8, rows_are_time=True)
    assert not chosen(8, geometry).paired


def test_the_same_layer_gives_the_same_way(tmp_path):
    tflite = tmp_path / "layer.tflite"
    tflite.write_bytes(write_tflite(graph_of(NARROW)))
    one, other = (compile_model(tflite, tmp_path / name).plan.layers[0] for name in "ab")
    assert one.fields == other.fields and one.scratch == other.scratch and "eg_paired_conv" in one.window
