# SPDX-License-Identifier: Apache-2.0
"""How the commands that talk to a board name the way to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

__all__ = ["port_option"]

port_option: Callable[[Any], Any] = click.option(
    "--port",
    help="/dev/..., virtual:BOARD, native:, socket://HOST:PORT or rfc2217://HOST:PORT "
    "[default: the board that is plugged in, else virtual:nrf52840dk].",
)
