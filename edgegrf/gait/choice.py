# SPDX-License-Identifier: Apache-2.0
"""Which walks a command takes: those it was given, else those at hand, else the synthetic walker's."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from edgegrf.errors import DataError
from edgegrf.gait.readers import default_data, read_walks
from edgegrf.gait.recording import Recording
from edgegrf.gait.split import is_validation
from edgegrf.gait.trials import Trial, trials
from edgegrf.gait.validation import oddity_lines
from edgegrf.gait.walker import FORCE_SOURCE, walk
from edgegrf.manifest import Interface
from edgegrf.progress import Progress, silent

__all__ = ["Chosen", "choose_walks", "synthetic_walks"]

_WALKERS = 28

#: the subjects of the data set that the shipped students learned from
_GAITPDB = re.compile(r"(Ga|Ju|Si)(Co|Pt)\d+")


@dataclass(frozen=True)
class Chosen:
    """Walks in a model's terms.

    `name` is short ("gaitpdb", "synthetic walker"); `source` is a sentence fit for a figure: whose walks
    they are, what measured their force and, for synthetic ones, why they are synthetic.
    """

    recordings: list[Recording]
    trials: list[Trial]
    name: str
    source: str
    synthetic: bool

    @property
    def oddities(self) -> list[str]:
        """What is odd about the walks, a line each."""
        return oddity_lines(self.recordings)


def choose_walks(
    interface: Interface,
    data: Path | None = None,
    *,
    walks: int | None = None,
    columns: Path | None = None,
    unseen: bool = False,
    learnt_from: Collection[str] = (),
    progress: Progress = silent,
) -> Chosen:
    """The first `walks` walks that fit `interface`, both feet of each; None: all, or 28 synthetic ones.

    `unseen` leaves out the subjects that a student was trained on, unless `data` holds no others; `source`
    says so then.  They are those of `learnt_from`; without any, gaitpdb's that are not held out.  Raises
    DataError if `data` does not fit; default data that do not fit are passed over for the synthetic walker.
    """
    path = data or default_data()
    why = "no walks at hand"
    if path is not None:
        try:
            return _read(path, interface, walks, columns, _Unseen(learnt_from) if unseen else None, progress)
        except DataError as error:
            if data is not None:
                raise
            why = error.what
    seeds = [seed for seed in range(1, 7 * (walks or _WALKERS) + 1) if not unseen or seed % 7 == 0]
    recordings = synthetic_walks(interface, seeds[: walks or _WALKERS], progress=progress)
    return _chosen(recordings, interface, FORCE_SOURCE, why)


def synthetic_walks(
    interface: Interface, seeds: Iterable[int], *, seconds: float = 30.0, progress: Progress = silent
) -> list[Recording]:
    """One walk a seed at 0.9-1.8 m/s, both feet, on the insole that `interface` has.

    Sensors and forces that the walker does not know by name are played by its own, in their order.
    """
    layout = "matrix16x8" if interface.frame or len(interface.sensors) > 8 else "gaitpdb8"
    rate = interface.sample_rate_hz
    recordings: list[Recording] = []
    for done, seed in enumerate(seeds):
        speed = 0.9 + 0.1 * (seed % 10)
        feet = walk(seed, speed_mps=speed, duration_s=seconds, layout=layout, sample_rate_hz=rate)
        recordings += [_in_terms_of(interface, foot) for foot in feet]
        progress("make synthetic walks", done + 1, 0)
    return recordings


class _Unseen:
    """Whom a student did not learn from; remembers whether it met any."""

    def __init__(self, learnt_from: Collection[str]) -> None:
        self.learnt_from, self.met = frozenset(learnt_from), False

    def __call__(self, subject: str) -> bool:
        if self.learnt_from:
            unseen = subject not in self.learnt_from
        else:
            unseen = not _GAITPDB.fullmatch(subject) or is_validation(subject)
        self.met |= unseen
        return unseen


def _read(
    path: Path,
    interface: Interface,
    walks: int | None,
    columns: Path | None,
    unseen: _Unseen | None,
    progress: Progress,
) -> Chosen:
    name = path.resolve().name
    try:
        subjects = unseen or (lambda subject: True)
        recordings = read_walks(path, limit=walks, columns=columns, subjects=subjects, progress=progress)
    except DataError:
        if unseen is None or unseen.met:
            raise
        recordings = read_walks(path, limit=walks, columns=columns, progress=progress)
        name += " (subjects that the student was trained on)"
    return _chosen(recordings, interface, name)


def _chosen(recordings: list[Recording], interface: Interface, name: str, why: str = "") -> Chosen:
    found = trials(recordings, interface)
    synthetic = found[0].synthetic
    force = found[0].force_source or "no reference force"
    source = f"SYNTHETIC walks, not people's: {why or name}" if synthetic else f"{name}; force: {force}"
    return Chosen(recordings, found, name, source, synthetic)


def _in_terms_of(interface: Interface, recording: Recording) -> Recording:
    sensors, forces = recording.sensors, recording.force_names
    if not {sensor.name for sensor in sensors} >= set(interface.sensors):
        names = [*interface.sensors, *(f"spare{n}" for n in range(len(sensors)))]
        sensors = tuple(replace(sensor, name=name) for sensor, name in zip(sensors, names, strict=False))
    if not set(forces) >= set(interface.outputs):
        forces = (*interface.outputs, *(f"spare{n}" for n in range(len(forces))))[: len(forces)]
    return replace(recording, sensors=sensors, force_names=forces)
