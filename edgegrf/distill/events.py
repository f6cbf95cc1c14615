# SPDX-License-Identifier: Apache-2.0
"""Numbers of a training as a TensorBoard run, by tensorboardX."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgegrf.errors import MissingToolError, OutputError

__all__ = ["Events", "require_tensorboard"]


class Events:
    """An event file in `folder`, written at once and whole: its writer has neither queue nor thread.

    What earlier runs in the folder told of steps from `first` on no longer counts.  Raises OutputError, also
    from `tell`.
    """

    def __init__(self, folder: Path, first: int) -> None:
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto.event_pb2 import SessionLog

        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._writer = EventsWriter(str(folder / "events"), f".{os.getpid()}")
        except OSError as error:
            raise self._refused(error) from error
        self._write(first, session_log=SessionLog(status=SessionLog.START))

    def tell(self, step: int, values: Mapping[str, float]) -> None:
        """Add a number of each name."""
        from tensorboardX.proto.summary_pb2 import Summary

        told = [Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        self._write(step, summary=Summary(value=told))

    def close(self) -> None:
        """Let go of the file."""
        self._writer.close()

    def _write(self, step: int, **content: Any) -> None:
        from tensorboardX.proto.event_pb2 import Event

        try:
            self._writer.write_event(Event(wall_time=time.time(), step=step, **content))
            self._writer.flush()
        except OSError as error:
            raise self._refused(error) from error

    def _refused(self, error: OSError) -> OutputError:
        return OutputError(
            f"cannot write {self.folder}",
            why=error.strerror or str(error),
            fix="choose another --tensorboard, or leave it out: training.csv holds the same",
        )


def require_tensorboard() -> None:
    """Raise MissingToolError without the package."""
    try:
        import tensorboardX  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingToolError(
            "TensorBoard events need the package tensorboardX",
            fix="pip install 'edgegrf[tensorboard]', or leave --tensorboard out: training.csv holds the same",
        ) from error
