# SPDX-License-Identifier: Apache-2.0
"""The proof after flashing: the board at a port says HELLO; its hashes lie in the image that was written."""

from __future__ import annotations

import time
from collections.abc import Sequence

from edgegrf.boards import Board
from edgegrf.errors import DeviceError, FirmwareMismatchError, LinkError, PortError
from edgegrf.image.elf import Segment
from edgegrf.link.device import Device
from edgegrf.link.hello import Hello
from edgegrf.link.opening import open_port

__all__ = ["prove"]

#: a board that restarts takes its USB port away and brings it back
_PATIENCE_S = 12.0
_PAUSE_S = 0.5


def prove(port: str, board: Board, segments: Sequence[Segment], *, patience_s: float = _PATIENCE_S) -> Hello:
    """What the board at `port` says, once it says that it runs the image of these `segments`.

    Asks again for `patience_s` seconds while the port is away, silent, or still answered by what ran before.
    Raises FirmwareMismatchError when other firmware, another model or another board goes on answering.
    """
    end = time.monotonic() + patience_s
    while True:
        try:
            return _checked(_greeted(port, board), port, board, segments)
        except (PortError, LinkError, FirmwareMismatchError):
            if time.monotonic() >= end:
                raise
        time.sleep(_PAUSE_S)


def _greeted(port: str, board: Board) -> Hello:
    with Device(open_port(port, board_name=board.name)) as device:
        return device.hello()


def _checked(hello: Hello, port: str, board: Board, segments: Sequence[Segment]) -> Hello:
    if hello.board != board.name:
        raise FirmwareMismatchError(
            f"the board at {port} says that it is {hello.board}, not {board.name}",
            why="another board is at that port, or it still runs what it ran before",
            fix="edgegrf boards; press reset",
        )
    for name, digest in (("firmware", hello.firmware_sha256), ("model", hello.model_sha256)):
        if not any(digest):
            raise DeviceError(
                f"the {name} at {port} has no hash", why="it was built by hand", fix="build it: edgegrf build"
            )
        if not any(digest in segment.data for segment in segments):
            raise FirmwareMismatchError(
                f"the board at {port} runs {name} {digest.hex()[:16]}, which is not in the image",
                why="it did not restart, it did not take the image, or another board is at that port",
                fix="press reset, then flash again",
            )
    return hello
