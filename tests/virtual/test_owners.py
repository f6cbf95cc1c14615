# SPDX-License-Identifier: Apache-2.0
"""Counting by owner: whose code, and what it calls, down to the instruction, by either counter."""

from __future__ import annotations

import struct

import pytest

from edgegrf.boards import board
from edgegrf.errors import UsageError
from edgegrf.virtual import Share, Span, VirtualBoard, counter
from edgegrf.virtual.counter import PythonCounter
from edgegrf.virtual.native_counter import NativeCounter
from edgegrf.virtual.owners import Owners

WFE = "20bf"
# 0x40 main: movs r5, #3; again: bl entry; subs r5, #1; bne again; bl helper; wfe
# 0x50 entry: push {r4, lr}; bl helper; movs r0, #1; bl helper; movs r0, #2; pop {r4, pc}
# 0x60 helper: movs r1, #4; loop: subs r1, #1; bne loop; bx lr
PROGRAM = (
    "0325", "00f005f8", "013d", "fbd1", "00f009f8", WFE,
    "10b5", "00f005f8", "0120", "00f002f8", "0220", "10bd",
    "0421", "0139", "fdd1", "7047",
)  # fmt: skip
ENTRY = 0x50
#: the first call belongs to owner 2, the second to owner 3, what follows to owner 1
SPANS = [Span(0x50, 0x56, 2), Span(0x56, 0x5C, 3), Span(0x5C, 0x60, 1)]
HELPER = Share(instructions=1 + 2 * 4 + 1, half_cycles=2 * (1 + 2 * 4 + 1) + 4 * (1 + 3))  # called, 3 turns


def run(kind, monkeypatch, spans):
    monkeypatch.setattr(counter, "NativeCounter", kind)
    image = struct.pack("<II", 0x2000_8000, 0x41).ljust(0x40, b"\0") + bytes.fromhex("".join(PROGRAM))
    one = VirtualBoard(image, board("nrf52840dk"), strict=True)
    one.count_by_owner(spans)
    one.run(1.0)
    found = one.shares(), one.instructions, one.cycles
    one.close()
    return found


@pytest.mark.parametrize("kind", [NativeCounter, PythonCounter])
def test_each_call_counts_for_the_one_who_made_it(kind, monkeypatch):
    shares, instructions, cycles = run(kind, monkeypatch, SPANS)
    rest, after, first, second = shares
    # push 1 + 2 registers, bl 1, entered by a branch 2; then the helper; three times round
    assert first == Share(3 * (2 + HELPER.instructions), 3 * (2 * (3 + 1 + 2) + HELPER.half_cycles))
    # movs 1, bl 1, come back to by a branch 2
    assert second == Share(3 * (2 + HELPER.instructions), 3 * (2 * (1 + 1 + 2) + HELPER.half_cycles))
    # movs 1, pop 1 + 2, come back to by a branch 2
    assert after == Share(3 * 2, 3 * 2 * (1 + 3 + 2))
    # main's own, and its own call of the helper
    assert rest.instructions == 1 + 3 * 3 + 1 + 1 + HELPER.instructions
    assert sum(share.instructions for share in shares) == instructions
    assert sum(share.half_cycles for share in shares) == 2 * cycles


def test_both_counters_agree(monkeypatch):
    assert run(NativeCounter, monkeypatch, SPANS) == run(PythonCounter, monkeypatch, SPANS)


@pytest.mark.parametrize("kind", [NativeCounter, PythonCounter])
def test_counting_by_owner_changes_no_count(kind, monkeypatch):
    assert run(kind, monkeypatch, SPANS)[1:] == run(kind, monkeypatch, [])[1:]


@pytest.mark.parametrize("kind", [NativeCounter, PythonCounter])
def test_counts_start_anew(kind, monkeypatch, start):
    monkeypatch.setattr(counter, "NativeCounter", kind)
    one = start("dot", ROUNDS=5, IN_RAM=1)
    one.run(1.0)
    assert one.shares()[0].instructions == one.instructions > 0
    one.count_by_owner([])
    assert one.shares() == [Share()]


def test_a_block_belongs_to_the_last_span_that_it_touches():
    owners = Owners([Span(0x10, 0x14, 1), Span(0x14, 0x20, 2), Span(0x30, 0x34, 3)])
    assert owners.count == 4
    assert [owners.of(at, 4) for at in (0x10, 0x12, 0x14, 0x1C)] == [1, 2, 2, 2]
    assert owners.of(0x0C, 4) == 0 and owners.of(0x20, 0x10) == 0 and owners.of(0x34, 4) == 0
    assert owners.of(0x0C, 6) == 1 and owners.of(0x20, 0x12) == 3


@pytest.mark.parametrize(
    "spans", [[Span(0, 8, 1), Span(4, 12, 2)], [Span(0, 8, 0)], [Span(0, 8, 1024)]], ids=str
)
def test_owners_that_cannot_be(spans):
    with pytest.raises(UsageError):
        Owners(spans)
