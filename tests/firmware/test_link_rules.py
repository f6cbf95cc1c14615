# SPDX-License-Identifier: Apache-2.0
"""core/link.c under the sanitizers, against the table of SPEC.md section 2 written down once more."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

HELLO, STEP = 1, 3
SEQUENCE, NOT_GREETED = 6, 7
REJECTED = 99  # a HELLO of this seq is not accepted
CREDITS = 4


@pytest.fixture(scope="module")
def judge(probe: Callable[[str], Path]) -> Callable[[list[tuple[int, int]]], list[str]]:
    program = probe("link_probe")

    def run(requests: list[tuple[int, int]]) -> list[str]:
        text = "".join(f"{kind} {seq}\n" for kind, seq in requests)
        done = subprocess.run([program], input=text.encode(), capture_output=True, check=True)
        return done.stdout.decode().splitlines()

    return run


def table(requests: list[tuple[int, int]]) -> list[str]:
    """What SPEC.md says of each request: a list of executed seqs, and nothing cleverer."""
    executed: list[tuple[int, int]] = []  # (seq, number of the execution), since HELLO
    greeted, count, duplicates, said = False, 0, 0, []
    for kind, seq in requests:
        kept = dict(executed[-CREDITS:])
        if kind == HELLO:
            greeted, executed = seq != REJECTED, [(seq, count)]
            said.append(f"execute {count}")
            count += 1
        elif not greeted:
            said.append(f"refuse {NOT_GREETED} {kind} 0")
        elif seq == (executed[-1][0] + 1) % 256:
            executed.append((seq, count))
            said.append(f"execute {count}")
            count += 1
        elif seq in kept:
            duplicates += 1
            said.append(f"repeat {kept[seq]}")
        else:
            said.append(f"refuse {SEQUENCE} {kind} {(executed[-1][0] + 1) % 256}")
    return [*said, str(duplicates)]


def test_the_table_line_by_line(judge):
    requests = [
        (STEP, 0),
        (HELLO, 254),
        (STEP, 255),
        (STEP, 255),
        (STEP, 0),
        (STEP, 1),
        (STEP, 2),
        (STEP, 255),
    ]
    requests += [(STEP, 254), (STEP, 4), (HELLO, REJECTED), (STEP, 100)]
    assert judge(requests) == [
        "refuse 7 3 0", "execute 0", "execute 1", "repeat 1", "execute 2", "execute 3", "execute 4",
        "repeat 1", "refuse 6 3 3", "refuse 6 3 3", "execute 5", "refuse 7 3 0", "2",
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_random_conversations(judge, seed):
    rng = random.Random(seed)
    requests, next_seq = [(STEP, 9)], 0
    for _ in range(3000):
        if rng.random() < 0.02:
            next_seq = rng.choice([rng.randrange(256), REJECTED])
            requests.append((HELLO, next_seq))
        else:
            seq = rng.choice([next_seq, next_seq, next_seq - rng.randrange(7), rng.randrange(256)]) % 256
            requests.append((rng.randrange(2, 256), seq))
        if requests[-1][1] == next_seq:
            next_seq = (next_seq + 1) % 256
    expected = table(requests)
    assert {line.split()[0] for line in expected} >= {"execute", "repeat", "refuse"}
    assert judge(requests) == expected
