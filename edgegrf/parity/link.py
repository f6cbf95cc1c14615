# SPDX-License-Identifier: Apache-2.0
"""One link of the chain of proof: two things that must agree, and how far they did."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["LinkResult"]


@dataclass(frozen=True)
class LinkResult:
    """How `source` and `target` compared on `outputs` numbers.

    Integer links have `max_lsb`; float links have `max_abs` with its `unit` and the `tolerance` that was
    allowed.  `mismatches` counts the outputs outside the tolerance (0 LSB for integer links).
    """

    source: str  # torch, onnx, tflm, c-host...
    target: str
    mode: str  # window, stream
    outputs: int
    mismatches: int
    max_lsb: int | None = None
    max_abs: float | None = None
    tolerance: float = 0.0
    unit: str = "LSB"
    note: str = ""

    @property
    def ok(self) -> bool:
        """True if something was compared and nothing was outside the tolerance."""
        return self.outputs > 0 and self.mismatches == 0

    def as_json(self) -> dict[str, Any]:
        """The record printed by `edgegrf verify --json`."""
        record = {"from": self.source, "to": self.target, "ok": self.ok, **asdict(self)}
        del record["source"], record["target"]
        return {key: value for key, value in record.items() if value not in (None, "")}
