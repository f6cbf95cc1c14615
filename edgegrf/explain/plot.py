# SPDX-License-Identifier: Apache-2.0
"""The bars of an explanation: what each part adds to the error, and how well its values fit its codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgegrf.report.ink import ACCENT, INK, REFERENCE, drawn, new_figure

__all__ = ["bars"]

_MOST = 24


@drawn("costs", "Share of the loss of each rounded part, and its signal to rounding noise ratio")
def bars(record: Mapping[str, Any]) -> Any:
    """The costliest parts, their share of the squared distance from float, and their SQNR beside it."""
    costs = record["costs"][:_MOST]
    figure, (left, right) = new_figure(
        9.6, 1.2 + 0.27 * len(costs), ncols=2, sharey=True, width_ratios=(5, 2)
    )
    places = range(len(costs))
    colours = [ACCENT if cost["what"] == "activations" else REFERENCE for cost in costs]
    shares = [100 * cost["share"] for cost in costs]
    left.barh(places, shares, 0.72, color=colours)
    for place, cost in enumerate(costs):
        text = f"{100 * cost['share']:.1f} %  (RMSE {100 * cost['increase']:+z.2f} %)"
        _label(left, shares[place], place, text)
    left.set_yticks(places, [_name(cost) for cost in costs])
    left.set_ylim(len(costs) - 0.4, -0.6)  # the costliest on top
    left.set_xlim(0, 1.45 * max(1.0, *shares))
    left.set_xlabel("share of the squared distance from float, %")
    left.set_title("Share of the loss")
    for what, colour in (("activations", ACCENT), ("weights", REFERENCE)):
        left.bar(0, 0, color=colour, label=what)
    left.legend(loc="lower right")
    ratios = [cost["sqnr_db"] or 0.0 for cost in costs]
    right.barh(places, ratios, 0.72, color=colours)
    for place, value in enumerate(ratios):
        if value:
            _label(right, value, place, f"{value:.0f}")
    right.set_xlim(0, 1.25 * max(1.0, *ratios))
    right.set_xlabel("dB")
    right.set_title("SQNR")
    for axes in (left, right):
        axes.grid(visible=False, axis="y")
    return figure


def _name(cost: Mapping[str, Any]) -> str:
    return f"{cost['place'][-30:]}{'' if cost['what'] == 'activations' else ' weights'}"


def _label(axes: Any, end: float, place: int, text: str) -> None:
    """Text behind the end of a bar."""
    axes.annotate(
        text, (end, place), xytext=(3, 0), textcoords="offset points", va="center", fontsize=8.5, color=INK
    )
