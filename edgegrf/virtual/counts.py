# SPDX-License-Identifier: Apache-2.0
"""What a block hook counts, and what is asked of one; counter.py makes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from edgegrf.virtual.cortexm.flash import FlashProbe
from edgegrf.virtual.owners import Span

__all__ = [
    "OUTSIDE", "OWNERS", "PAGE", "PROBES", "TERMS", "BlockCost", "Counter", "Counts", "Decode", "Penalties",
    "Read", "Share", "Write", "those_that_fit",
]  # fmt: skip


@dataclass(frozen=True)
class BlockCost:
    """A block's instructions, its half cycles without branch and flash penalties, and what decides those."""

    instructions: int
    half_cycles: int
    sets_event: bool = False
    uses_fpu: bool = False
    probes: tuple[FlashProbe, ...] = ()


@dataclass(frozen=True)
class Penalties:
    """What a block costs beside its own: half cycles when it was branched to, and per data word that its
    probes see below `flash_size`."""

    taken_branch: int
    flash_read: int = 0
    flash_size: int = 0


#: (address, size in bytes) of a block -> its cost
Decode = Callable[[int, int], BlockCost]
#: a register access: (address, size in bytes), and the value
Read = Callable[[int, int], int]
Write = Callable[[int, int, int], None]

#: what a block of counter.c has room for, and its table of owners
PROBES, TERMS, OWNERS = 12, 3, 1024
#: where control returns to when no owner's code runs: no block begins at an odd address
OUTSIDE = 1
#: bytes of a page of registers
PAGE = 0x1000


@dataclass
class Share:
    """What ran for one owner; cycles are half cycles."""

    instructions: int = 0
    half_cycles: int = 0
    flash_reads: int = 0


class Counts(Protocol):
    """What has run so far; the core stops when `half_cycles` passes `deadline`."""

    instructions: int
    half_cycles: int
    flash_reads: int  # data reads from flash, as far as the probes see them
    deadline: int
    previous_end: int  # the address behind the last block
    sent_event: int  # 1: a block was executed that sets the event: a SEV, or interrupts let in
    stops_on_event: int  # 1: the core stops behind such a block


class Counter(Protocol):
    """A hook on a core; `failure` is what went wrong inside it, to be raised when the core has stopped."""

    failure: BaseException | None

    @property
    def counts(self) -> Counts: ...

    def map_cycle_register(self, address: int, read: Read, write: Write) -> None:
        """Map the page of the register that shows the active cycles; `read` and `write` serve the rest."""

    def show_cycles(self, beyond: int | None) -> None:
        """Have the cycle register show the active cycles and `beyond`, modulo 2**32; None stops it."""

    def count_by_owner(self, spans: Sequence[Span]) -> None:
        """Count anew by the owners of `spans`; code in no span counts for the owner that called it."""

    def shares(self) -> list[Share]:
        """What ran for owner 0 (everyone else), 1, ... since `count_by_owner`."""

    def close(self) -> None: ...


def those_that_fit(cost: BlockCost) -> list[FlashProbe]:
    """The probes that a block of counter.c has room for."""
    return [probe for probe in cost.probes if len(probe.address.terms) <= TERMS][:PROBES]
