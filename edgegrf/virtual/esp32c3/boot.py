# SPDX-License-Identifier: Apache-2.0
"""What the ROM does with a firmware image: runs it from flash (direct boot) or from RAM."""

from __future__ import annotations

from dataclasses import dataclass

from edgegrf.errors import DeviceError
from edgegrf.image.slot import DIRECT_BOOT
from edgegrf.virtual.image import Firmware

__all__ = ["ENTRY", "Placed", "place"]

#: where it starts it: behind the magic, seen through the instruction bus
ENTRY = 0x4200_0008


@dataclass(frozen=True)
class Placed:
    """Bytes by their offset in flash and in RAM; `entry` is 0 where the ROM boots from flash."""

    flash: tuple[tuple[int, bytes], ...]
    ram: tuple[tuple[int, bytes], ...]
    entry: int


def place(firmware: Firmware, flash_size: int, ram: tuple[tuple[int, int], ...], ram_size: int) -> Placed:
    """Where an image's segments go; `ram` are the places at which RAM is seen, with their offset in it.

    An image with nothing in flash is one that a programmer has loaded into RAM.  Raises DeviceError.
    """
    in_flash, in_ram = [], []
    for address, data in firmware.segments:
        if address + len(data) <= flash_size:
            in_flash.append((address, data))
            continue
        for start, offset in ram:
            if start <= address and address + len(data) <= start + ram_size:
                in_ram.append((address - start + offset, data))
                break
        else:
            raise DeviceError(
                f"the image loads {len(data)} bytes at 0x{address:08X}, outside flash and RAM",
                fix="load the image of this board",
            )
    if not in_flash:
        return Placed((), tuple(in_ram), firmware.entry)
    if in_flash[0][0] != 0 or in_flash[0][1][:8] != DIRECT_BOOT:
        raise DeviceError(
            "the flash does not begin with the magic of direct boot",
            why="the ROM would look for a boot loader and find none",
            fix="load the image that was built for this board",
        )
    return Placed(tuple(in_flash), (), 0)
