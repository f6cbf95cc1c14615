# SPDX-License-Identifier: Apache-2.0
"""The one runner of outside programs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgegrf.errors import EdgegrfError, MissingToolError

__all__ = ["Finished", "ToolFailedError", "run"]


@dataclass(frozen=True)
class Finished:
    """What a program left behind: exit code and its two streams as text."""

    code: int
    stdout: str
    stderr: str


class ToolFailedError(EdgegrfError):
    """An outside program ended with an error; `finished` holds its output."""

    exit_code = 4

    def __init__(self, argv: Sequence[str], finished: Finished) -> None:
        self.argv, self.finished = tuple(argv), finished
        said = (finished.stderr or finished.stdout).strip().splitlines()
        errors = [line for line in said if "error" in line.lower()] or said[-1:]
        super().__init__(
            f"{Path(argv[0]).name} ended with code {finished.code}",
            why=errors[0].strip() if errors else "it printed nothing",
            fix="run it by hand: " + " ".join(argv)[:300],
        )


def run(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout_s: float = 300.0,
    check: bool = True,
) -> Finished:
    """Run `argv` without a shell; `env` adds to the environment.

    Raises MissingToolError when the program is absent or never ends, ToolFailedError when `check`
    and its exit code is not 0.
    """
    try:
        done = subprocess.run(
            list(argv),
            cwd=cwd,
            env={**os.environ, **(env or {})},
            timeout=timeout_s,
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except FileNotFoundError as error:
        raise MissingToolError(f"{argv[0]} is not installed", fix="edgegrf doctor") from error
    except subprocess.TimeoutExpired as error:
        raise MissingToolError(f"{argv[0]} gave no answer in {timeout_s:.0f} s") from error
    finished = Finished(done.returncode, done.stdout, done.stderr)
    if check and finished.code:
        raise ToolFailedError(argv, finished)
    return finished
