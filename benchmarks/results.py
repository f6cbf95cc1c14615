# SPDX-License-Identifier: Apache-2.0
"""`make results`: measure again and write the tables of README.md and docs/.

Trainings that take hours are not repeated: their tables come from the committed JSON of their own targets.

Needs real walks (EDGEGRF_DATA, or `edgegrf data fetch gaitpdb`): a table of synthetic ones would not be the
one that the pages speak of.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import crossvalidation, distillation, taught
from benchmarks.marks import fill, table
from edgegrf.bench.summary import duration, grouped
from edgegrf.errors import DataError
from edgegrf.gait.readers import default_data
from edgegrf.manifest import Manifest
from edgegrf.process import run
from edgegrf.resources import MODEL_FILE, shipped_file, shipped_students

ROOT = Path(__file__).parents[1]
README, RESULTS = ROOT / "README.md", ROOT / "docs" / "results.md"

#: walks of the bench; a window-only network is run on fewer, as it costs a thousand times more
_WALKS, _WINDOW_WALKS = 20, 1


_FOOTNOTES = (
    "¹ Both on the same held-out pieces of walks (`edgegrf export`). ² The int8 estimates of the virtual "
    "board over whole walks (`edgegrf bench`): other samples, so another figure."
)


@dataclass(frozen=True)
class Measured:
    """One shipped student: what its manifests say and what the virtual board gave."""

    name: str
    checkpoint: Manifest
    tflite: Manifest
    bench: dict[str, Any]


def main() -> None:
    """Measure, then fill the pages."""
    if default_data() is None:
        raise DataError("no real walks", fix="edgegrf data fetch gaitpdb, or set EDGEGRF_DATA")
    students = [_measure(name) for name in shipped_students()]
    fill(README, "table:students", _students(students))
    fill(RESULTS, "table:students", _students(students))
    fill(RESULTS, "table:accuracy", _accuracy(students))
    fill(RESULTS, "table:verify", _verify())
    distillation.write_pages()
    taught.write_pages()
    crossvalidation.write_pages()
    for name, arguments in _OUTPUTS.items():
        fill(README, f"output:{name}", _indented(_edgegrf(*arguments)))


#: the commands whose output README.md shows
_OUTPUTS = {
    "export": ("export", "--quantize", "int8"),
    "verify": ("verify",),
    "bench": ("bench", "--port", "virtual:nrf52840dk"),
}


def _edgegrf(*arguments: str) -> str:
    print("edgegrf", *arguments, file=sys.stderr)
    program = Path(sys.executable).with_name("edgegrf")
    return run(
        [str(program), *arguments], cwd=ROOT, env={**os.environ, "NO_COLOR": "1"}, timeout_s=3600
    ).stdout


def _measure(name: str) -> Measured:
    checkpoint = Manifest.read(shipped_file(name, "student.pt"))
    path = shipped_file(name, MODEL_FILE)
    tflite = Manifest.read(path)
    assert checkpoint.interface is not None
    walks = _WINDOW_WALKS if checkpoint.interface.lookahead < 0 else _WALKS
    arguments = ("--model", str(path), "--port", "virtual:nrf52840dk", "--walks", str(walks), "--json")
    return Measured(name, checkpoint, tflite, json.loads(_edgegrf("bench", *arguments)))


def _students(students: list[Measured]) -> str:
    columns = (
        "student", "parameters", "int8 model, B", "RMSE float → int8, BW ¹", "RMSE on the board, BW ²",
        "in N ²", "walks ²", "cycles (est.)", "time at 64 MHz (est.)", "flash, B", "RAM, B",
    )  # fmt: skip
    rows = []
    for one in students:
        bench, accuracy, both = one.bench, one.bench["accuracy"], one.tflite.metrics
        of = "sample" if bench["mode"] == "stream" else "window"
        rows.append(
            (
                one.name,
                one.checkpoint.model["parameters"],
                shipped_file(one.name, MODEL_FILE).stat().st_size,
                f"{both['float_rmse_bw']:.4f} → {both['int8_rmse_bw']:.4f}",
                f"{accuracy['rmse_bw']:.4f}",
                f"{accuracy['rmse_n']:.1f}",
                f"{bench['data']['walks']}{' synthetic' if bench['data']['synthetic'] else ''}",
                f"{_typical(bench['cycles'], grouped)} / {of}",
                f"{_typical(bench['latency_us'], duration)} / {of}",
                grouped(bench["memory"]["flash_bytes"]),
                grouped(bench["memory"]["ram_bytes"]),
            )
        )
    return table(columns, rows) + "\n\n" + _FOOTNOTES


def _typical(spread: Mapping[str, float], told: Callable[[Any], str]) -> str:
    """The median, and the largest where a strided layer makes some samples cost more than others."""
    median, largest = spread["p50"], spread["max"]
    return told(median) + (f", at most {told(largest)}" if largest > 1.1 * median else "")


def _accuracy(students: list[Measured]) -> str:
    keys = {
        "rmse_bw": "RMSE, BW",
        "nrmse": "nRMSE of the range",
        "r": "r",
        "r2": "R²",
        "r2_unseen": "R² unseen",
        "peak1_error_bw": "peak 1, BW",
        "peak2_error_bw": "peak 2, BW",
        "contact_time_error_ms": "contact, ms",
        "heel_strike_error_ms": "heel strike, ms",
        "toe_off_error_ms": "toe off, ms",
    }
    rows = [
        (one.name, *(f"{found[key]:.4g}" if key in found else "-" for key in keys))
        for one, found in ((one, one.bench["accuracy"]) for one in students)
    ]
    return table(("student", *keys.values()), rows)


def _verify() -> str:
    record = json.loads(_edgegrf("verify", "--all", "--outputs", "20000", "--json"))
    rows = [
        (
            model["model"],
            f"{link['from']} → {link['to']}",
            link["mode"],
            link["outputs"],
            link["mismatches"],
            _difference(link),
        )
        for model in record["models"]
        for link in model["links"]
    ]
    return table(("student", "link", "mode", "estimates", "outside", "difference"), rows)


def _difference(link: dict[str, Any]) -> str:
    if "increase" in link:
        return f"RMSE {100 * link['increase']:+.1f} %"
    return f"{link['max_lsb']} LSB" if "max_lsb" in link else f"{link['max_abs']:.2g} {link['unit']}"


def _indented(text: str) -> str:
    return "\n".join(("    " + line).rstrip() for line in text.splitlines())


if __name__ == "__main__":
    main()
