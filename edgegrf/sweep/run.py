# SPDX-License-Identifier: Apache-2.0
"""A sweep at work: its cells side by side, on this machine or on a Dask cluster; resumable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from edgegrf.errors import DeviceError, MissingToolError
from edgegrf.manifest import Manifest
from edgegrf.profile.run import check_port, run_profile
from edgegrf.progress import Progress, silent
from edgegrf.resources import MODEL_FILE
from edgegrf.sweep.cell import Given, run_cell, train_teacher
from edgegrf.sweep.plan import SUBJECTS, Sweep

__all__ = ["run_sweep"]


def run_sweep(
    sweep: Sweep,
    folder: Path,
    *,
    data: Path | None = None,
    columns: Path | None = None,
    workers: int = 1,
    dask: str = "",
    progress: Progress = silent,
) -> dict[str, Any]:
    """Run what is not yet there below `folder`, and return every result, teacher and student's cost.

    `workers` processes on this machine, or a Dask scheduler's address, whose workers share the file system.
    Raises MissingToolError without dask.distributed, DeviceError where the scheduler does not answer, and
    whatever a cell raises, after the others that run have ended.
    """
    folder = folder.absolute()
    given = Given(folder, data, columns)
    given = replace(given, folds=_folds(sweep, given))
    cells = sweep.cells(given.folds)
    teachers = {one.checkpoint: one for cell in cells for one in sweep.teachers(cell)}
    with _executor(workers, dask) as submit:
        jobs = [submit(train_teacher, one, given) for one in teachers.values()]
        taught = _all(jobs, "teachers", progress) if jobs else []
        results = _all([submit(run_cell, sweep, cell, given) for cell in cells], "cells", progress)
    costs = {
        student: _cost(folder / next(cell for cell in cells if cell.student == student).place, sweep.board)
        for student in sweep.students
    }
    return {
        "cells": results, "teachers": taught, "costs": costs, "folds": given.folds, "board": sweep.board,
    }  # fmt: skip


def _folds(sweep: Sweep, given: Given) -> int:
    if sweep.folds != SUBJECTS:
        return int(sweep.folds)
    chosen = given.chosen(sweep.plan(sweep.cells(0)[0]).interface)
    return len({recording.subject for recording in chosen.recordings})


def _cost(place: Path, board: str) -> dict[str, Any]:
    """Cycles (estimated) of a sample or a window, flash and RAM of the model alone, in its own mode."""
    model = place / MODEL_FILE
    profile = run_profile(model, check_port(f"virtual:{board}"))
    interface = Manifest.read(model).interface
    samples = interface.window if interface and profile.of == "window" else 1
    return {
        "cycles": profile.cycles, "per": profile.of, "cycles_per_sample": profile.cycles / samples,
        "clock_hz": profile.clock_hz,
        "flash_bytes": profile.flash_bytes, "ram_bytes": profile.ram_bytes,
    }  # fmt: skip


def _all(jobs: Sequence[Future[Any]], stage: str, progress: Progress) -> list[Any]:
    """Every result, in order; the first failure is raised once no job waits any more."""
    progress(stage, 0, len(jobs))
    try:
        for done, job in enumerate(as_completed(jobs)):
            job.result()
            progress(stage, done + 1, len(jobs))
    except BaseException:
        for job in jobs:
            job.cancel()
        raise
    return [job.result() for job in jobs]


@contextmanager
def _executor(workers: int, dask: str) -> Iterator[Callable[..., Future[Any]]]:
    with _dask(dask) if dask else _local(workers) as executor:
        yield executor.submit


@contextmanager
def _local(workers: int) -> Iterator[Executor]:
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as executor:
        yield executor


@contextmanager
def _dask(address: str) -> Iterator[Executor]:
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingToolError(
            "dask.distributed is not installed", fix="pip install 'edgegrf[cluster]'"
        ) from error
    try:
        client = Client(address, timeout=10)
    except OSError as error:
        raise DeviceError(
            f"no Dask scheduler answers at {address}",
            why=str(error),
            fix="dask scheduler; dask worker ADDRESS",
        ) from error
    with client:
        yield client.get_executor()
