# SPDX-License-Identifier: Apache-2.0
"""Proof that a board's live estimates are the model's: the same counts through the same integers here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgegrf.errors import DataError
from edgegrf.link.calibration_record import CalibrationRecord
from edgegrf.link.live_messages import Content, ScanFacts
from edgegrf.live.conditioning import model_input
from edgegrf.live.stream import Stream
from edgegrf.parity.c_board import Host, compare
from edgegrf.parity.link import LinkResult

__all__ = ["Proof", "prove"]


@dataclass(frozen=True)
class Proof:
    """Values compared and different: pressure (where raw counts came) and estimates, of `samples` samples."""

    samples: int
    pressure: LinkResult | None
    estimates: LinkResult

    @property
    def mismatches(self) -> int:
        """Of both."""
        return self.estimates.mismatches + (self.pressure.mismatches if self.pressure else 0)


def prove(
    stream: Stream,
    host: Host,
    facts: ScanFacts,
    calibration: CalibrationRecord,
    gains: Sequence[int] = (),
) -> Proof:
    """Compare what came, up to the first missing sample, with the host's own computation, bit for bit.

    `gains` are the wearer's, of each sensor, times 4096.

    Raises DataError when the stream carries no estimate, or not every sample.
    """
    content = stream.terms.content
    if not content & Content.ESTIMATE or not content & (Content.RAW | Content.PRESSURE):
        raise DataError("nothing to compare", fix="--content pressure,estimate or raw,pressure,estimate")
    if stream.terms.every != 1:
        raise DataError("not every sample was sent, so the estimates cannot be repeated", fix="--every 1")
    whole = next((at for at, frame in enumerate(stream.frames) if frame.sample != at), len(stream.frames))
    if not whole:
        raise DataError("the first sample is missing, so nothing can be repeated", fix="run again")
    frames = stream.frames[:whole]
    hello, pressure = stream.hello, None
    if content & Content.RAW:
        counts = stream.counts()[:whole]
        x = model_input(counts, calibration, hello, open_below=facts.open_below, gains=gains)
        if content & Content.PRESSURE:
            got = stream.pressure()[:whole]
            pressure = compare(got, x, mode="live", target=hello.board, note="pressure from raw counts")
    else:
        x = stream.pressure()[:whole]
    host.reset()
    expected = host.stream(np.ascontiguousarray(x[:, list(facts.sensor_of_input)]))
    came = [frame.estimate for frame in frames if frame.estimate is not None]
    estimates = np.stack(came) if came else np.empty((0, hello.output_channels), hello.dtype)
    return Proof(whole, pressure, compare(estimates, expected, mode="live", target=hello.board))
