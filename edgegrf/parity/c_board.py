# SPDX-License-Identifier: Apache-2.0
"""The last link of the chain of proof: the generated C on this host against the same C on a board."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from edgegrf.errors import UsageError
from edgegrf.graph.affine import Codes
from edgegrf.link.device import Device
from edgegrf.parity.link import LinkResult
from edgegrf.progress import Progress, silent

__all__ = ["Host", "board_link", "board_name", "compare", "on_host"]


class Host(Protocol):
    """What is asked of the C on the host (parity/host.py)."""

    def reset(self) -> None:
        """Forget all samples."""
        ...

    def stream(self, x: Codes, /) -> Codes:
        """Estimates [N, K] of samples [T, C]."""
        ...

    def window(self, x: Codes, /) -> Codes:
        """Estimates [N, n, K] of windows [N, T, C]."""
        ...


def on_host(host: Host, samples: Codes, mode: str) -> Codes:
    """What the host's C says to samples [T, C] from a fresh start (stream), or to one window; [N, K]."""
    if mode == "window":
        estimates: Codes = host.window(samples[np.newaxis])[0]
        return estimates
    host.reset()
    return host.stream(samples)


def compare(estimates: Codes, expected: Codes, *, mode: str, target: str, note: str = "") -> LinkResult:
    """How a board's estimates [N, K] agree with the host's, in LSB; a missing estimate is a mismatch."""
    got, wanted = estimates.reshape(-1).astype(np.int32), expected.reshape(-1).astype(np.int32)
    both = min(len(got), len(wanted))
    apart = np.abs(got[:both] - wanted[:both])
    return LinkResult(
        source="c-host",
        target=target,
        mode=mode,
        outputs=max(len(got), len(wanted)),
        mismatches=int(np.count_nonzero(apart)) + max(len(got), len(wanted)) - both,
        max_lsb=int(apart.max(initial=0)),
        note=note,
    )


def board_link(
    device: Device, host: Host, inputs: Sequence[Codes], *, mode: str, progress: Progress = silent
) -> LinkResult:
    """Run every one of `inputs` ([T, C] each; windows in window mode) on both and compare all estimates."""
    if not inputs:
        raise UsageError("nothing to compare on the board", why="no samples were given")
    got, wanted = [], []
    for index, samples in enumerate(inputs):
        got.append(device.window(samples)[0] if mode == "window" else device.stream(samples)[0])
        wanted.append(on_host(host, samples, mode))
        progress(f"c-host = board ({mode})", index + 1, len(inputs))
    return compare(np.concatenate(got), np.concatenate(wanted), mode=mode, target=board_name(device))


def board_name(device: Device) -> str:
    """The board as a link of the chain names it: "virtual:nrf52840dk", "native", "nrf52840dk"."""
    info = device.info
    return f"virtual:{info.board}" if info.virtual else info.board
