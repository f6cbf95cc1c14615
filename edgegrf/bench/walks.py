# SPDX-License-Identifier: Apache-2.0
"""Which walks a bench runs: those asked for, else what is at hand, else synthetic ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgegrf.gait.readers import default_data, read_walks
from edgegrf.gait.recording import Recording
from edgegrf.gait.split import is_validation
from edgegrf.gait.trials import Trial, trials
from edgegrf.gait.validation import oddity_lines
from edgegrf.gait.walker import walk
from edgegrf.manifest import Interface
from edgegrf.progress import Progress, silent

__all__ = ["DEFAULT_WALKS", "SYNTHETIC_WALKS", "BenchWalks", "bench_walks"]

DEFAULT_WALKS = 20
SYNTHETIC_WALKS = 4

_GAITPDB_SUBJECT = re.compile(r"(Ga|Ju|Si)(Co|Pt)\d+")


@dataclass(frozen=True)
class BenchWalks:
    """Trials in a model's terms, where they are from, and what is odd about them, a line each."""

    trials: list[Trial]
    source: str
    oddities: list[str]


def bench_walks(
    interface: Interface,
    path: Path | None = None,
    *,
    walks: int | None = None,
    columns: Path | None = None,
    progress: Progress = silent,
) -> BenchWalks:
    """The first `walks` walks (20; synthetic 4) of `path`, else of the default data, else synthetic.

    A walk is two feet, that is two trials.  Of gaitpdb only subjects that no student was trained on.
    """
    source = path or default_data()
    if source is None:
        recordings: Sequence[Recording] = _synthetic(interface, walks or SYNTHETIC_WALKS)
    else:
        recordings = read_walks(
            source, limit=walks or DEFAULT_WALKS, columns=columns, subjects=_unseen, progress=progress
        )
    return BenchWalks(
        trials=trials(recordings, interface),
        source="synthetic walker" if source is None else str(source),
        oddities=oddity_lines(recordings),
    )


def _synthetic(interface: Interface, walks: int) -> list[Recording]:
    layout = "matrix16x8" if interface.frame else "gaitpdb8"
    seeds = range(1, walks + 1)
    return [
        foot for seed in seeds for foot in walk(seed, layout=layout, sample_rate_hz=interface.sample_rate_hz)
    ]


def _unseen(subject: str) -> bool:
    return is_validation(subject) if _GAITPDB_SUBJECT.fullmatch(subject) else True
