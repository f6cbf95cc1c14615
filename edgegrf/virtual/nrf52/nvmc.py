# SPDX-License-Identifier: Apache-2.0
"""NVMC: always ready; the instruction cache can be switched on (its effect on time is not modelled)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from edgegrf.virtual.bus import UnmodelledError
from edgegrf.virtual.peripheral import Peripheral

__all__ = ["Nvmc"]

READY, READYNEXT, CONFIG, ICACHECNF, IHIT, IMISS = 0x400, 0x408, 0x504, 0x540, 0x548, 0x54C


class Nvmc(Peripheral):
    """Flash is read-only here: asking for write or erase mode is an access that is not modelled."""

    registers: ClassVar[Mapping[int, str]] = {
        READY: "READY", READYNEXT: "READYNEXT", CONFIG: "CONFIG", ICACHECNF: "ICACHECNF", IHIT: "IHIT",
        IMISS: "IMISS",
    }  # fmt: skip
    resets: ClassVar[Mapping[int, int]] = {READY: 1, READYNEXT: 1}

    def write(self, offset: int, value: int) -> None:
        if offset in (READY, READYNEXT) or (offset == CONFIG and value):
            raise UnmodelledError
        super().write(offset, value)
