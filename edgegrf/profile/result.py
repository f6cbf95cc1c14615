# SPDX-License-Identifier: Apache-2.0
"""A profile as a record: what each layer costs, and the sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from edgegrf.virtual import error_band

__all__ = ["LayerCost", "Profile", "apportion"]


@dataclass(frozen=True)
class LayerCost:
    """One layer's part of an inference (window) or of a sample (stream); cycles are estimates.

    `outputs` are the values that it makes, `flash_bytes` its constants, `ram_bytes` what it keeps
    between samples, its output and its scratch: layers share those bytes.
    """

    name: str
    kind: str
    place: str
    outputs: int
    instructions: int
    cycles: int
    macs: int
    flash_reads: int
    flash_bytes: int
    ram_bytes: int


@dataclass(frozen=True)
class Profile:
    """A model on a virtual board, layer by layer; counts are per inference (window) or per sample (stream).

    The last of `layers` is what lies between them: calls, states, and the code that they share.  The counts
    and the flash of `layers` add up to the totals.  `ram_bytes` are the model's buffers as linked, without
    the caller's input and output, which are `io_bytes`; `image_flash_bytes` are those of the whole firmware.
    """

    model: str
    model_sha256: str
    board: str
    clock_hz: int
    mode: str
    compiler: str
    runs: int  # inferences or samples that were averaged
    layers: tuple[LayerCost, ...]
    ram_bytes: int
    io_bytes: int
    image_flash_bytes: int
    compared: int
    mismatches: int
    max_lsb: int
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def instructions(self) -> int:
        return sum(layer.instructions for layer in self.layers)

    @property
    def cycles(self) -> int:
        return sum(layer.cycles for layer in self.layers)

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers)

    @property
    def flash_bytes(self) -> int:
        return sum(layer.flash_bytes for layer in self.layers)

    @property
    def microseconds(self) -> float:
        return 1e6 * self.cycles / self.clock_hz

    @property
    def of(self) -> str:
        """What one count is about: sample or window."""
        return "sample" if self.mode == "stream" else "window"

    def record(self) -> dict[str, Any]:
        """The record of `edgegrf profile --json`."""
        totals = ("instructions", "cycles", "macs", "flash_bytes", "ram_bytes", "mismatches")
        about = ("model", "model_sha256", "board", "clock_hz", "mode", "compiler", "runs", "io_bytes",
                 "image_flash_bytes", "compared", "max_lsb")  # fmt: skip
        return {
            **{key: getattr(self, key) for key in totals},
            "cycles_per_mac": _ratio(self.cycles, self.macs),
            "microseconds": round(self.microseconds, 2),
            "per": self.of,
            "cycles_are": error_band(self.board),
            **{key: getattr(self, key) for key in about},
            "layers": [self._row(layer) for layer in self.layers],
            "provenance": self.provenance,
        }

    def _row(self, layer: LayerCost) -> dict[str, Any]:
        return {
            **asdict(layer),
            "cycles_per_mac": _ratio(layer.cycles, layer.macs),
            "share": _ratio(layer.cycles, self.cycles),
        }


def _ratio(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None


def apportion(counts: Sequence[int], runs: int) -> list[int]:
    """Each count per run, rounded so that they add up to their sum per run, rounded."""
    total = round(sum(counts) / runs)
    parts = [count // runs for count in counts]
    behind = sorted(range(len(counts)), key=lambda index: -(counts[index] % runs))
    for index in behind[: total - sum(parts)]:
        parts[index] += 1
    return parts
