# SPDX-License-Identifier: Apache-2.0
"""What a live stream was, as a record: JSON, tables and the page are made of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgegrf import __version__
from edgegrf.bench.statistics import quantiles
from edgegrf.graph.affine import dequantize
from edgegrf.link.hello import Mode
from edgegrf.link.live_messages import Content, LiveFlag
from edgegrf.live.checking import Proof
from edgegrf.live.stream import Stream
from edgegrf.manifest import command_line

__all__ = ["summary"]


def summary(stream: Stream, proof: Proof | None = None) -> dict[str, Any]:
    """The record of a stream; units are in the names of the keys."""
    info, status = stream.hello, stream.status
    cycles = np.array([frame.cycles for frame in stream.frames if frame.cycles], np.uint32)
    flags = stream.frames[-1].flags if stream.frames else 0
    return {
        "board": info.board,
        "virtual": info.virtual,
        "native": info.native,
        "model": info.model,
        "model_sha256": info.model_sha256.hex(),
        "firmware_sha256": info.firmware_sha256.hex(),
        "clock_hz": info.clock_hz,
        "sensors": list(stream.names),
        "rows": stream.rows,
        "rate_hz": stream.rate_hz,
        "every": stream.terms.every,
        "content": [part.name.lower() for part in Content if part in stream.terms.content and part.name],
        "seconds": stream.total_seconds,
        "samples": sum(len(part.frames) for part in stream.parts()),
        "missing": stream.missing,
        "lost_on_board": status.lost if status else None,
        "missed_deadlines": status.missed if status else None,
        "jitter_max_ns": status.jitter_max_ns if status else None,
        "jitter_mean_ns": status.jitter_mean_ns if status else None,
        "latency_max_us": status.latency_max_us if status else None,
        "cycles": quantiles(cycles),
        "personalised": bool(info.modes & Mode.PERSONAL),
        "calibrated": not flags & LiveFlag.UNCALIBRATED,
        "calibration_generation": status.generation if status else None,
        "off_rate": bool(flags & LiveFlag.OFF_RATE),
        "open": dict(stream.faults["open"]),
        "saturated": dict(stream.faults["saturated"]),
        "stuck_samples": stream.stuck,
        "silent_times": stream.silent,
        "restarts": list(stream.restarts),
        "broken": stream.broken.what if stream.broken else None,
        "estimates": _estimates(stream),
        "proof": _proof(proof),
        "provenance": {"command": command_line(), "edgegrf": __version__, "firmware_version": info.version},
    }


def _estimates(stream: Stream) -> dict[str, Any]:
    values = stream.estimates()
    info = stream.hello
    force = dequantize(values, info.output_scale, info.output_zero_point)
    return {
        "count": len(values),
        "peak_bw": force.max(axis=0).tolist() if len(force) else [],
        "mean_bw": force.mean(axis=0).tolist() if len(force) else [],
    }


def _proof(proof: Proof | None) -> dict[str, Any] | None:
    if proof is None:
        return None
    return {
        "samples": proof.samples,
        "estimates_compared": proof.estimates.outputs,
        "estimates_different": proof.estimates.mismatches,
        "pressure_compared": proof.pressure.outputs if proof.pressure else 0,
        "pressure_different": proof.pressure.mismatches if proof.pressure else 0,
    }
