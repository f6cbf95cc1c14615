# SPDX-License-Identifier: Apache-2.0
"""A training's log: one line an epoch as CSV, rewritten whole, and as TensorBoard events where wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from edgegrf.distill.events import Events, require_tensorboard
from edgegrf.distill.trainer import Epoch
from edgegrf.files import check_writable, write_file

__all__ = ["TrainingLog"]

_HEAD = "epoch,training_rmse_bw,validation_rmse_bw,learning_rate,loss,arithmetic"


class TrainingLog:
    """The epochs in one `arithmetic`, "float" or "int8", in `folder`/training.csv.

    int8 epochs follow the float epochs that stand there already, and are numbered on.  With a folder
    `tensorboard` the same numbers go to its run of that name; raises MissingToolError, OutputError.
    """

    def __init__(self, folder: Path, arithmetic: str = "float", tensorboard: Path | None = None) -> None:
        self.path, self.arithmetic = folder / "training.csv", arithmetic
        self._earlier = [] if arithmetic == "float" else _float_lines(self.path)
        self._first = int(self._earlier[-1].partition(",")[0]) if self._earlier else 0
        self._run = tensorboard / arithmetic if tensorboard else None
        self._events: Events | None = None
        if tensorboard:
            require_tensorboard()
            check_writable(tensorboard)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._events:
            self._events.close()

    def placed(self, epoch: Epoch) -> Epoch:
        """The epoch with its number among all and its arithmetic."""
        return replace(epoch, epoch=self._first + epoch.epoch, arithmetic=self.arithmetic)

    def write(self, log: Sequence[Epoch]) -> None:
        """The epochs so far as CSV; raises OutputError, and then the file is as it was."""
        lines = [_line(self.placed(epoch)) for epoch in log]
        write_file(self.path, "\n".join([_HEAD, *self._earlier, *lines]) + "\n")

    def add(self, log: Sequence[Epoch]) -> None:
        """The epochs so far, of which the last is new."""
        self.write(log)
        if self._run is None:
            return
        epoch = self.placed(log[-1])
        self._events = self._events or Events(self._run, epoch.epoch)
        self._events.tell(
            epoch.epoch,
            {
                "rmse_bw/training": epoch.training_rmse,
                "rmse_bw/validation": epoch.validation_rmse,
                "learning_rate": epoch.rate,
                "loss": epoch.loss,
            },
        )


def _line(epoch: Epoch) -> str:
    numbers = (epoch.training_rmse, epoch.validation_rmse, epoch.rate, epoch.loss)
    return f"{epoch.epoch},{','.join(f'{one:.9g}' for one in numbers)},{epoch.arithmetic}"


def _float_lines(path: Path) -> list[str]:
    """The lines of the float epochs in a log that is there."""
    try:
        head, *lines = path.read_text().splitlines()
    except (OSError, ValueError):  # also what is empty, or no text
        return []
    return [line for line in lines if line.endswith(",float")] if head == _HEAD else []
