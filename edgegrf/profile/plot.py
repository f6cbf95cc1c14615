# SPDX-License-Identifier: Apache-2.0
"""The bars of a profile: a layer's cycles, and what one multiply-accumulate of it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgegrf.bench.summary import grouped
from edgegrf.report.ink import ACCENT, INK, REFERENCE, drawn, new_figure

__all__ = ["bars"]


@drawn("layers", "Estimated cycles of each layer, and cycles for each multiply-accumulate")
def bars(record: Mapping[str, Any]) -> Any:
    """Cycles of each layer from the first to the last, and cycles per MAC beside them."""
    layers = record["layers"]
    figure, (left, right) = new_figure(
        9.6, 1.2 + 0.27 * len(layers), ncols=2, sharey=True, width_ratios=(5, 2)
    )
    places = range(len(layers))
    left.barh(places, [layer["cycles"] for layer in layers], 0.72, color=ACCENT)
    for place, layer in enumerate(layers):
        text = f"{grouped(layer['cycles'])}  ({100 * (layer['share'] or 0):.1f} %)"
        _label(left, layer["cycles"], place, text)
    left.set_yticks(places, [layer["name"] for layer in layers])
    left.set_ylim(len(layers) - 0.4, -0.6)  # the first layer on top
    left.set_xlim(0, 1.28 * max(1, *(layer["cycles"] for layer in layers)))
    left.xaxis.set_major_formatter(lambda value, _: grouped(round(value)))
    left.set_xlabel(f"estimated cycles per {record['per']}")
    left.set_title("Cycles")
    per_mac = [layer["cycles_per_mac"] or 0 for layer in layers]
    right.barh(places, per_mac, 0.72, color=REFERENCE)
    for place, value in enumerate(per_mac):
        if value:
            _label(right, value, place, f"{value:.2f}")
    right.set_xlim(0, 1.3 * max(per_mac) or 1)
    right.set_xlabel("estimated cycles per MAC")
    right.set_title("Cycles per MAC")
    for axes in (left, right):
        axes.grid(visible=False, axis="y")
    return figure


def _label(axes: Any, end: float, place: int, text: str) -> None:
    """Text behind the end of a bar."""
    axes.annotate(
        text, (end, place), xytext=(3, 0), textcoords="offset points", va="center", fontsize=8.5, color=INK
    )
