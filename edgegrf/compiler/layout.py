# SPDX-License-Identifier: Apache-2.0
"""All that the generated C keeps in RAM: which modes, how the window runs, where the constants lie."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edgegrf.compiler.memory import Memory, plan_memory
from edgegrf.compiler.plan import Plan
from edgegrf.errors import UnsupportedError

__all__ = ["MEMORY", "MODES", "WEIGHTS", "Layout", "make_layout"]

#: what a user may ask for; a model that cannot do one of `both` is compiled for the other
MODES = ("both", "window", "stream")

#: where constants lie; `auto`: in RAM where that at most trebles what a stream keeps there anyway
WEIGHTS = ("auto", "flash", "ram")
_AUTO_RATIO = 2
_AUTO_BYTES = 8192

#: how a window runs; small: sample by sample, where the model allows it; fast: layer by layer; `auto`: sample
#: by sample where the stream is there too and its constants lie in RAM, or where that saves much RAM
MEMORY = ("auto", "small", "fast")
_MUCH = 32768


@dataclass(frozen=True)
class Layout:
    """The memory of the generated C; `window` or `stream` is None where the C lacks that mode.

    `through_stream`: the window runs as a stream from its start, with a memory of that mode; then and in
    stream mode the C has steps, whose memory is `steps`.
    """

    window: Memory | None
    stream: Memory | None
    through_stream: bool
    in_ram: bool  # all constants lie in RAM; else those of the layer alone that may be replaced
    constants: tuple[str, ...]  # arrays that lie in RAM
    constant_bytes: int  # of those

    @property
    def steps(self) -> Memory | None:
        return self.stream or (self.window if self.through_stream else None)

    @property
    def arena_bytes(self) -> int:
        """One arena serves both modes, as one call runs at a time."""
        return max(memory.arena_bytes for memory in (self.window, self.stream) if memory)

    @property
    def state_total(self) -> int:
        return self.steps.kept_bytes if self.steps else 0

    @property
    def ram_bytes(self) -> int:
        """All modes together, without the stack and the caller's in and out."""
        return self.arena_bytes + self.state_total + self.constant_bytes

    @property
    def sizes(self) -> str:
        """The same as a C expression."""
        names = ["arena"] * (self.arena_bytes > 0) + ["stream"] * (self.state_total > 0)
        return " + ".join(f"sizeof {name}" for name in (*names, *self.constants)) or "0"


def make_layout(plan: Plan, *, mode: str, weights: str, memory: str) -> Layout:
    """The memory of `plan` as asked for; raises UnsupportedError for what the model cannot do."""
    window, stream = _modes(plan, mode)
    steps = stream or (plan_memory(plan, stream=True) if plan.stream else None)
    size = sum(layer.constant_bytes for layer in plan.layers)
    in_ram = size > 0 and (weights == "ram" or (weights == "auto" and _are_small(size, stream)))
    through = False
    if window is not None and steps is not None and _can_run_by_samples(plan):
        through = _by_samples(window, steps, memory, in_ram=in_ram, both=stream is not None)
        window = steps if through else window
    placed = plan.layers if in_ram else tuple(filter(None, (plan.last,)))
    kept = sum(layer.constant_bytes for layer in placed)
    names = tuple(array.name for layer in placed for array in layer.arrays)
    both = [one and replace(one, constant_bytes=kept) for one in (window, stream)]
    return Layout(both[0], both[1], through, in_ram, names, kept)


def _modes(plan: Plan, mode: str) -> tuple[Memory | None, Memory | None]:
    """The memory plans of the modes that are asked for and possible."""
    if mode == "window" and not plan.window:
        raise UnsupportedError("a step model has no windows", why="it keeps state", fix="--mode stream")
    if mode == "stream" and not plan.stream:
        raise UnsupportedError(
            "the model cannot stream", node=plan.stream_refusal, why=plan.stream_refusal, fix="--mode window"
        )
    window = plan_memory(plan, stream=False) if plan.window and mode != "stream" else None
    stream = plan_memory(plan, stream=True) if plan.stream and mode != "window" else None
    if window is None and stream is None:
        raise UnsupportedError("the model can neither run windows nor stream", why=plan.stream_refusal)
    return window, stream


def _are_small(constants: int, stream: Memory | None) -> bool:
    """Whether constants are worth their RAM: a stream reads each with every sample, and from flash waits."""
    return stream is not None and constants <= min(_AUTO_RATIO * stream.ram_bytes, _AUTO_BYTES)


def _can_run_by_samples(plan: Plan) -> bool:
    """Whether no estimate of a window waits for samples beyond its end."""
    return (
        plan.window and plan.stream and (plan.clock.rows(plan.samples) == plan.timing.sound == plan.estimates)
    )


def _by_samples(window: Memory, steps: Memory, memory: str, *, in_ram: bool, both: bool) -> bool:
    """Whether the window runs as a stream, whose constants are read anew with every sample."""
    if memory == "fast":
        return False
    if memory == "small":
        return steps.ram_bytes <= window.ram_bytes
    saved = window.ram_bytes - steps.ram_bytes
    return saved > _MUCH or (saved > 0 and both and in_ram)
