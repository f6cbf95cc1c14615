# SPDX-License-Identifier: Apache-2.0
"""The terminal's view of a live stream: a bar or a cell for each sensor, the force's trace, counters."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgegrf.live.stream import Stream

__all__ = ["live_view", "trace"]

_BARS = " ▁▂▃▄▅▆▇█"
_SHADES = " ░▒▓█"
_REDRAWS_PER_S = 8
_HISTORY = 72  # columns of the force's trace


@contextlib.contextmanager
def live_view(*, quiet: bool) -> Iterator[Callable[[Stream], None]]:
    """A callback that draws a stream on stderr as it grows; nothing when quiet or not a terminal."""
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda stream: None
        return
    history: deque[float] = deque(maxlen=_HISTORY)
    with Live(console=console, auto_refresh=False, transient=True) as screen:
        drawn = 0.0

        def draw(stream: Stream) -> None:
            nonlocal drawn
            now = time.monotonic()
            if now - drawn < 1 / _REDRAWS_PER_S or stream.last is None:
                return
            drawn = now
            screen.update(_picture(stream, history), refresh=True)

        yield draw


def _picture(stream: Stream, history: deque[float]) -> Any:
    from rich.console import Group
    from rich.text import Text

    frame = stream.last
    assert frame is not None
    loads = _loads(stream)
    peak = max(0.05, *loads) if len(loads) else 1.0
    parts: list[Any] = [_head(stream)]
    if stream.rows:
        parts += _cells(loads, stream.rows, peak)
    else:
        parts += [_bar(stream, number, load, peak) for number, load in enumerate(loads)]
    if frame.estimate is not None:
        info = stream.hello
        force = info.output_scale * (int(frame.estimate[0]) - info.output_zero_point)
        history.append(force)
        parts.append(Text(f"force {force:6.2f} BW  {trace(history)}"))
    parts.append(_counters(stream))
    return Group(*parts)


def _loads(stream: Stream) -> Sequence[float]:
    """Loads in BW, or counts over full scale where only those come."""
    frame, info = stream.last, stream.hello
    if frame is None:
        return []
    if frame.pressure is not None:
        return [info.input_scale * (int(code) - info.input_zero_point) for code in frame.pressure]
    return [int(count) / 4095 for count in frame.counts] if frame.counts is not None else []


def _head(stream: Stream) -> Any:
    from rich.text import Text

    info = stream.hello
    emulated = ", emulated" if info.virtual else ""
    return Text(
        f"{info.model} on {info.board}{emulated}: {len(stream.names)} sensors at {stream.rate_hz:g} Hz, "
        f"{stream.seconds:.1f} s",
        style="bold",
    )


def _bar(stream: Stream, number: int, load: float, peak: float) -> Any:
    from rich.text import Text

    frame = stream.last
    assert frame is not None
    fault = "open" if number in frame.open else "saturated" if number in frame.saturated else ""
    filled = round(40 * max(0.0, load) / peak)
    line = f"{stream.names[number]:>8} {load:6.3f} {'█' * filled:<40} {fault}"
    return Text(line, style="red" if fault else "")


def _cells(loads: Sequence[float], rows: int, peak: float) -> list[Any]:
    """A matrix from the toes down to the heel, two characters a cell."""
    from rich.text import Text

    columns = len(loads) // rows
    lines = []
    for row in reversed(range(rows)):
        cells = loads[row * columns : (row + 1) * columns]
        lines.append(Text("".join(2 * _SHADES[_step(load, peak, len(_SHADES))] for load in cells)))
    return lines


def _counters(stream: Stream) -> Any:
    from rich.text import Text

    frame = stream.last
    assert frame is not None
    text = (
        f"missing {stream.missing}  lost on the board {frame.lost}  latency {frame.latency_us} µs  "
        f"jitter {stream.jitter_us:.0f} µs  {frame.cycles} cycles per sample"
    )
    return Text(text + ("  " + "; ".join(stream.restarts) if stream.restarts else ""), style="dim")


def trace(values: Sequence[float]) -> str:
    """The values as a line of block characters, from the lowest to the highest."""
    low, high = min(values), max(values)
    return "".join(_BARS[_step(value - low, max(high - low, 1e-9), len(_BARS))] for value in values)


def _step(value: float, peak: float, steps: int) -> int:
    return min(steps - 1, max(0, round((steps - 1) * value / peak)))
