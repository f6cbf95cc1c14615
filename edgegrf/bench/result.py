# SPDX-License-Identifier: Apache-2.0
"""What a bench found, as a record for programs (bench.json) and as the material of a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edgegrf.virtual import error_band

__all__ = ["SCHEMA", "BenchResult"]

SCHEMA = 1

#: the keys of `edgegrf bench --json`, in their order
_SUMMARY = (
    "board", "virtual", "engine", "mode", "model_sha256", "clock_hz", "samples", "cycles", "latency_us",
    "cycles_are",
    "parity", "accuracy", "memory", "energy", "link", "data",
)  # fmt: skip


@dataclass(frozen=True)
class BenchResult:
    """One bench; times are of one inference (a sample in stream mode, a window in window mode).

    On a virtual board cycles, and the microseconds that follow from them, are an estimate; on the native
    one they are nanoseconds of this computer.  Keys: cycles and latency_us {p50, p90, p99, max}; parity
    {compared, mismatches, max_lsb}; accuracy as in gait/metrics.py; memory {flash_bytes, ram_bytes,
    stack_bytes}, None where the board cannot know; energy as in bench/energy.py; link {frames, crc_errors,
    retries, lost, ...}; data {source, walks, subjects, synthetic, ...}.  `walks`, `figures` and `provenance`
    are for the report.
    """

    board: str
    virtual: bool
    engine: str
    mode: str
    model_sha256: str
    clock_hz: int
    samples: int
    cycles: Mapping[str, int]
    latency_us: Mapping[str, float]
    parity: Mapping[str, int]
    accuracy: Mapping[str, float]
    memory: Mapping[str, int | None]
    link: Mapping[str, int]
    data: Mapping[str, Any]
    energy: Mapping[str, Any] = field(default_factory=dict)
    walks: tuple[Mapping[str, Any], ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    partial: bool = False

    @property
    def ok(self) -> bool:
        """True if estimates were compared with the host's and all were equal."""
        return self.parity["compared"] > 0 and self.parity["mismatches"] == 0

    @property
    def cycles_are(self) -> str:
        """What kind of number the cycles and times are."""
        if self.virtual:
            return error_band(self.board)
        return "nanoseconds of this computer, under sanitizers" if self.native else "measured on the board"

    @property
    def native(self) -> bool:
        """True when the board was a process of this computer."""
        return bool(self.provenance.get("native"))

    def summary(self) -> dict[str, Any]:
        """The record of `--json`; `partial` is there only when it is so."""
        record: dict[str, Any] = {key: _plain(getattr(self, key)) for key in _SUMMARY}
        return record | ({"partial": True} if self.partial else {})

    def record(self) -> dict[str, Any]:
        """The whole of it, as bench.json holds it and the report reads it."""
        return {
            "schema": SCHEMA,
            **self.summary(),
            "partial": self.partial,
            "walks": [dict(walk) for walk in self.walks],
            "figures": dict(self.figures),
            "provenance": dict(self.provenance),
        }


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value
