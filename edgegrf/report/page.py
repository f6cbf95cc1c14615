# SPDX-License-Identifier: Apache-2.0
"""The page: a bench's record, its figures and its tables in one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from edgegrf.bench.result import SCHEMA
from edgegrf.bench.summary import SECTIONS, duration, grouped, headline, rows, time_note
from edgegrf.errors import DataError
from edgegrf.files import write_file
from edgegrf.report import plots
from edgegrf.report.layout import render

__all__ = ["write_report"]

#: title, what it shows, the function that draws it, what it needs of the record's figures
_FIGURES: tuple[tuple[str, str, Callable[[Mapping[str, Any]], str], tuple[str, ...]], ...] = (
    ("A few strides", "{force}", plots.trace, ("trace",)),
    ("Agreement", "{shown} of {of} estimates shown. {force}", plots.agreement, ("trace", "pairs")),
    ("Latency", "{time}", plots.latency, ("cycles",)),
    ("Error by walk", "{force}", plots.error_by_walk, ("pairs",)),
)

_MEASURED = "Measured on the board by its cycle counter, the serial link not included."
_HOST_TIME = "Times are of this computer, with sanitizers in the program: they say nothing about a board."


def write_report(record: Mapping[str, Any], path: Path) -> None:
    """Write the report of a bench's record (BenchResult.record(), bench.json) to `path`.

    Raises DataError when it is no such record, MissingToolError without matplotlib, OutputError.
    """
    if record.get("schema") != SCHEMA or "figures" not in record:
        raise DataError(
            "this is no bench record that the report can read",
            why=f"its schema is {record.get('schema')!r}, not {SCHEMA}",
            fix="run edgegrf bench -o bench.json again",
        )
    page = render(
        Path(__file__).with_name("bench.html.j2"),
        record=record,
        headline=headline(record),
        cards=_cards(record),
        sections=[(section, rows(record, section)) for section in SECTIONS],
        figures=_figures(record),
        provenance=_provenance(record),
        warnings=_warnings(record),
    )
    write_file(path, page)


def _figures(record: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    drawn = []
    pairs = record["figures"].get("pairs", {"estimate": (), "of": 0})
    notes = {
        "force": _force(record),
        "time": _time(record),
        "shown": grouped(len(pairs["estimate"])),
        "of": grouped(pairs["of"]),
    }
    for title, note, draw, needs in _FIGURES:
        if draw is plots.latency and _always_the_same(record):
            every = f"Every inference took {grouped(record['cycles']['max'])} cycles. "
            drawn.append((title, every + notes["time"], ""))
        elif all(record["figures"].get(key) for key in needs):
            drawn.append((title, note.format(**notes), draw(record)))
    return drawn


def _time(record: Mapping[str, Any]) -> str:
    """What the page's times are."""
    if record["virtual"]:
        return f"The board is emulated; cycles and times are an {record['cycles_are']}."
    return _MEASURED if time_note(record) == "measured" else _HOST_TIME


def _always_the_same(record: Mapping[str, Any]) -> bool:
    return len(record["figures"]["cycles"].get("counts", ())) == 1


def _force(record: Mapping[str, Any]) -> str:
    source = record["data"]["force_source"]
    return f"Reference: {source}." if source else ""


def _cards(record: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(label, value, note) of the four figures that one looks for first."""
    parity, memory, accuracy = record["parity"], record["memory"], record["accuracy"]
    cards = []
    if record["latency_us"]:
        of = "sample" if record["mode"] == "stream" else "window"
        cards.append((f"per {of}, p99", duration(record["latency_us"]["p99"]), time_note(record)))
    if "rmse_bw" in accuracy:
        cards.append(
            ("RMSE", f"{accuracy['rmse_bw']:.4f} BW", f"{accuracy['rmse_n']:.1f} N, r {accuracy['r']:.3f}")
        )
    cards.append(
        (
            "different from the host",
            str(parity["mismatches"]),
            f"of {grouped(parity['compared'])} estimates",
        )
    )
    if memory["flash_bytes"]:
        cards.append(
            ("flash", f"{memory['flash_bytes'] / 1024:.1f} KiB", f"RAM {memory['ram_bytes'] / 1024:.1f} KiB")
        )
    return cards


def _warnings(record: Mapping[str, Any]) -> list[str]:
    found = []
    if record["partial"]:
        found.append("Partial: the bench was interrupted; the figures are of what was measured until then.")
    if record["parity"]["mismatches"]:
        found.append("The board's estimates differ from the host's: nothing below can be trusted.")
    if record["data"]["synthetic"]:
        found.append("Synthetic: the walks come from a model of walking, not from people.")
    if record["virtual"]:
        found.append("Estimate: " + _time(record))
    if record["data"]["clipped_inputs"]:
        found.append(
            f"{record['data']['clipped_inputs']} input values were beyond the model's range and clipped."
        )
    return found


def _provenance(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    made, data = record["provenance"], record["data"]
    subjects = ", ".join(data["subjects"][:12]) + (" ..." if len(data["subjects"]) > 12 else "")
    return [
        ("command", made["command"]),
        ("edgegrf", made["edgegrf"]),
        ("model", f"{made['model']}, SHA-256 {record['model_sha256']}"),
        ("inputs", ", ".join(made["sensors"][:16]) + (" ..." if len(made["sensors"]) > 16 else "")),
        ("outputs", ", ".join(made["outputs"])),
        ("firmware", f"{made['firmware_version']}, SHA-256 {made['firmware_sha256']}"),
        ("walks", f"{data['source']}: {data['walks']} walks, {data['trials']} feet"),
        ("subjects", f"{len(data['subjects'])}: {subjects}"),
        ("sample rate", f"{data['sample_rate_hz']:g} Hz"),
        ("not counted", f"the first {data['warmup_samples']} samples of each walk"),
    ]
