# SPDX-License-Identifier: Apache-2.0
"""`make crossvalidation`: the shipped students in five folds by subject; JSON, a table, the models' cards.

benchmarks/crossvalidation.toml says what is trained.  Everyone is held out once; what counts is each
subject's own RMSE, since subjects are what is independent.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.marks import fill, table
from benchmarks.sweeps import cells_of, measured, outcome
from edgegrf.distill.card import add_cross_validation
from edgegrf.resources import shipped_file, shipped_students

__all__ = ["main", "write_pages"]

_PAGE = Path(__file__).parents[1] / "docs" / "results.md"
_MODELS = Path(__file__).parents[1] / "models"

Row = Mapping[str, Any]


def main() -> None:
    """Train, write crossvalidation.json, the table and the cards."""
    measured("crossvalidation")
    write_pages()


def write_pages() -> None:
    """The table of docs/results.md and the shipped students' cards, from crossvalidation.json."""
    record = outcome("crossvalidation")
    fill(_PAGE, "table:crossvalidation", _students(record))
    for row in record["summary"]:
        if (_MODELS / row["student"]).is_dir():
            add_cross_validation(shipped_file(row["student"], "student.pt"), _figures(record, row))


def _figures(record: Row, row: Row) -> dict[str, Any]:
    """What a card tells: folds, epochs, and for float and int8 the mean over subjects with its interval."""
    cell = cells_of(record, row)[0]
    return {
        "folds": record["folds"],
        "recipe": row["recipe"],
        "epochs": cell["epochs"],
        **{kind: row[kind]["over_subjects"] for kind in ("float", "int8")},
        "fold_spread_bw": row["int8"]["spread_bw"],
    }


def _students(record: Row) -> str:
    columns = (
        "student", "parameters", "recipe", "epochs", "subjects", "float, BW", "95 % interval", "int8, BW",
        "95 % interval", "int8 pooled, each fold, BW", "mean ± spread of the folds, BW",
    )  # fmt: skip
    lines = []
    for row in record["summary"]:
        cells = cells_of(record, row)
        over = [row[kind]["over_subjects"] for kind in ("float", "int8")]
        lines.append(
            (
                row["student"], row["parameters"], row["recipe"], cells[0]["epochs"], over[1]["subjects"],
                *(part for one in over for part in (f"**{one['mean_bw']:.4f}**", _interval(one))),
                ", ".join(f"{cell['int8_rmse_bw']:.4f}" for cell in cells),
                f"{row['int8']['mean_bw']:.4f} ± {row['int8']['spread_bw']:.4f}",
            )
        )  # fmt: skip
    absent = sorted(set(shipped_students()) - {row["student"] for row in record["summary"]})
    left = f"\n\nNot cross-validated: {', '.join(absent)}." if absent else ""
    return table(columns, lines) + left


def _interval(one: Row) -> str:
    return f"{one['low_bw']:.4f} to {one['high_bw']:.4f}"


if __name__ == "__main__":
    main()
