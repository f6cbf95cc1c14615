# SPDX-License-Identifier: Apache-2.0
"""Sweeps whose outcome is committed: NAME.toml is trained once, NAME.json is what the pages are made from."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edgegrf.bench.summary import grouped
from edgegrf.distill.teacher import load_teacher
from edgegrf.errors import DataError, UsageError
from edgegrf.files import write_file
from edgegrf.gait.choice import choose_walks
from edgegrf.gait.readers import default_data
from edgegrf.resources import cache_folder
from edgegrf.sweep.file import read_sweep
from edgegrf.sweep.plan import Sweep
from edgegrf.sweep.run import run_sweep
from edgegrf.sweep.summary import summary

__all__ = ["cells_of", "measured", "outcome", "spread", "teachers"]

_HERE = Path(__file__).parent
_DIGITS = 7  # of what a JSON number keeps


def measured(name: str, *, plan: Path | None = None, target: Path | None = None, workers: int = 1) -> None:
    """Train what is not yet in the cache and write the outcome, NAME.json, a cell a line.

    `plan` and `target` stand for NAME.toml and NAME.json.  Raises DataError without real walks: tables of
    synthetic ones would not be those that the pages speak of.
    """
    if default_data() is None:
        raise DataError("no real walks", fix="edgegrf data fetch gaitpdb, or set EDGEGRF_DATA")

    def told(stage: str, done: int, total: int) -> None:
        print(f"{name}: {stage} {done} of {total}", file=sys.stderr, flush=True)

    sweep = read_sweep(plan or _HERE / f"{name}.toml")
    folder = cache_folder() / "benchmarks" / name
    record = run_sweep(sweep, folder, workers=workers, progress=told)
    if not sweep.folds:
        record["ensembles"] = _ensembles(sweep, folder)
    write_file(target or _HERE / f"{name}.json", "\n".join(_lines(record)) + "\n")


def outcome(name: str) -> dict[str, Any]:
    """The committed outcome with its summary; raises UsageError where nobody has measured it."""
    path = _HERE / f"{name}.json"
    try:
        record: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise UsageError(
            f"no {path.name}", fix="make bench-distillation, make bench-taught, make crossvalidation"
        ) from error
    return record | {"summary": summary(record)}


def cells_of(record: Mapping[str, Any], row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The runs that a row of the summary tells of."""
    return [
        one for one in record["cells"] if (one["student"], one["variant"]) == (row["student"], row["variant"])
    ]


def spread(errors: Mapping[str, Any]) -> str:
    """A mean error in BW and its standard deviation over the runs."""
    deviation = errors["spread_bw"]
    return f"{errors['mean_bw']:.5f}" + ("" if deviation is None else f" ± {deviation:.5f}")


def teachers(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Rows that tell who taught."""
    return [(f"teacher {number + 1}", _teacher(one)) for number, one in enumerate(record["teachers"])] + [
        (f"{one['first']} to {one['last']} together", f"{one['float_rmse_bw']:.4f} BW")
        for one in record["ensembles"]
    ]


def _teacher(one: Mapping[str, Any]) -> str:
    hyper = ", ".join(f"{key} {value}" for key, value in one["hyper"].items())
    return (
        f"{one['architecture']} ({hyper}), {grouped(one['parameters'])} parameters, {len(one['sensors'])} "
        f"sensors, look-ahead {one['lookahead']}: {one['float_rmse_bw']:.4f} BW"
    )


def _ensembles(sweep: Sweep, folder: Path) -> list[dict[str, Any]]:
    """What teachers who teach together reach, on who is held out; `first` and `last` count them from 1."""
    cells = sweep.cells(0)
    numbers = {one.checkpoint: 0 for cell in cells for one in sweep.teachers(cell)}
    numbers.update({checkpoint: number + 1 for number, checkpoint in enumerate(numbers)})
    found: dict[tuple[Path, ...], dict[str, Any]] = {}
    for cell in cells:
        together = tuple(one.checkpoint for one in sweep.teachers(cell))
        if len(together) < 2 or together in found:
            continue
        interface = sweep.plan(cell).interface
        teacher = load_teacher([folder / one for one in together])
        reached = teacher.rmse(choose_walks(interface).recordings, interface)
        ends = {"first": numbers[together[0]], "last": numbers[together[-1]]}
        found[together] = {**ends, "float_rmse_bw": reached}
    return list(found.values())


def _lines(record: Mapping[str, Any]) -> Iterator[str]:
    """JSON with one cell, teacher or cost a line; what only the cache needs is left out."""
    cells = [{key: value for key, value in one.items() if key != "fingerprint"} for one in record["cells"]]
    short = _rounded({**record, "cells": cells})
    yield "{"
    for number, (key, value) in enumerate(short.items()):
        end = "," if number + 1 < len(short) else ""
        if isinstance(value, list):
            rows = ",\n  ".join(json.dumps(one, sort_keys=True) for one in value)
            yield f' "{key}": [\n  {rows}\n ]{end}'
        else:
            yield f' "{key}": {json.dumps(value, sort_keys=True)}{end}'
    yield "}"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}")
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list) else value
