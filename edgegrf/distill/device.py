# SPDX-License-Identifier: Apache-2.0
"""Where torch computes."""

from __future__ import annotations

import torch

from edgegrf.errors import UsageError

__all__ = ["check_device", "one_thread"]


def one_thread() -> None:
    """Let torch compute in this thread alone from now on: sums then have one order, so the same bits."""
    torch.set_num_threads(1)


def check_device(name: str) -> None:
    """Raise UsageError unless torch can compute on the device of that name."""
    if name.partition(":")[0] == "cuda" and not torch.cuda.is_available():
        raise UsageError(f"no {name} here", why="torch finds no CUDA device", fix="--device cpu")
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(
            f"torch cannot compute on '{name}'", why=str(error).splitlines()[0], fix="--device cpu"
        ) from error
