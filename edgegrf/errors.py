# SPDX-License-Identifier: Apache-2.0
"""Everything that can go wrong, as one tree; the exit code sits on the branch.

    EdgegrfError
    |-- CheckFailedError      1   the answer is no: parity broken, budget passed
    |-- UsageError            2   what was asked for cannot be done
    |   |-- DataError             a recording that does not fit: sensors, rate, units, NaN
    |   |-- ModelError            a model file that is malformed or unsupported
    |   |   `-- UnsupportedError  a well-formed model with an operator or layout outside the set
    |   |-- OutputError           a place that cannot be written
    |   `-- UnknownNameError      no such board, student, recipe...
    |-- DeviceError           3   the board or the way to it
    |   |-- PortError             a port that is missing, busy or not permitted
    |   |-- LinkError             frames lost beyond repair, a silent or vanished board
    |   `-- FirmwareMismatchError the board runs another model or protocol
    `-- MissingToolError      4   a program or optional package that is not installed

An error says at most three lines: what failed, why (likely), what to try.  Only `cli/` prints them.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "CheckFailedError",
    "DataError",
    "DeviceError",
    "EdgegrfError",
    "FirmwareMismatchError",
    "LinkError",
    "MissingToolError",
    "ModelError",
    "OutputError",
    "PortError",
    "UnknownNameError",
    "UnsupportedError",
    "UsageError",
]


class EdgegrfError(Exception):
    """Base of all errors that edgegrf raises on purpose."""

    exit_code = 2

    def __init__(self, what: str, *, why: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.fix = fix

    def lines(self) -> list[str]:
        """The error as a person reads it, one to three lines."""
        return [
            self.what,
            *([f"why: {self.why}"] if self.why else []),
            *([f"try: {self.fix}"] if self.fix else []),
        ]


class CheckFailedError(EdgegrfError):
    """A check ran to its end and the answer is no."""

    exit_code = 1


class UsageError(EdgegrfError):
    """What was asked for cannot be done as asked."""


class DataError(UsageError):
    """A recording that is unreadable or does not fit the model's manifest."""


class ModelError(UsageError):
    """A model file that is malformed, unsafe or inconsistent."""


class UnsupportedError(ModelError):
    """A sound model with something that edgegrf cannot lower or compile; `node` names the place."""

    def __init__(self, what: str, *, node: str = "", why: str = "", fix: str = "") -> None:
        super().__init__(what, why=why, fix=fix)
        self.node = node


class OutputError(UsageError):
    """A file or folder that cannot be written."""


class UnknownNameError(UsageError):
    """A name that is not in its table; carries the near misses."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(sorted(known))
        near = get_close_matches(name, self.known, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        super().__init__(f"unknown {kind} '{name}'", fix=f"{hint}known: {', '.join(self.known)}")


class DeviceError(EdgegrfError):
    """The board, or the way to it."""

    exit_code = 3


class PortError(DeviceError):
    """A port that is missing, busy or not permitted."""


class LinkError(DeviceError):
    """A board that is silent, gone, or answers outside the protocol."""


class FirmwareMismatchError(DeviceError):
    """The board's firmware holds another model, or speaks another protocol."""


class MissingToolError(EdgegrfError):
    """A program or an optional package that is not installed."""

    exit_code = 4
