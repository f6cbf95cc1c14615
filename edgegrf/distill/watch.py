# SPDX-License-Identifier: Apache-2.0
"""Who hears how a training goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edgegrf.distill.trainer import Epoch
from edgegrf.progress import Progress, silent

__all__ = ["UNWATCHED", "Watch"]


@dataclass(frozen=True)
class Watch:
    """`progress` hears of the steps, `on_resume` how many epochs are there, `on_epoch` of each one."""

    progress: Progress = silent
    on_resume: Callable[[int], None] = lambda epochs: None
    on_epoch: Callable[[Epoch], None] = lambda epoch: None


UNWATCHED = Watch()
