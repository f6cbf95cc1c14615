# SPDX-License-Identifier: Apache-2.0
"""Register accesses out of an emulator: what they raise cannot cross its C frames; it is kept till later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgegrf.virtual.counts import Counter

__all__ = ["Guarded", "Region"]

#: (first address, size in bytes); registers live in these
Region = tuple[int, int]


class Guarded:
    """Serves an emulator's register regions by `read` (address, size) and `write` (address, size, value).

    The first that raises stops the emulator; `raise_kept` raises it again when the emulator has come back.
    """

    def __init__(
        self, uc: Any, read: Callable[[int, int], int], write: Callable[[int, int, int], None]
    ) -> None:
        self._uc, self._read, self._write = uc, read, write
        self._kept: BaseException | None = None

    def map(self, regions: tuple[Region, ...]) -> None:
        """Serve these regions from now on."""
        for start, size in regions:
            self._uc.mmio_map(start, size, self._on_read, start, self._on_write, start)

    def read(self, address: int, size: int) -> int:
        """The register at `address`, 0 where reading it raised."""
        try:
            return self._read(address, size)
        except BaseException as error:
            self._keep(error)
            return 0

    def write(self, address: int, size: int, value: int) -> None:
        """Write the register at `address`."""
        try:
            self._write(address, size, value)
        except BaseException as error:
            self._keep(error)

    def raise_kept(self, counter: Counter) -> None:
        """Raise what an access raised since the last call, or what `counter` kept in the same way."""
        kept = self._kept or counter.failure
        self._kept = counter.failure = None
        if kept is not None:
            raise kept

    def _on_read(self, uc: Any, offset: int, size: int, start: int) -> int:
        return self.read(start + offset, size)

    def _on_write(self, uc: Any, offset: int, size: int, value: int, start: int) -> None:
        self.write(start + offset, size, value)

    def _keep(self, error: BaseException) -> None:
        self._kept = self._kept or error
        self._uc.emu_stop()
