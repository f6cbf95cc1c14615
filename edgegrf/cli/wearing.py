# SPDX-License-Identifier: Apache-2.0
"""How commands name who wears the insole of a virtual or native board."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgegrf.errors import UsageError

if TYPE_CHECKING:
    from edgegrf.boards import Board
    from edgegrf.gait.insole import Worn
    from edgegrf.live.wearing import Wiring

__all__ = ["simulated", "wearer_of", "wearer_options", "wiring_of", "worn_by"]


def wearer_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """--walk, --columns, --foot and --seed."""
    for option in (
        click.option("--seed", type=click.IntRange(0), default=1, show_default=True,
                     help="Of the synthetic walker and of the simulated sensors."),
        click.option("--foot", type=click.Choice(["left", "right"]), default="left", show_default=True),
        click.option("--columns", type=click.Path(path_type=Path), help="Column map of a CSV walk."),
        click.option("--walk", type=click.Path(path_type=Path),
                     help="What a virtual or native board's insole sees [default: the synthetic walker]."),
    ):  # fmt: skip
        function = option(function)
    return function


def simulated(spec: str) -> bool:
    """True for ports whose insole is simulated here."""
    return spec.startswith(("virtual:", "native:"))


def wiring_of(spec: str, model: Path) -> Wiring:
    """The sensors that the virtual or native board at `spec` scans for `model`."""
    from edgegrf.boards import board
    from edgegrf.link.opening import DEFAULT_BOARD
    from edgegrf.live.wearing import wiring
    from edgegrf.manifest import Manifest

    kind, _, name = spec.partition(":")
    interface = Manifest.read(model).interface
    if interface is None:
        raise UsageError(
            f"{model} does not say what goes into it",
            why="its manifest has no interface",
            fix="edgegrf export",
        )
    return wiring(board("native" if kind == "native" else name or DEFAULT_BOARD), interface)


def worn_by(
    spec: str, model: Path, walk: Path | None, columns: Path | None, foot: str, seed: int
) -> Worn | None:
    """What the simulated sensors see; None at a port with sensors of its own, where --walk is refused."""
    from edgegrf.live.wearing import walking_wearer

    if not simulated(spec):
        if walk:
            raise UsageError(
                f"{spec} has its own sensors", fix="--walk is for virtual: and native: ports; leave it out"
            )
        return None
    return walking_wearer(wiring_of(spec, model), walk, foot=foot, columns=columns, seed=seed)


def wearer_of(target: Board, model: Path) -> Worn | None:
    """The synthetic walker on the insole that `target` scans for `model`; None where it scans none."""
    from edgegrf.errors import ModelError
    from edgegrf.live.wearing import walking_wearer, wiring
    from edgegrf.manifest import Manifest

    try:
        interface = Manifest.read(model).interface
        return walking_wearer(wiring(target, interface)) if interface else None
    except (ModelError, UsageError):
        return None
