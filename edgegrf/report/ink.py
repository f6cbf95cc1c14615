# SPDX-License-Identifier: Apache-2.0
"""How figures look: drawn once by matplotlib, coloured by the page, so that light, dark and paper all fit.

A figure is drawn in stand-in colours, which become CSS variables in its SVG.
"""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from edgegrf.errors import MissingToolError

__all__ = [
    "ACCENT",
    "CARD",
    "GRID",
    "INK",
    "MUTED",
    "REFERENCE",
    "SERIES",
    "as_file",
    "drawn",
    "log_axis",
    "new_figure",
    "ramp",
]

Record = Mapping[str, Any]

#: stand-in colour -> the page's variable
INK, MUTED, GRID = "#010a01", "#020a02", "#030a03"
ACCENT, REFERENCE, CARD = "#040a04", "#050a05", "#0a0a0a"
SERIES = ("#060a06", "#070a07", "#080a08", "#090a09")
_VARIABLES = {
    INK: "--ink", MUTED: "--muted", GRID: "--grid", ACCENT: "--accent", REFERENCE: "--reference",
    CARD: "--card",
    **{colour: f"--series{index}" for index, colour in enumerate(SERIES)},
}  # fmt: skip

_STYLE = {
    "axes.edgecolor": MUTED, "axes.labelcolor": INK, "axes.titlecolor": INK, "axes.titlelocation": "left",
    "axes.titlesize": 10.5, "axes.titleweight": "bold", "axes.labelsize": 9.5, "axes.grid": True,
    "axes.axisbelow": True, "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.8,
    "grid.color": GRID, "grid.linewidth": 0.7, "text.color": INK, "xtick.color": MUTED, "ytick.color": MUTED,
    "xtick.labelsize": 9, "ytick.labelsize": 9, "legend.frameon": False, "legend.fontsize": 9,
    "font.family": "sans-serif", "svg.fonttype": "none", "lines.solid_capstyle": "round",
    "figure.constrained_layout.w_pad": 0.12,
}  # fmt: skip


def drawn(name: str, description: str) -> Callable[[Callable[[Record], Any]], Callable[[Record], str]]:
    """Makes of a function that draws a matplotlib figure one that gives its SVG, in the report's style.

    `name` keeps the ids of several figures of one page apart; `description` is for screen readers.
    """

    def decorate(draw: Callable[[Record], Any]) -> Callable[[Record], str]:
        @functools.wraps(draw)
        def svg_of(record: Record) -> str:
            try:
                import matplotlib
            except ImportError as error:
                raise MissingToolError(
                    "matplotlib is not installed", fix="pip install 'edgegrf[report]'"
                ) from error
            with matplotlib.rc_context({**_STYLE, "svg.hashsalt": name}):
                out = io.StringIO()
                metadata = {"Date": None, "Creator": None}
                draw(record).savefig(out, format="svg", transparent=True, metadata=metadata)
            return _for_html(out.getvalue(), name, description)

        return svg_of

    return decorate


def new_figure(width: float, height: float, **grid: Any) -> tuple[Any, Any]:
    """A matplotlib figure of `width` x `height` inches and its axes (`grid` as in Figure.subplots)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(**grid)


def log_axis(axes: Any) -> None:
    """A logarithmic x axis of what is drawn, numbered in k and M, at 1, 2 and 5 of few decades."""
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 60 * low else (1,)))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_minor_formatter(NullFormatter())


def as_file(svg: str) -> str:
    """A figure that `drawn` gave as an SVG file of its own, with the page's colours for light and dark."""
    colours = Path(__file__).with_name("colours.css").read_text()
    head, rest = svg.split(">", 1)
    if "xmlns=" not in head:
        head = head.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    style = f"<style>\n{colours}svg {{ background: var(--card); }}\n</style>"
    return f"<!-- SPDX-License-Identifier: Apache-2.0 -->\n{head}>{style}{rest.rstrip()}\n"


def ramp() -> Any:
    """A colour map of the accent from faint to full, for densities."""
    from matplotlib.colors import ListedColormap, to_rgb

    return ListedColormap([(*to_rgb(ACCENT), 0.12 + 0.88 * (step / 63) ** 0.7) for step in range(64)])


def _for_html(svg: str, name: str, description: str) -> str:
    """The SVG element of a file, without a fixed size, in the page's colours."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\b(id="|url\(#|xlink:href="#)', rf"\g<1>{name}-", svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    head, rest = svg.split(">", 1)
    head = re.sub(r' (width|height)="[^"]*"', "", head)
    return f'{head} role="img" aria-label="{description}">{rest.strip()}'
