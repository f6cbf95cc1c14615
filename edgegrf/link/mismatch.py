# SPDX-License-Identifier: Apache-2.0
"""What to say when a board computes another model than the one that was asked for."""

from __future__ import annotations

from edgegrf.errors import FirmwareMismatchError
from edgegrf.link.hello import Hello

__all__ = ["mismatch"]


def mismatch(
    info: Hello, personal: str, asked: str, *, name: str, general: str, port: str
) -> FirmwareMismatchError:
    """The error for hashes in hex: `personal` of the personalisation in force or empty, `asked` of the model
    that was asked for, `general` of what that is a personalisation of or empty."""
    board, model, runs = info.board or port, info.model or "a model", info.model_sha256.hex()
    if runs in (asked, general):
        carries = f"personalised for a wearer ({personal[:12]})" if personal else "as it was made"
        wanted = "the model as it was made" if runs == asked else f"its personalisation {asked[:12]}"
        apply = "edgegrf personalise --apply FILE, the personal.json beside the model"
        return FirmwareMismatchError(
            f"{board} runs {model} {carries}; asked for {wanted}",
            why="the board keeps the constants of the last layer that it was given",
            fix=f"edgegrf personalise --erase --port {port}" if runs == asked else apply,
        )
    return FirmwareMismatchError(
        f"{board} runs {model} {runs[:12]}, asked for {asked[:12]}",
        why="the firmware on the board was built with another .tflite",
        fix=f"edgegrf flash --board {info.board or 'BOARD'} --model {name or 'MODEL.tflite'}",
    )
