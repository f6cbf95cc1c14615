# SPDX-License-Identifier: Apache-2.0
"""`walks.npz`: the gaitpdb walks as 16-bit counts, one walk after another, decoded only as far as asked.

Arrays: `force` uint16 [sum of samples, 16] (left s1..s8, right s1..s8), `newton_per_count`,
`sample_rate_hz`, `record` [walks] and `samples` [walks].
"""

from __future__ import annotations

import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import DataError
from edgegrf.gait.readers.format import Format, Subjects, Walk
from edgegrf.gait.readers.gaitpdb import both_feet, subject_of

__all__ = ["DAMAGED", "PACKED_WALKS", "members"]

_NEEDED = ("force", "newton_per_count", "record", "sample_rate_hz", "samples")
_CHANNELS = 16

#: what zipfile, zlib and numpy raise on bytes that are not what they expect
DAMAGED = (
    *(OSError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError, MemoryError),
    *(RuntimeError, NotImplementedError, SyntaxError, tokenize.TokenError, struct.error, zlib.error),
    zipfile.BadZipFile,
)


def members(path: Path) -> set[str]:
    """The names of the arrays in an `.npz`; raises DataError when it is not one or is cut off."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy") for name in archive.namelist()}
    except DAMAGED as error:
        raise _damaged(path, error) from error


def _read(path: Path, columns: Path | None, subjects: Subjects) -> Iterator[Walk]:
    missing = sorted(set(_NEEDED) - members(path))
    if missing:
        raise DataError(f"{path} has no array '{missing[0]}'", why=f"needed: {', '.join(_NEEDED)}")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            scale = np.float32(arrays["newton_per_count"])
            rate = float(arrays["sample_rate_hz"])
            walks = [
                (str(record), int(samples))
                for record, samples in zip(arrays["record"], arrays["samples"], strict=True)
            ]
    except DAMAGED as error:
        raise _damaged(path, error) from error
    for record, counts in _counts(path, walks):
        if subjects(subject_of(record)):
            sensors = counts.astype(np.float32) * scale
            totals = np.stack([sensors[:, :8].sum(axis=1), sensors[:, 8:].sum(axis=1)], axis=1)
            yield both_feet(record, sensors, totals, rate)


def _counts(path: Path, walks: list[tuple[str, int]]) -> Iterator[tuple[str, NDArray[np.uint16]]]:
    """Each walk's counts [T, 16], unpacked when it is asked for."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open("force.npy") as stream:
            shape, fortran, dtype = _npy_header(stream)
            expected = (sum(samples for _, samples in walks), _CHANNELS)
            if shape != expected or fortran or dtype != np.dtype("<u2"):
                raise DataError(
                    f"{path}: force is {dtype} {list(shape)}, expected uint16 {list(expected)}",
                    why="'samples' and 'force' do not belong together, or the file is of another make",
                )
            for record, samples in walks:
                raw = stream.read(max(samples, 0) * _CHANNELS * 2)
                yield record, np.frombuffer(raw, "<u2").reshape(samples, _CHANNELS)
    except DAMAGED as error:
        raise _damaged(path, error) from error


def _npy_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    form: Any = np.lib.format  # numpy leaves this module untyped
    if form.read_magic(stream) == (1, 0):
        return form.read_array_header_1_0(stream)  # type: ignore[no-any-return]
    return form.read_array_header_2_0(stream)  # type: ignore[no-any-return]


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path} cannot be read as an .npz of walks",
        why=f"truncated or damaged: {error or type(error).__name__}",
        fix="copy or make the file again",
    )


PACKED_WALKS = Format("walks.npz", lambda path: path.name == "walks.npz", _read)
