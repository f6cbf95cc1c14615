# SPDX-License-Identifier: Apache-2.0
"""A training on disk, whole after every epoch, so that one that was killed goes on as if it had not been."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from edgegrf.errors import OutputError
from edgegrf.files import write_file

__all__ = ["TrainingState"]


class TrainingState:
    """A file beside the checkpoint; `fingerprint` says of which training it is.

    It goes when the training ends well.  A file of another training, or a damaged one, is as good as none.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self.path, self.fingerprint = path, fingerprint

    def write(self, content: dict[str, Any]) -> None:
        """Replace the file; raises OutputError, and then the one before is still there."""
        buffer = io.BytesIO()
        torch.save({**content, "fingerprint": self.fingerprint}, buffer)
        write_file(self.path, buffer.getvalue())

    def read(self) -> dict[str, Any] | None:
        """What was written last by a training of this fingerprint, or None."""
        try:
            content = torch.load(self.path, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError):
            return None
        if not isinstance(content, dict) or content.get("fingerprint") != self.fingerprint:
            return None
        return content

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Where something in the block cannot be written (a full disk), the error says how to go on."""
        try:
            yield
        except OutputError as error:
            written = self.read()
            if written is None:
                raise
            raise OutputError(
                error.what,
                why=error.why,
                fix="make room, or let it be written: the same command then goes on behind epoch "
                f"{len(written['log'])}",
            ) from error

    def drop(self) -> None:
        """Forget it."""
        self.path.unlink(missing_ok=True)
