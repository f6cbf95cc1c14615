# SPDX-License-Identifier: Apache-2.0
"""Where every buffer of a mode lies: an arena, shared by what is not alive together; states and rings.

Buffers are placed from the largest to the smallest at the lowest offset that is free for as long as they
live.  A layer that can work in place takes over the buffer of an input that nobody needs after it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from edgegrf.compiler.plan import Layer, Plan
from edgegrf.compiler.timing import EVERY_SAMPLE

__all__ = ["Memory", "plan_memory"]

_ALIGNMENT = 4
_WORD = 4


@dataclass
class _Slot:
    size: int
    first: int  # layers between which it is alive, both included
    last: int
    offset: int = -1


@dataclass(frozen=True)
class Memory:
    """Offsets in bytes of one mode: values and scratch in the arena, rings and states in the state buffer."""

    values: dict[int, int] = field(default_factory=dict)
    scratch: dict[int, int] = field(default_factory=dict)  # layer's position -> offset
    rings: dict[int, int] = field(default_factory=dict)
    states: dict[int, int] = field(default_factory=dict)  # value -> offset
    arena_bytes: int = 0
    state_bytes: int = 0
    ticks: bool = False  # whether layers of a stream have to know which sample it is
    constant_bytes: int = 0  # weights that are copied to RAM when the board starts

    @property
    def kept_bytes(self) -> int:
        """What a stream remembers from sample to sample, the rings' heads included."""
        return self.state_bytes + _WORD * (len(self.rings) + self.ticks)

    @property
    def ram_bytes(self) -> int:
        """Everything that the mode keeps in RAM by itself; without the stack."""
        return self.arena_bytes + self.kept_bytes + self.constant_bytes


def plan_memory(plan: Plan, *, stream: bool) -> Memory:
    """The memory of one mode of `plan`."""
    layers = plan.run(stream=stream)
    slots, scratch = _slots(plan, layers, stream)
    unique = list({id(slot): slot for slot in [*slots.values(), *scratch.values()]}.values())
    arena = _place(unique)
    rings: dict[int, int] = {}
    states: dict[int, int] = {}
    used = 0
    if stream:
        for value, _, _ in plan.states:
            states[value] = used
            used += _aligned(plan.values[value].step)
        for position, layer in enumerate(layers):
            if layer.ring:
                rings[position] = used
                used += _aligned(layer.ring.bytes)
    return Memory(
        values={value: slot.offset for value, slot in slots.items()},
        scratch={position: slot.offset for position, slot in scratch.items()},
        rings=rings,
        states=states,
        arena_bytes=_aligned(arena),
        state_bytes=used,
        ticks=stream and {layer.clock for layer in layers} != {EVERY_SAMPLE},
    )


def _slots(plan: Plan, layers: tuple[Layer, ...], stream: bool) -> tuple[dict[int, _Slot], dict[int, _Slot]]:
    """The arena's buffers: per value, and per layer that needs scratch."""
    last = _last_uses(plan, layers)
    slots: dict[int, _Slot] = {}
    scratch: dict[int, _Slot] = {}
    for position, layer in enumerate(layers):
        needed = layer.step_scratch if stream else layer.scratch
        if needed:
            scratch[position] = _Slot(needed, position, position)
        value = plan.values[layer.output]
        if value.role != "inner":
            continue
        size = value.step if stream else value.size
        until = max(last.get(layer.output, position), position)
        inputs = layer.in_place if stream else layer.in_place + layer.window_in_place
        taken = _taken_over(layer, inputs, position, slots, last, size)
        if taken is None:
            slots[layer.output] = _Slot(size, position, until)
        else:
            taken.last = until
            slots[layer.output] = taken
    return slots, scratch


def _last_uses(plan: Plan, layers: tuple[Layer, ...]) -> dict[int, int]:
    """Value -> the last layer that reads it; next states are read after the last layer."""
    last = {index: position for position, layer in enumerate(layers) for index in layer.inputs}
    last.update({after: len(layers) for _, after, _ in plan.states})
    return last


def _taken_over(
    layer: Layer,
    inputs: tuple[int, ...],
    position: int,
    slots: dict[int, _Slot],
    last: dict[int, int],
    size: int,
) -> _Slot | None:
    """The buffer of one of `inputs` that `layer` is the last to read and that has the output's size."""
    for slot_input in inputs:
        value = layer.inputs[slot_input]
        if value in slots and last[value] == position and slots[value].size == size:
            return slots[value]
    return None


def _place(slots: list[_Slot]) -> int:
    """Give every slot its offset; returns the arena's size."""
    placed: list[_Slot] = []
    for slot in sorted(slots, key=lambda s: (-s.size, s.first)):
        offset = 0
        for other in sorted(placed, key=lambda s: s.offset):
            apart = other.last < slot.first or slot.last < other.first
            if not apart and offset + slot.size > other.offset:
                offset = max(offset, _aligned(other.offset + other.size))
        slot.offset = offset
        placed.append(slot)
    return max((slot.offset + slot.size for slot in slots), default=0)


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT
