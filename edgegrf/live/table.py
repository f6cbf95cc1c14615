# SPDX-License-Identifier: Apache-2.0
"""A live stream's record as lines that a person reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgegrf.bench.summary import grouped

__all__ = ["facts", "warnings"]


def facts(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(what, value with its unit) of what one looks for first."""
    lines = [
        ("samples", f"{grouped(record['samples'])} in {record['seconds']:.1f} s at {record['rate_hz']:g} Hz"),
        ("missing", grouped(record["missing"])),
    ]
    if record["lost_on_board"] is not None:
        lines += [
            ("lost on the board", grouped(record["lost_on_board"])),
            ("missed deadlines", grouped(record["missed_deadlines"])),
            (
                "jitter of the sample clock",
                f"mean {grouped(record['jitter_mean_ns'])} ns, largest {grouped(record['jitter_max_ns'])} ns"
                + (", simulated" if record["virtual"] or record["native"] else ""),
            ),
            ("largest latency, first conversion to estimate", f"{grouped(record['latency_max_us'])} µs"),
        ]
    if record["cycles"]:
        cycles, hz = record["cycles"], record["clock_hz"]
        took = f" = {1e6 * cycles['p50'] / hz:.1f} µs" if hz else ""
        note = ", an estimate" if record["virtual"] else ""
        lines.append(
            ("cycles per sample", f"p50 {grouped(cycles['p50'])}{took}, max {grouped(cycles['max'])}{note}")
        )
    if record["proof"]:
        proof = record["proof"]
        compared = proof["estimates_compared"] + proof["pressure_compared"]
        different = proof["estimates_different"] + proof["pressure_different"]
        lines.append(("differ from the host's", f"{grouped(different)} of {grouped(compared)} values"))
    return lines


def warnings(record: Mapping[str, Any]) -> list[str]:
    """What a person should know before they believe the stream."""
    notes = list(record["restarts"])
    if record["virtual"] or record["native"]:
        kind = "an emulated board, whose times are estimates" if record["virtual"] else "a process, no board"
        notes.append(f"{kind}; its insole is simulated")
    if record["broken"]:
        notes.append(record["broken"])
    if not record["calibrated"]:
        notes.append("not calibrated: loads and estimates are of the board's default; edgegrf calibrate")
    if record["off_rate"]:
        notes.append("not the rate that the model was made for: its estimates mean little")
    for kind, what in (("open", "not connected"), ("saturated", "saturated")):
        for name, count in record[kind].items():
            notes.append(f"sensor {name} {what} in {grouped(count)} of {grouped(record['samples'])} samples")
    if record["stuck_samples"]:
        notes.append(f"the ADC was stuck for {grouped(record['stuck_samples'])} samples: no count changed")
    if record["silent_times"]:
        notes.append(f"the ADC was silent {record['silent_times']} times: no scan was completed")
    return notes
