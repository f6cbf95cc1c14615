# SPDX-License-Identifier: Apache-2.0
"""`native:`, the firmware as a process of this computer, on a pty that pyserial opens like any port."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from edgegrf.errors import LinkError, MissingToolError
from edgegrf.gait.insole import Worn
from edgegrf.link.native_insole import NativeInsole
from edgegrf.link.serial_port import SerialPort

__all__ = ["NativePort"]

_END_TIMEOUT_S = 5.0


class NativePort:
    """Runs `program` on the one end of a pty and talks through the other; closing the port ends it.

    `worn` is what its sensors see, one frame a scan; its store is the file `EDGEGRF_STORE` names, if any.
    When the program dies, what it said last (a sanitizer's report) is the LinkError's reason.
    """

    def __init__(self, program: Path, *, name: str = "native:", worn: Worn | None = None) -> None:
        self.name = name
        self._insole = NativeInsole(worn)
        try:
            master, slave = os.openpty()
        except (AttributeError, OSError) as error:  # AttributeError: Windows has no pty
            raise MissingToolError(
                "no pty on this computer", why=str(error), fix="use --port virtual:nrf52840dk"
            ) from error
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  (closed in close())
        try:
            self._process = subprocess.Popen(
                [str(program)],
                stdin=master,
                stdout=master,
                stderr=self._said,
                start_new_session=True,
                env=self._insole.environment,
            )
            self._port = SerialPort(os.ttyname(slave))
        except OSError as error:
            raise MissingToolError(f"cannot run {program}", why=str(error), fix="edgegrf doctor") from error
        finally:
            os.close(master)
            os.close(slave)

    def write(self, data: bytes) -> None:
        """Send all of `data`."""
        with self._alive():
            self._port.write(data)

    def read(self, timeout_s: float) -> bytes:
        """What has arrived, as soon as anything has; b"" after `timeout_s` seconds of silence."""
        with self._alive():
            return self._port.read(timeout_s)

    def close(self) -> None:
        """Close the pty and wait for the program, which ends when its other side is closed."""
        self._port.close()
        try:
            self._process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()
        self._insole.close()

    @contextlib.contextmanager
    def _alive(self) -> Iterator[None]:
        try:
            yield
        except LinkError as error:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_TIMEOUT_S)
            self._said.seek(0)
            lines = self._said.read().decode(errors="replace").split("\n")
            report = [line for line in lines if "ERROR" in line or "runtime error" in line]
            raise LinkError(
                f"{self.name} the firmware's process ended with code {self._process.poll()}",
                why=(report or ["it said nothing"])[0].strip(),
                fix="this is a defect of the firmware: please report it with the model",
            ) from error
