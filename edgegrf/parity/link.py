# SPDX-License-Identifier: Apache-2.0
"""One link of the chain of proof: two things that must agree, and how far they did."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["INCREASE", "LARGEST", "LinkResult"]

#: what a tolerance is of
LARGEST, INCREASE = "largest difference", "relative increase of RMSE"


@dataclass(frozen=True)
class LinkResult:
    """How `source` and `target` compared on `outputs` numbers.

    Integer links have `max_lsb`; float links have `max_abs` in `unit`.  `tolerance` is what was allowed of
    `tolerance_of`: of the largest difference (0 LSB for integer links), or of `increase`, the relative
    increase of the RMSE.  `mismatches` counts the outputs outside it.  `oddities` are the walks', a line
    each; they are no part of the record.
    """

    source: str  # torch, onnx, tflm, c-host...
    target: str
    mode: str  # window, stream
    outputs: int
    mismatches: int
    max_lsb: int | None = None
    max_abs: float | None = None
    tolerance: float = 0.0
    tolerance_of: str = LARGEST
    increase: float | None = None
    unit: str = "LSB"
    note: str = ""
    oddities: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """True if something was compared and nothing was outside the tolerance."""
        return self.outputs > 0 and self.mismatches == 0

    def as_json(self) -> dict[str, Any]:
        """The record printed by `edgegrf verify --json`."""
        record = {"from": self.source, "to": self.target, "ok": self.ok, **asdict(self)}
        del record["source"], record["target"], record["oddities"]
        return {key: value for key, value in record.items() if value not in (None, "")}
