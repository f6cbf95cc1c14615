# SPDX-License-Identifier: Apache-2.0
"""`make bench-kernels`: every model on the virtual boards, beside TFLM + CMSIS-NN, as JSON and as tables.

The reference nets lie beside the checkout, in ../shared/data/reference_nets; without them nothing is
written, as the pages speak of them.  The figures are counts, not times of this computer: the same sources
and compiler give the same file.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.layers import measure_layers, table_of_layers
from benchmarks.marks import fill, table
from edgegrf.bench.summary import grouped
from edgegrf.boards import board
from edgegrf.errors import CheckFailedError
from edgegrf.files import write_file
from edgegrf.graph.reader import read_tflite
from edgegrf.profile import run_profile
from edgegrf.resources import MODEL_FILE, shipped_file, shipped_students
from edgegrf.virtual import error_band

__all__ = ["against_baseline", "main", "measure", "models", "modes"]

ROOT = Path(__file__).parents[1]
README, RESULTS = ROOT / "README.md", ROOT / "docs" / "results.md"
BASELINE, KERNELS = Path(__file__).with_name("baseline.json"), Path(__file__).with_name("kernels.json")
BOARD, OTHER = "nrf52840dk", "esp32c3"
REFERENCE_NETS = ("conv", "ds")

_KEYS = (
    "model", "mode", "instructions", "cycles", "macs", "cycles_per_mac", "flash_bytes", "ram_bytes",
    "io_bytes", "image_flash_bytes", "mismatches", "compared", "model_sha256",
)  # fmt: skip

Row = Mapping[str, Any]


def main() -> int:
    """Measure, write kernels.json, fill the pages; 0 also where there are no reference nets to measure."""
    folder = ROOT.parent / "shared" / "data" / "reference_nets"
    if not all((folder / f"{net}.tflite").is_file() for net in REFERENCE_NETS):
        print("bench-kernels skipped: no reference nets beside the checkout", file=sys.stderr)
        return 0
    chosen = models(folder)
    other = measure(chosen, OTHER)
    record = measure(chosen) | {"layers": measure_layers(BOARD), "others": [other]}
    baseline = json.loads(BASELINE.read_text())
    write_file(KERNELS, json.dumps(record, indent=1) + "\n")
    fill(README, "table:kernels", against_baseline(record["models"], baseline))
    fill(RESULTS, "table:kernels", against_baseline(record["models"], baseline))
    fill(RESULTS, "table:models", _all(record))
    fill(RESULTS, "table:esp32c3", _all(other))
    fill(RESULTS, "table:layers", table_of_layers(record["layers"]))
    wrong = [row["model"] for row in (*record["models"], *other["models"]) if row["mismatches"]]
    wrong += [row["layer"] for row in record["layers"] if row["mismatches"]]
    if wrong:
        raise CheckFailedError(f"estimates differ from the host's: {', '.join(wrong)}")
    return 0


def models(reference_nets: Path) -> dict[str, Path]:
    """Name -> int8 `.tflite`: the reference nets, then the shipped students."""
    nets = {net: reference_nets / f"{net}.tflite" for net in REFERENCE_NETS}
    return nets | {name: shipped_file(name, MODEL_FILE) for name in shipped_students()}


def measure(chosen: Mapping[str, Path], target: str = BOARD) -> dict[str, Any]:
    """The profile of each model in each of its modes on the virtual `target`, without its layers."""
    rows: list[dict[str, Any]] = []
    compiler = ""
    for name, path in chosen.items():
        for mode in modes(path):
            print(f"{target}: {name}, {mode}", file=sys.stderr)
            profile = run_profile(path, board(target), mode, name=name)
            compiler = profile.compiler
            found = profile.record()
            rows.append({key: found[key] for key in _KEYS})
    return {"board": target, "compiler": compiler, "cycles_are": error_band(target), "models": rows}


def modes(tflite: Path) -> Iterator[str]:
    """The modes that a model has."""
    from edgegrf.compiler.planning import make_plan

    plan = make_plan(read_tflite(tflite.read_bytes()))
    if plan.window:
        yield "window"
    if plan.stream:
        yield "stream"


def against_baseline(rows: Sequence[Row], baseline: Mapping[str, Any]) -> str:
    """The reference nets, beside TFLM with CMSIS-NN; a sample in stream mode beside a window again."""
    columns = (
        "net", "engine", "instructions", "per MAC", "cycles (est.)", "flash, B (whole image)", "RAM, B",
    )  # fmt: skip
    lines: list[tuple[object, ...]] = []
    for net, known in baseline["nets"].items():
        for label, key in (("TFLM reference kernels", "reference"), ("TFLM + CMSIS-NN", "cmsis_nn")):
            was = known[key]
            lines.append(
                (
                    net, f"{label}, window", _millions(was["instructions"]),
                    f"{was['instructions'] / known['macs']:.2f}", f"{_millions(was['cycles'])} ¹",
                    grouped(was["flash_bytes"]), grouped(was["arena_bytes"]),
                )
            )  # fmt: skip
        lines.extend(_beside(net, row) for row in rows if row["model"] == net)
    return (
        table(columns, lines) + "\n\nRAM holds input and output. ¹ by the manual's table alone, "
        f"without the stalls that this project's cycle model adds.\nThe other cycles: {error_band(BOARD)}."
    )


def _millions(count: int) -> str:
    """As precise as the baseline is known."""
    return f"{count / 1e6:g} M"


def _beside(net: str, row: Row) -> tuple[object, ...]:
    return (
        net, f"**edgegrf, {'window' if row['mode'] == 'window' else 'per sample'}**",
        grouped(row["instructions"]), f"{row['instructions'] / row['macs']:.2f}", grouped(row["cycles"]),
        grouped(row["image_flash_bytes"]), grouped(row["ram_bytes"] + row["io_bytes"]),
    )  # fmt: skip


def _all(record: Mapping[str, Any]) -> str:
    columns = (
        "model", "mode", "MACs", "instructions", "cycles (est.)", "cycles per MAC (est.)",
        "flash of the model, B", "RAM of the model, B", "different",
    )  # fmt: skip
    lines = [
        (
            row["model"], row["mode"], grouped(row["macs"]), grouped(row["instructions"]),
            grouped(row["cycles"]), f"{row['cycles_per_mac']:.2f}", grouped(row["flash_bytes"]),
            grouped(row["ram_bytes"]), f"{row['mismatches']} of {grouped(row['compared'])}",
        )
        for row in record["models"]
    ]  # fmt: skip
    return table(columns, lines) + f"\n\nCompiler: {record['compiler']}. Cycles: {record['cycles_are']}."


if __name__ == "__main__":
    sys.exit(main())
