# SPDX-License-Identifier: Apache-2.0
"""What is in a file or folder of walks: counts, terms, and everything odd."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edgegrf.errors import DataError
from edgegrf.gait.readers import read_walks, walk_files
from edgegrf.gait.recording import Recording
from edgegrf.gait.split import standing
from edgegrf.progress import Progress, silent

__all__ = ["look_at", "summary"]


def look_at(
    path: Path, *, limit: int | None = None, columns: Path | None = None, progress: Progress = silent
) -> tuple[list[Recording], list[DataError]]:
    """The recordings of a file or folder, and the refusals of its files that cannot be read.

    A lone file that cannot be read raises its DataError.
    """
    files = walk_files(path)
    recordings: list[Recording] = []
    refused: list[DataError] = []
    for done, file in enumerate(files):
        progress("check files", done, len(files))
        left = None if limit is None else limit - len(_walks(recordings))
        if left is not None and left <= 0:
            break
        try:
            recordings += read_walks(file, limit=left, columns=columns)
        except DataError as error:
            if len(files) == 1:
                raise
            refused.append(error)
    return recordings, refused


def summary(recordings: Sequence[Recording]) -> dict[str, Any]:
    """Counts and terms of recordings, ready for JSON; sets are sorted lists, ranges are [least, most]."""
    subjects = sorted({recording.subject for recording in recordings})
    weights = [recording.body_weight_n for recording in recordings if recording.body_weight_n is not None]
    seconds = [len(recording.pressure) / recording.sample_rate_hz for recording in recordings]
    return {
        "walks": len(_walks(recordings)),
        "recordings": len(recordings),
        "subjects": len(subjects),
        "validation_subjects": sum(map(standing(subjects).held_out, subjects)),
        "samples": sum(len(recording.pressure) for recording in recordings),
        "seconds": _range(seconds),
        "sample_rate_hz": sorted({recording.sample_rate_hz for recording in recordings}),
        "sensors": [list(names) for names in sorted({_names(recording) for recording in recordings})],
        "units": sorted({recording.unit for recording in recordings}),
        "force": sorted({name for recording in recordings for name in recording.force_names}),
        "force_sources": sorted({recording.force_source for recording in recordings} - {""}),
        "body_weight_n": _range(weights),
        "without_body_weight": len(recordings) - len(weights),
        "synthetic": sum(recording.synthetic for recording in recordings),
        "oddities": [
            {"recording": recording.name, **asdict(oddity)}
            for recording in recordings
            for oddity in recording.oddities
        ],
    }


def _walks(recordings: Sequence[Recording]) -> set[str]:
    return {recording.name.rpartition("/")[0] for recording in recordings}


def _names(recording: Recording) -> tuple[str, ...]:
    return tuple(sensor.name for sensor in recording.sensors)


def _range(values: list[float]) -> list[float]:
    return [round(min(values), 2), round(max(values), 2)] if values else []
