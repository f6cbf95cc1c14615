# SPDX-License-Identifier: Apache-2.0
"""A page of named registers, the base of every modelled peripheral that only stores what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from edgegrf.virtual.bus import Bus, UnmodelledError

__all__ = ["Peripheral"]


class Peripheral:
    """Registers that keep what is written; a subclass gives those with a will of their own.

    `registers` maps an offset to the register's name in the chip's manual.
    """

    registers: ClassVar[Mapping[int, str]] = {}
    resets: ClassVar[Mapping[int, int]] = {}

    def __init__(self, bus: Bus, base: int, name: str) -> None:
        self.bus = bus
        self.base = base
        self._name = name
        self.values: dict[int, int] = {**dict.fromkeys(self.registers, 0), **self.resets}
        bus.attach(base, self)

    @property
    def name(self) -> str:
        """The instance's name in the chip's manual, such as UARTE0."""
        return self._name

    def read(self, offset: int) -> int:
        """The word at `offset`; raises UnmodelledError."""
        try:
            return self.values[offset]
        except KeyError as error:
            raise UnmodelledError from error

    def write(self, offset: int, value: int) -> None:
        """Store a word at `offset`; raises UnmodelledError."""
        if offset not in self.values:
            raise UnmodelledError
        self.values[offset] = value
