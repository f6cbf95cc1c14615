# SPDX-License-Identifier: Apache-2.0
"""A bench as a person reads it: rows of (what, value with its unit), for the terminal and the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from edgegrf.bench.energy import rows_of

__all__ = ["SECTIONS", "duration", "grouped", "headline", "rows", "time_note"]

#: the parts of a bench, in the order they are shown
SECTIONS = ("latency", "accuracy", "parity", "memory", "energy", "link")

#: accuracy key -> (label, factor, format with unit)
_ACCURACY = {
    "rmse_bw": ("RMSE", 1.0, "{:.4f} BW"),
    "rmse_n": ("RMSE", 1.0, "{:.1f} N"),
    "nrmse": ("nRMSE", 100.0, "{:.2f} % of the range"),
    "range_bw": ("range of the reference", 1.0, "{:.2f} BW"),
    "stance_rmse_bw": ("RMSE in stance", 1.0, "{:.4f} BW"),
    "r": ("r", 1.0, "{:.4f}"),
    "r2": ("R²", 1.0, "{:.4f}"),
    "r2_unseen": ("R² of the part without a sensor", 1.0, "{:.4f}"),
    "bias_bw": ("bias", 1.0, "{:+.4f} BW"),
    "loa_low_bw": ("95 % limit of agreement, low", 1.0, "{:+.3f} BW"),
    "loa_high_bw": ("95 % limit of agreement, high", 1.0, "{:+.3f} BW"),
    "peak1_error_bw": ("first peak, mean absolute error", 1.0, "{:.3f} BW"),
    "peak2_error_bw": ("second peak, mean absolute error", 1.0, "{:.3f} BW"),
    "impulse_error": ("impulse, mean absolute error", 100.0, "{:.1f} %"),
    "contact_time_error_ms": ("contact time, mean absolute error", 1.0, "{:.1f} ms"),
    "heel_strike_error_ms": ("heel strike, mean absolute error", 1.0, "{:.1f} ms"),
    "toe_off_error_ms": ("toe off, mean absolute error", 1.0, "{:.1f} ms"),
    "stances": ("stances", 1.0, "{:.0f}"),
    "threshold_n": ("contact threshold", 1.0, "{:.0f} N"),
}


def grouped(value: int) -> str:
    """A count with its thousands set apart: "447 854"."""
    return f"{value:,}".replace(",", " ")


def duration(microseconds: float) -> str:
    """A time in µs or, from 10 ms on, in ms."""
    return f"{microseconds:.1f} µs" if microseconds < 1e4 else f"{microseconds / 1e3:.1f} ms"


def headline(record: Mapping[str, Any]) -> str:
    """What was measured on what: one line."""
    data = record["data"]
    kind = "synthetic walk" if data["synthetic"] else "walk"
    walks = f"{data['walks']} {kind}{'' if data['walks'] == 1 else 's'}"
    board = record["board"] + (" (virtual)" if record["virtual"] else "")
    partial = ", PARTIAL: interrupted" if record.get("partial") else ""
    how = f"engine {record['engine']}, {record['mode']} mode"
    return f"{board}, {how}, {walks}, {grouped(record['samples'])} samples{partial}"


def time_note(record: Mapping[str, Any]) -> str:
    """What kind of number the times are: an estimate, this computer's, or measured on the board."""
    if record["virtual"]:
        return "estimate"
    return "this computer, under sanitizers" if record["board"] == "native" else "measured"


def rows(record: Mapping[str, Any], section: str) -> list[tuple[str, str]]:
    """The rows of one of SECTIONS, from a bench's record."""
    return _SECTIONS[section](record)


def _latency(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    of = "sample" if record["mode"] == "stream" else "window"
    unit = "ns" if record["board"] == "native" else "cycles"
    note = time_note(record)
    if not record["cycles"]:
        return [(f"per {of}", "unknown: the board has no cycle counter")]
    found = [
        (f"per {of}, {name}", f"{grouped(value)} {unit} = {duration(record['latency_us'][name])} ({note})")
        for name, value in record["cycles"].items()
    ]
    if unit == "cycles":
        found.append(("clock", f"{record['clock_hz'] / 1e6:g} MHz"))
    return [*found, ("cycles and times", record["cycles_are"])] if record["virtual"] else found


def _accuracy(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    accuracy, source = record["accuracy"], record["data"]["force_source"]
    if "rmse_bw" not in accuracy:
        short = f"no walk goes on after the {record['data']['warmup_samples']} samples that do not count"
        missing = short if source else "the walks have no reference force"
        return [("accuracy", f"unknown: {missing}")]
    found = []
    for key, value in accuracy.items():
        name, _, output = key.partition(":")
        if name in _ACCURACY:
            label, factor, form = _ACCURACY[name]
            found.append((f"{label}, {output}" if output else label, form.format(value * factor)))
    return [*found, ("reference force", source or "not stated")]


def _parity(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    parity = record["parity"]
    return [
        ("estimates compared with the host's", grouped(parity["compared"])),
        ("different", grouped(parity["mismatches"])),
        ("largest difference", f"{parity['max_lsb']} LSB"),
    ]


def _memory(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    labels = {"flash_bytes": "flash", "ram_bytes": "RAM, static", "stack_bytes": "stack, deepest"}
    return [
        (label, "unknown" if record["memory"][key] is None else f"{grouped(record['memory'][key])} B")
        for key, label in labels.items()
    ]


def _link(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    labels = {
        "frames": "frames", "crc_errors": "damaged frames", "retries": "requests sent again",
        "lost": "requests lost",
    }  # fmt: skip
    return [(label, grouped(record["link"][key])) for key, label in labels.items()]


_SECTIONS: dict[str, Callable[[Mapping[str, Any]], list[tuple[str, str]]]] = {
    "latency": _latency,
    "accuracy": _accuracy,
    "parity": _parity,
    "memory": _memory,
    "energy": lambda record: rows_of(record.get("energy", {})),
    "link": _link,
}
