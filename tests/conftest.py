# SPDX-License-Identifier: Apache-2.0
"""Where the tests find the shared data; without it the tests that need it skip, with the reason."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgegrf.cli import main
from edgegrf.errors import MissingToolError
from edgegrf.toolchain import arm_compiler, core_compiler

# A shell that runs the tests in the background has them ignore Ctrl-C, and what they start as well.
signal.signal(signal.SIGINT, signal.default_int_handler)

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def gaitpdb_folder() -> Path:
    """The folder of real walks: `EDGEGRF_DATA`, else the shared folder beside the checkout."""
    folder = Path(os.environ.get("EDGEGRF_DATA") or _BESIDE / "gaitpdb")
    if not (folder / "walks.npz").is_file():
        pytest.skip("no real walks: set EDGEGRF_DATA to a folder with walks.npz")
    return folder


@pytest.fixture(scope="session")
def reference_nets() -> Path:
    """The folder with the two reference nets of the kernel benchmark."""
    folder = _BESIDE / "reference_nets"
    if not folder.is_dir():
        pytest.skip("no reference nets beside the checkout")
    return folder


@pytest.fixture(scope="session")
def needs_compiler() -> Callable[[str, str | None], None]:
    """needs_compiler(core, kind) skips the test without such a compiler (gcc, zig, None: any) of a core."""

    def check(core: str, kind: str | None) -> None:
        try:
            core_compiler(core, kind)
        except MissingToolError as error:
            pytest.skip(error.what)

    return check


@pytest.fixture(scope="session")
def needs_arm_compiler() -> Callable[[str | None], None]:
    """needs_arm_compiler(kind) skips the test where that compiler (gcc, zig, None: any) is not installed."""

    def check(kind: str | None) -> None:
        try:
            arm_compiler(kind)
        except MissingToolError as error:
            pytest.skip(error.what)

    return check


@pytest.fixture
def edgegrf(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[Any, str, str]]:
    """edgegrf(*arguments): the command line in this process; (exit code, stdout, stderr)."""

    def run(*arguments: str) -> tuple[Any, str, str]:
        monkeypatch.setattr(sys, "argv", ["edgegrf", *arguments])
        with pytest.raises(SystemExit) as stop:
            main()
        said = capsys.readouterr()
        return stop.value.code, said.out, said.err

    return run
