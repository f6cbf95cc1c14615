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
#: how many time constants a pin has come along when the board's settle time is over
_SETTLED = 5.0
#: changes so many ticks apart are one: a port's registers are written one after the other
_TOGETHER = 32


class Drive:
    """Which pins are driven high, now and before they last changed; bit 32 * port + number."""

    def __init__(self) -> None:
        self.high = self.before = 0
        self.since = 0  # when they changed

    def change(self, high: int, time: int) -> None:
        """Other pins are driven from `time` on."""
        if high != self.high:
            if time - self.since > _TOGETHER:
                self.before = self.high
            self.high, self.since = high, time


class Insole:
    """Raw counts [T, channels] at `rate_hz`, shown over and over from the time `since` on (in cycles of
    `clock_hz`), sampled and held, to the analog inputs of `scan`; without counts nobody stands on it.

    As many channels as columns are sensors of their own.  More are a matrix, row by row.  An input shows
    the column that its multiplexer's address lines select, of the row that is driven: a decoder's one, or
    the sum of several rows with pins of their own, 0 for none.  After a change it nears the new value with a
    fifth of the settle time as time constant; when the settle time is over it has arrived.
    """

    def __init__(
        self,
        scan: Scan,
        clock_hz: int,
        counts: NDArray[np.uint16] | None = None,
        rate_hz: float = _RESTING_HZ,
        since: int = 0,
    ) -> None:
        width = scan.width
        self._inputs = {pin: number for number, pin in enumerate(scan.columns)}
        self._counts: Callable[[int], list[int]] = _resting(width)
        self._length, self._rows = len(_NOISE), 0
        if counts is not None:
            self._length, channels = _checked(counts, rate_hz)
            self._rows = 0 if channels <= width else -(-channels // width)
            if self._rows > scan.depth or ((self._rows or channels < width) and channels % width):
                raise UsageError(f"an insole of {channels} channels is not what this board scans")
            self._counts = lambda number: counts[number].tolist()
        self._rows_of = _rows_by_levels(scan, self._rows)
        self._places: dict[int, tuple[int, ...]] = {}  # by the levels of the pins that select
        self._row_mask = _bits(scan.row_address or scan.rows[: self._rows]) if self._rows else 0
        self._address = scan.column_address
        self._mask = self._row_mask | _bits(self._address)
        self._width, self._across = width, len(scan.columns)
        self._settle = scan.settle_us * clock_hz // 1_000_000
        self._per_cycle, self._since = rate_hz / clock_hz, since
        self._shown, self._frame = -1, [0]

    def sample(self, time: int, pins: Sequence[int], drive: Drive) -> list[int]:
        """What conversions of these pins that begin at `time` count; a pin that is no input counts 0."""
        number = int((time - self._since) * self._per_cycle) % self._length
        if number != self._shown:
            self._shown, self._frame = number, self._counts(number)
        inputs = [self._inputs.get(pin, -1) for pin in pins]
        now = self._selected(drive.high & self._mask, inputs)
        passed = time - drive.since
        if passed >= self._settle or not self._mask:
            return now
        part = math.exp(-_SETTLED * passed / self._settle)
        before = self._selected(drive.before & self._mask, inputs)
        return [round(new + (old - new) * part) for new, old in zip(now, before, strict=True)]

    def _selected(self, levels: int, inputs: Sequence[int]) -> list[int]:
        """Counts of the inputs where the pins that select have these levels."""
        places = self._places.get(levels)
        if places is None:
            places = self._places[levels] = self._places_of(levels)
        frame = self._frame
        if len(places) == 1:  # one row, as it should be
            return [frame[places[0] + one] if one >= 0 else 0 for one in inputs]
        return [
            min(sum(frame[place + one] for place in places), FULL_SCALE) if one >= 0 else 0 for one in inputs
        ]

    def _places_of(self, levels: int) -> tuple[int, ...]:
        """Where in a frame the selected column of the first input is, for each row that is driven."""
        address = sum(1 << bit for bit, pin in enumerate(self._address) if levels >> pin & 1)
        rows = self._rows_of(levels & self._row_mask) if self._rows else (0,)
        return tuple(row * self._width + address * self._across for row in rows)


def _bits(pins: Sequence[int]) -> int:
    return sum(1 << pin for pin in pins)


def _rows_by_levels(scan: Scan, rows: int) -> Callable[[int], tuple[int, ...]]:
    """The rows of `rows` that are driven, by the levels of the pins that drive or address them."""

    def decoded(levels: int) -> tuple[int, ...]:
        row = sum(1 << bit for bit, pin in enumerate(scan.row_address) if levels >> pin & 1)
        return (row,) if row < rows else ()

    def driven(levels: int) -> tuple[int, ...]:
        return tuple(row for row, pin in enumerate(scan.rows[:rows]) if levels >> pin & 1)

    return decoded if scan.row_address else driven


def _resting(width: int) -> Callable[[int], list[int]]:
    noise = _NOISE + _NOISE
    return lambda number: [_RESTING + noise[(number + 3 * column) % len(_NOISE)] for column in range(width)]


def _checked(counts: NDArray[np.uint16], rate_hz: float) -> tuple[int, int]:
    if counts.ndim != 2 or not counts.size or not rate_hz > 0:
        raise UsageError("an insole wants counts [T, channels] and their rate")
    if counts.min() < 0 or counts.max() > FULL_SCALE:
        raise UsageError(f"an insole's counts lie between 0 and {FULL_SCALE}")
    return int(counts.shape[0]), int(counts.shape[1])
