# SPDX-License-Identifier: Apache-2.0
"""The power supply of a virtual board, which may fail in the middle of a change of its flash."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Supply"]


@dataclass
class Supply:
    """`operations` counts pages erased and words written since power-on; it fails in number `cut_at` (1, 2,
    ...; 0: never), after which the board is `off`."""

    operations: int = 0
    cut_at: int = 0
    off: bool = False

    def use(self) -> bool:
        """Count an operation that begins; True if the power fails in it."""
        self.operations += 1
        self.off = self.off or self.operations == self.cut_at
        return self.off

    def restore(self) -> None:
        """The power is back, and stays."""
        self.operations = self.cut_at = 0
        self.off = False
