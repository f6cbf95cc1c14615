# SPDX-License-Identifier: Apache-2.0
"""The insole on a virtual board's analog inputs: which sensor a conversion sees, and what it counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from edgegrf.boards import Scan
from edgegrf.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["FULL_SCALE", "Drive", "Insole"]

#: the highest count, at the supply voltage
FULL_SCALE = 4095
#: an unloaded sensor that nobody wears, and its noise
_RESTING, _NOISE = 60, (0, 2, 1, 3, 1, 0, 3, 2, 2, 1, 0)
_RESTING_HZ = 100.0
#: how many time constants a matrix's column has come along when the board's settle time is over
_SETTLED = 5.0


class Drive:
    """Which pins are driven high, now and before they last changed; bit 32 * port + number."""

    def __init__(self) -> None:
        self.high = self.before = 0
        self.since = 0  # when they changed

    def change(self, high: int, time: int) -> None:
        """Other pins are driven from `time` on."""
        if high != self.high:
            self.high, self.before, self.since = high, self.high, time


class Insole:
    """Raw counts [T, channels] at `rate_hz`, shown over and over from the time `since` on (in cycles of
    `clock_hz`), sampled and held, to the columns of `scan`; without counts nobody stands on it.

    As many channels as columns are sensors of their own.  More are a matrix, row by row: a column shows the
    rows that are driven (their sum where it is several, 0 for none), and nears a new row's value with a fifth
    of the settle time as time constant; when the settle time is over it has arrived.
    """

    def __init__(
        self,
        scan: Scan,
        clock_hz: int,
        counts: NDArray[np.uint16] | None = None,
        rate_hz: float = _RESTING_HZ,
        since: int = 0,
    ) -> None:
        width = len(scan.columns)
        self._columns = {pin: number for number, pin in enumerate(scan.columns)}
        self._counts: Callable[[int], list[int]] = _resting(width)
        self._length, self._rows = len(_NOISE), 0
        if counts is not None:
            self._length, channels = _checked(counts, rate_hz)
            self._rows = 0 if channels <= width else -(-channels // width)
            if self._rows > len(scan.rows) or ((self._rows or channels < width) and channels % width):
                raise UsageError(f"an insole of {channels} channels is not what this board scans")
            self._counts = lambda number: counts[number].tolist()
        self._row_bits = {1 << pin: row * width for row, pin in enumerate(scan.rows[: self._rows])}
        self._row_mask = sum(self._row_bits)
        self._settle = scan.settle_us * clock_hz // 1_000_000
        self._per_cycle, self._since = rate_hz / clock_hz, since
        self._shown, self._frame = -1, [0]

    def sample(self, time: int, pins: Sequence[int], drive: Drive) -> list[int]:
        """What conversions of these pins that begin at `time` count; a pin that is no column counts 0."""
        number = int((time - self._since) * self._per_cycle) % self._length
        if number != self._shown:
            self._shown, self._frame = number, self._counts(number)
        columns = [self._columns.get(pin, -1) for pin in pins]
        if not self._rows:
            return [self._frame[column] if column >= 0 else 0 for column in columns]
        now = self._driven(drive.high, columns)
        passed = time - drive.since
        if passed >= self._settle or not self._settle:
            return now
        part = math.exp(-_SETTLED * passed / self._settle)
        before = self._driven(drive.before, columns)
        return [round(new + (old - new) * part) for new, old in zip(now, before, strict=True)]

    def _driven(self, high: int, columns: Sequence[int]) -> list[int]:
        rows = high & self._row_mask
        place = self._row_bits.get(rows)
        if place is not None:  # one row, as it should be
            return [self._frame[place + column] if column >= 0 else 0 for column in columns]
        places = [place for bit, place in self._row_bits.items() if rows & bit]
        sums = (sum(self._frame[place + column] for place in places) for column in columns)
        return [
            min(total, FULL_SCALE) if column >= 0 else 0 for total, column in zip(sums, columns, strict=True)
        ]


def _resting(width: int) -> Callable[[int], list[int]]:
    noise = _NOISE + _NOISE
    return lambda number: [_RESTING + noise[(number + 3 * column) % len(_NOISE)] for column in range(width)]


def _checked(counts: NDArray[np.uint16], rate_hz: float) -> tuple[int, int]:
    if counts.ndim != 2 or not counts.size or not rate_hz > 0:
        raise UsageError("an insole wants counts [T, channels] and their rate")
    if counts.min() < 0 or counts.max() > FULL_SCALE:
        raise UsageError(f"an insole's counts lie between 0 and {FULL_SCALE}")
    return int(counts.shape[0]), int(counts.shape[1])
