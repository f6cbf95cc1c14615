# SPDX-License-Identifier: Apache-2.0
"""Running walks on a board: what went in, what came out, what the host says to the same bits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgegrf.gait.trials import Trial
from edgegrf.graph.affine import Codes, dequantize, quantize
from edgegrf.link.device import Device
from edgegrf.parity.c_board import Host, on_host
from edgegrf.progress import Progress, silent

__all__ = ["Run", "measure"]


@dataclass(frozen=True)
class Run:
    """One trial on the board, whole or, when it was interrupted, as far as it came.

    `estimates` [N, K] belong to the trial's samples `samples` [N]; `expected` are the host's to the
    same input.  `cycles` has one count for each inference.  `clipped` input values were out of reach.
    """

    trial: Trial
    samples: NDArray[np.int64]
    estimates: Codes
    expected: Codes
    force: NDArray[np.float64]  # [N, K], the estimates in the manifest's unit
    cycles: NDArray[np.uint32]
    samples_in: int
    clipped: int
    whole: bool = True


@dataclass
class _Collected:
    estimates: list[Codes]
    cycles: list[NDArray[np.uint32]]
    samples_in: int = 0


def measure(
    device: Device,
    host: Host,
    trial: Trial,
    mode: str,
    *,
    before: int = 0,
    total: int = 0,
    progress: Progress = silent,
) -> Run:
    """Run one trial; Ctrl-C (KeyboardInterrupt) ends it early with what had come until then.

    `before` samples were done and `total` are to be done in the whole bench: what `progress` shows.
    """
    info = device.info
    x, clipped = quantize(trial.x, info.input_scale, info.input_zero_point, info.dtype)
    got = _Collected([], [])
    whole = True
    try:
        for estimates, cycles, samples in _pieces(device, x, mode):
            got.estimates.append(estimates)
            got.cycles.append(cycles)
            got.samples_in += samples
            progress(f"{mode} on {info.board}", before + got.samples_in, total)
    except KeyboardInterrupt:
        whole = False
    done = x[: got.samples_in]
    estimates = _joined(got.estimates, device)
    return Run(
        trial=trial,
        samples=_places(device, len(estimates), mode),
        estimates=estimates,
        expected=_expected(device, host, done, mode),
        force=dequantize(estimates, info.output_scale, info.output_zero_point),
        cycles=np.concatenate(got.cycles) if got.cycles else np.empty(0, np.uint32),
        samples_in=got.samples_in,
        clipped=clipped,
        whole=whole,
    )


def _pieces(device: Device, x: Codes, mode: str) -> Iterator[tuple[Codes, NDArray[np.uint32], int]]:
    if mode == "stream":
        for estimates, cycles in device.parts(x):
            yield estimates, cycles, len(cycles)
        return
    size = device.info.window_samples
    for at in range(0, len(x) - size + 1, size):
        estimates, took = device.window(x[at : at + size])
        yield estimates, np.array([took], np.uint32), size


def _expected(device: Device, host: Host, x: Codes, mode: str) -> Codes:
    if not len(x):
        return _joined([], device)
    if mode == "stream":
        return on_host(host, x, mode)
    windows = x.reshape(-1, device.info.window_samples, x.shape[1])
    return host.window(windows).reshape(-1, device.info.output_channels)


def _places(device: Device, estimates: int, mode: str) -> NDArray[np.int64]:
    """Which sample each estimate is about: the last of its period, wherever in a stream it comes."""
    info = device.info
    every = info.period if mode == "stream" else info.window_samples // info.window_estimates
    return np.arange(1, estimates + 1) * every - 1


def _joined(parts: list[Codes], device: Device) -> Codes:
    empty = np.empty((0, device.info.output_channels), device.info.dtype)
    return np.concatenate(parts) if parts else empty
