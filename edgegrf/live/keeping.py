# SPDX-License-Identifier: Apache-2.0
"""A live stream as a walk that `edgegrf data` and `edgegrf bench` read again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import DataError, UsageError
from edgegrf.gait.readers.archive import write_archive
from edgegrf.gait.recording import Recording, Sensor
from edgegrf.gait.validation import checked
from edgegrf.gait.writing import write_csv
from edgegrf.graph.affine import dequantize
from edgegrf.link.live_messages import Content
from edgegrf.link.personal_record import GAIN_ONE
from edgegrf.live.stream import Stream

__all__ = ["check_record_path", "recording", "write_stream"]


def check_record_path(path: Path) -> None:
    """Raise UsageError for a file that a stream cannot be written to."""
    if path.suffix not in (".csv", ".npz"):
        raise UsageError(f"cannot record to {path.name}", fix="name it .csv or .npz")


def recording(stream: Stream, name: str, foot: str, weight_n: float, gains: Sequence[int] = ()) -> Recording:
    """The stream as one foot's walk: raw counts if they came, else pressure in BW, without the wearer's
    `gains` (of each sensor, times 4096), which are the model's and not the insole's.

    Missing samples are filled on a straight line between their neighbours.  It has no force: an estimate is
    no reference.
    """
    raw = bool(stream.terms.content & Content.RAW)
    if not raw and not stream.terms.content & Content.PRESSURE:
        raise DataError("the stream carries no sensors to record", fix="--content pressure,estimate")
    if len(stream.frames) < 2:
        raise DataError("fewer than two samples came: nothing to record", fix="run for longer")
    info = stream.hello
    values = stream.counts() if raw else _body_weights(stream) / (np.array(gains or [GAIN_ONE]) / GAIN_ONE)
    return checked(
        Recording(
            name=f"{name}/{foot}",
            subject=name,
            foot=foot,
            pressure=_without_holes(stream, np.asarray(values, np.float64)),
            sensors=tuple(Sensor(each) for each in stream.names),
            unit="raw" if raw else "BW",
            sample_rate_hz=stream.rate_hz / stream.terms.every,
            body_weight_n=weight_n,
            frame=(stream.rows, len(stream.names) // stream.rows) if stream.rows else None,
            synthetic=info.virtual or info.native,
        )
    )


def write_stream(
    path: Path,
    stream: Stream,
    *,
    foot: str,
    weight_n: float,
    outputs: Sequence[str] = (),
    gains: Sequence[int] = (),
) -> list[Path]:
    """Write the stream to `path` (.csv with its column map, or .npz), with the board's estimates in BW.

    What came after each restart has a file of its own, NAME-2, NAME-3, ...; gives all that were written.
    """
    check_record_path(path)
    parts = [part for part in stream.parts() if len(part.frames) > 1] or [stream]
    written = []
    for number, part in enumerate(parts, 1):
        file = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
        walk = recording(part, file.stem, foot, weight_n, gains)
        estimates = _estimates(part)
        names = [f"estimated_{name}_bw" for name in _padded(outputs, part.hello.output_channels)]
        extra = dict(zip(names, estimates.T, strict=True)) if len(estimates) else {}
        if file.suffix == ".csv":
            write_csv(file, [walk], extra=extra)
        else:
            write_archive(file, [[walk]], extra=extra)
        written.append(file)
    return written


def _body_weights(stream: Stream) -> NDArray[np.float64]:
    info = stream.hello
    return dequantize(stream.pressure(), info.input_scale, info.input_zero_point)


def _estimates(stream: Stream) -> NDArray[np.float64]:
    """Estimates [T, K] in BW at the samples they are about; NaN where there is none."""
    info, every = stream.hello, stream.terms.every
    length = (stream.frames[-1].sample - stream.frames[0].sample) // every + 1
    values = np.full((length, info.output_channels), np.nan)
    if not stream.terms.content & Content.ESTIMATE:
        return values[:0]
    for frame in stream.frames:
        at = (frame.sample - info.lookahead - stream.frames[0].sample) // every
        if frame.estimate is not None and at >= 0:
            values[at] = dequantize(frame.estimate, info.output_scale, info.output_zero_point)
    return values


def _without_holes(stream: Stream, values: NDArray[np.float64]) -> NDArray[np.float32]:
    samples = np.array([frame.sample for frame in stream.frames])
    every = np.arange(samples[0], samples[-1] + 1, stream.terms.every)
    if len(every) == len(samples):
        return values.astype(np.float32)
    filled = [np.interp(every, samples, column) for column in values.T]
    return np.stack(filled, axis=1).astype(np.float32)


def _padded(names: Sequence[str], count: int) -> list[str]:
    return [names[n] if n < len(names) else f"force{n}" for n in range(count)]
