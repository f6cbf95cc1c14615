# SPDX-License-Identifier: Apache-2.0
"""`virtual:BOARD`, an emulated board in this process; its time passes only while the host reads."""

from __future__ import annotations

from pathlib import Path

from edgegrf.boards import Board
from edgegrf.errors import MissingToolError
from edgegrf.gait.insole import Worn

__all__ = ["VirtualPort"]


class VirtualPort:
    """Runs the firmware `image` on an emulated `board`, whose sensors see what is `worn`.

    Raises MissingToolError without the emulator, UsageError for more sensors than the board has.
    """

    def __init__(self, image: bytes | Path, board: Board, worn: Worn | None = None) -> None:
        self.name = f"virtual:{board.name}"
        try:
            from edgegrf.virtual import VirtualBoard
        except ImportError as error:
            raise MissingToolError(
                "no emulator for virtual boards", why=str(error), fix="pip install 'edgegrf[virtual]'"
            ) from error
        self.board = VirtualBoard(image, board)
        if worn is not None:
            self.board.wear(worn.counts, worn.sample_rate_hz)
        self._closed = False

    @property
    def warnings(self) -> list[str]:
        """What a person should know of the emulation: registers not modelled, bytes lost."""
        return self.board.warnings

    def write(self, data: bytes) -> None:
        """Put bytes on the board's line."""
        self.board.feed(data)

    def read(self, timeout_s: float) -> bytes:
        """What the board sends next; b"" when it sends nothing in `timeout_s` seconds of its own time."""
        return self.board.run(timeout_s)

    def close(self) -> None:
        """Free the emulator."""
        if not self._closed:
            self._closed = True
            self.board.close()
