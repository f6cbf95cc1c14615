# SPDX-License-Identifier: Apache-2.0
"""FICR and UICR: what the factory and the programmer left; a virtual chip says here that it is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from edgegrf.virtual.bus import Bus, UnmodelledError
from edgegrf.virtual.image import Firmware
from edgegrf.virtual.peripheral import Peripheral

__all__ = ["Ficr", "Uicr", "split_uicr"]

#: eight bytes; hosts label every time of such a device as an estimate
DEVICE_ID = b"VIRTUAL\0"


class Ficr(Peripheral):
    """Read-only facts about the chip."""

    resets: ClassVar[Mapping[int, int]] = {
        0x010: 4096, 0x014: 256,  # CODEPAGESIZE, CODESIZE
        0x060: int.from_bytes(DEVICE_ID[:4], "little"),
        0x064: int.from_bytes(DEVICE_ID[4:], "little"),
        0x100: 0x0005_2840, 0x104: 0x4141_4430,  # INFO.PART, INFO.VARIANT "AAD0"
        0x108: 0x2004, 0x10C: 256, 0x110: 1024,  # INFO.PACKAGE, RAM and FLASH in KiB
    }  # fmt: skip

    def write(self, offset: int, value: int) -> None:
        raise UnmodelledError


class Uicr(Peripheral):
    """`contents` are the page's bytes as programmed, all ones where it was not; the core cannot write."""

    def __init__(self, bus: Bus, base: int, name: str, contents: bytes) -> None:
        super().__init__(bus, base, name)
        self._contents = contents

    def read(self, offset: int) -> int:
        return int.from_bytes(self._contents[offset : offset + 4], "little")

    def write(self, offset: int, value: int) -> None:
        raise UnmodelledError


def split_uicr(firmware: Firmware, uicr: tuple[int, int]) -> tuple[Firmware, bytes]:
    """The image without what it has for UICR (first address, size), and UICR's contents."""
    start, size = uicr
    contents = bytearray(b"\xff" * size)
    rest = []
    for address, data in firmware.segments:
        if start <= address and address + len(data) <= start + size:
            contents[address - start : address - start + len(data)] = data
        else:
            rest.append((address, data))
    return replace(firmware, segments=tuple(rest)), bytes(contents)
