# SPDX-License-Identifier: Apache-2.0
"""The block hook that counts instructions and cycles: native C, or Python where there is no compiler."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from edgegrf.errors import EdgegrfError
from edgegrf.virtual.cortexm.flash import stack_slot
from edgegrf.virtual.counts import (
    OUTSIDE,
    OWNERS,
    PAGE,
    Counter,
    Decode,
    Penalties,
    Read,
    Share,
    Write,
    those_that_fit,
)
from edgegrf.virtual.native_counter import UC_HOOK_BLOCK, NativeCounter
from edgegrf.virtual.owners import Owners, Span

__all__ = ["PythonCounter", "make_counter"]


@dataclass
class _Counts:
    instructions: int = 0
    half_cycles: int = 0
    flash_reads: int = 0
    deadline: int = 0
    previous_end: int = 0
    sent_event: int = 0
    stops_on_event: int = 0


class PythonCounter:
    """The same counts from a Python hook: bit for bit those of counter.c, many times slower."""

    def __init__(self, uc: Any, decode: Decode, registers: dict[str, int], penalties: Penalties) -> None:
        self.counts = _Counts()
        self.failure: BaseException | None = None
        self._decode = functools.cache(decode)
        self._registers = registers
        self._penalties = penalties
        self._uc = uc
        self._owners = Owners(())
        self._shares, self._owner, self._back = [Share()], 0, OUTSIDE
        uc.hook_add(UC_HOOK_BLOCK, self._block)

    def map_cycle_register(self, address: int, read: Read, write: Write) -> None:
        """Map the register's page with nothing special: `read` knows the cycles."""
        page = address & -PAGE
        self._uc.mmio_map(
            page, PAGE, lambda uc, offset, size, user: read(page + offset, size), None,
            lambda uc, offset, size, value, user: write(page + offset, size, value), None,
        )  # fmt: skip

    def show_cycles(self, beyond: int | None) -> None:
        """Nothing to do: `read` knows."""

    def count_by_owner(self, spans: Sequence[Span]) -> None:
        """Start the shares over."""
        self._owners = Owners(spans, most=OWNERS)
        self._shares, self._owner, self._back = [Share() for _ in range(self._owners.count)], 0, OUTSIDE

    def shares(self) -> list[Share]:
        """Copies, as the native counter gives."""
        return [replace(share) for share in self._shares]

    def close(self) -> None:
        """Nothing to give back."""

    def _block(self, uc: Any, address: int, size: int, user: object) -> None:
        counts = self.counts
        if counts.half_cycles >= counts.deadline or counts.sent_event & counts.stops_on_event:
            uc.emu_stop()
            return
        try:
            cost = self._decode(address, size)
        except BaseException as error:
            self.failure = error
            uc.emu_stop()
            return
        reads, penalties = 0, self._penalties
        for probe in those_that_fit(cost):
            terms = (factor * self._value(uc, name) for name, factor in probe.address.terms)
            if (probe.address.constant + sum(terms)) & 0xFFFF_FFFF < penalties.flash_size:
                reads += probe.reads
        branch = penalties.taken_branch if address != counts.previous_end else 0
        share = self._share(uc, address, size)
        for one in (counts, share):
            one.instructions += cost.instructions
            one.half_cycles += cost.half_cycles + branch + reads * penalties.flash_read
            one.flash_reads += reads
        counts.sent_event |= cost.sets_event
        counts.previous_end = address + size

    def _share(self, uc: Any, address: int, size: int) -> Share:
        """Whose block this is, as owner_of() of counter.c decides."""
        if address == self._back:
            self._owner, self._back = 0, OUTSIDE
        owner = self._owners.of(address, size)
        if owner:
            if self._back == OUTSIDE:
                self._back = uc.reg_read(self._registers["lr"]) & ~1
            self._owner = owner
        return self._shares[self._owner]

    def _value(self, uc: Any, term: str) -> int:
        slot = stack_slot(term)
        if slot is None:
            return int(uc.reg_read(self._registers[term]))
        return int.from_bytes(uc.mem_read(uc.reg_read(self._registers["sp"]) + slot, 4), "little")


def make_counter(
    uc: Any, decode: Decode, registers: dict[str, int], penalties: Penalties
) -> tuple[Counter, str]:
    """The native counter, or the Python one and the reason why."""
    try:
        return NativeCounter(uc, decode, registers, penalties), ""
    except EdgegrfError as error:
        reason = f"{error.what}: counting cycles in Python, many times slower"
        return PythonCounter(uc, decode, registers, penalties), reason
