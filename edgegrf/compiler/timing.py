# SPDX-License-Identifier: Apache-2.0
"""When the rows of a value come in a stream, and which of a window's rows are those of a stream."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["EVERY_SAMPLE", "Clock", "Timing"]


@dataclass(frozen=True)
class Clock:
    """When the rows of a value come in a stream: row i with sample `i * period + first` after a reset."""

    period: int = 1
    first: int = 0

    def later(self, rows: int) -> Clock:
        """The clock of what needs `rows` more rows before it can begin."""
        return Clock(self.period, self.first + rows * self.period)

    def every(self, stride: int) -> Clock:
        """The clock of every `stride`-th row."""
        return Clock(self.period * stride, self.first)

    def meets(self, other: Clock) -> bool:
        """Whether each of its rows comes with a sample that brings one of `other` too."""
        apart = self.first - other.first
        return self.period % other.period == 0 and apart >= 0 and apart % other.period == 0

    def faster(self, parts: int) -> Clock:
        """The clock of `parts` rows for each."""
        return Clock(self.period // parts, self.first)

    def rows(self, samples: int) -> int:
        """How many rows the first `samples` samples bring."""
        return max(0, -(-(samples - self.first) // self.period))


EVERY_SAMPLE = Clock()


@dataclass(frozen=True)
class Timing:
    """A value's clock, and how its rows in a window compare with those of a stream.

    A row depends on the sample that it comes with and on `reach` samples before that.  The first `warm` rows
    of a window saw its beginning: a longer stream has others.  From row `sound` on they saw its end.
    """

    clock: Clock = EVERY_SAMPLE
    reach: int = 0
    warm: int = 0
    sound: int = 1

    def windowed(self, past: int, ahead: int, stride: int, rows: int) -> Timing:
        """Of `rows` stretches that end `ahead` rows behind their own place, `past` rows after they began."""
        warm = -(-(self.warm + past - ahead) // stride)
        sound = (self.sound - 1 - ahead) // stride + 1
        clock = self.clock.later(ahead).every(stride)
        reach = self.reach + past * self.clock.period
        return Timing(clock, reach, max(0, warm), max(0, min(rows, sound)))

    def cut(self, begin: int, stride: int, rows: int) -> Timing:
        """Of `rows` rows, every `stride`-th from `begin` on."""
        return self.windowed(0, begin, stride, rows)

    def spread(self, parts: int) -> Timing:
        """Of `parts` rows in place of each; the last of them waits longest."""
        clock = self.clock.faster(parts)
        waits = self.clock.period - clock.period
        return Timing(clock, self.reach + waits, self.warm * parts, self.sound * parts)

    def delayed(self, wait: int) -> Timing:
        """Of the same rows `wait` samples later."""
        clock = Clock(self.clock.period, self.clock.first + wait)
        return Timing(clock, self.reach + wait, self.warm, self.sound)

    def joined(self, other: Timing) -> Timing:
        """Of rows made of those of both, which come together."""
        reach, warm = max(self.reach, other.reach), max(self.warm, other.warm)
        return Timing(self.clock, reach, warm, min(self.sound, other.sound))
