# SPDX-License-Identifier: Apache-2.0
"""The insole of the native firmware: a file of counts, named in the environment of its process."""

from __future__ import annotations

import os
import tempfile

from edgegrf.gait.insole import Worn

__all__ = ["NativeInsole"]


class NativeInsole:
    """Writes what is `worn` where the firmware finds it; `environment` is for its process.

    One frame is played for each scan.  Without `worn` the firmware plays an unloaded insole.
    """

    def __init__(self, worn: Worn | None) -> None:
        self.environment = dict(os.environ)
        self._file = tempfile.NamedTemporaryFile(suffix=".counts")  # noqa: SIM115  (closed in close())
        if worn is not None:
            worn.counts.astype("=u2").tofile(self._file)
            self._file.flush()
            self.environment["EDGEGRF_INSOLE"] = self._file.name

    def close(self) -> None:
        """Remove the file."""
        self._file.close()
