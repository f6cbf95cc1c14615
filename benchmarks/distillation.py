# SPDX-License-Identifier: Apache-2.0
"""`make bench-distillation`: every recipe on one student, beside that student alone; JSON, tables, a figure.

benchmarks/distillation.toml says what is trained.  What has been trained lies in the cache, so that a run
which was cut short goes on; `make results` writes the page from the JSON alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.marks import fill, table
from benchmarks.sweeps import measured, outcome, spread, teachers
from edgegrf.bench.summary import grouped
from edgegrf.distill.recipes import RECIPES
from edgegrf.files import write_file
from edgegrf.report.ink import as_file
from edgegrf.sweep.plots import differences
from edgegrf.sweep.summary import difference, verdict

__all__ = ["main", "write_pages"]

_DOCS = Path(__file__).parents[1] / "docs"
_PAGE, _FIGURE = _DOCS / "distillation_results.md", _DOCS / "distillation.svg"

Row = Mapping[str, Any]


def main() -> None:
    """Train, write distillation.json, and the page."""
    measured("distillation")
    write_pages()


def write_pages() -> None:
    """The page's tables and its figure, from distillation.json."""
    record = outcome("distillation")
    fill(_PAGE, "table:setting", _setting(record))
    fill(_PAGE, "table:recipes", _recipes(record["summary"]))
    fill(_PAGE, "table:seeds", _seeds(record["cells"]))
    write_file(_FIGURE, as_file(differences(record)))


def _setting(record: Row) -> str:
    """What was trained on whom, and by whom it was taught."""
    cell, costs = record["cells"][0], record["costs"]
    seeds = sorted({one["seed"] for one in record["cells"]})
    samples = sum(one["samples"] for one in cell["subjects"].values())
    rows = [
        ("student", f"{cell['student']}, {grouped(cell['parameters'])} parameters"),
        (
            "an estimate on the virtual board",
            f"{grouped(round(costs[cell['student']]['cycles_per_sample']))} cycles (est.)",
        ),
        ("epochs", f"{cell['epochs']}, the last one's weights"),
        ("seeds", ", ".join(map(str, seeds))),
        ("walks", cell["source"]),
        ("judged on", f"{len(cell['subjects'])} subjects, {grouped(samples)} samples; {cell['split']}"),
    ]
    return table(("", ""), rows + teachers(record))


def _recipes(rows: list[Row]) -> str:
    columns = (
        "variant", "after", "grade", "float, BW", "int8, BW", "float against none, mBW",
        "int8 against none, mBW", "seen in int8",
    )  # fmt: skip
    best = sorted(rows, key=lambda row: row["int8"]["mean_bw"])
    lines = [
        (
            row["variant"], RECIPES[row["recipe"]].source, RECIPES[row["recipe"]].grade,
            *(spread(row[kind]) for kind in ("float", "int8")),
            *(difference(row[kind]["against_none"]) or "-" for kind in ("float", "int8")),
            verdict(row["int8"]["against_none"]) or "-",
        )
        for row in best
    ]  # fmt: skip
    return table(columns, lines)


def _seeds(cells: list[Row]) -> str:
    """Every run: float and int8 of each seed."""
    seeds = sorted({cell["seed"] for cell in cells})
    found = {(cell["variant"], cell["seed"]): cell for cell in cells}
    lines = [
        (
            variant,
            *(
                f"{one['float_rmse_bw']:.5f} → {one['int8_rmse_bw']:.5f}"
                for one in (found[variant, seed] for seed in seeds)
            ),
        )
        for variant in dict.fromkeys(cell["variant"] for cell in cells)
    ]
    return table(("variant", *(f"seed {seed}: float → int8, BW" for seed in seeds)), lines)


if __name__ == "__main__":
    main()
