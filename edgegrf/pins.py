# SPDX-License-Identifier: Apache-2.0
"""What the pins of each chip are good for: which see an ADC, which an insole must leave alone, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["CHIP_PINS", "ChipPins"]


@dataclass(frozen=True)
class ChipPins:
    """Pins by number (32 * port + number): `analog` maps what a board's columns name, a pin or an ADC's
    channel, to the pin; `taken` are no good for a scan; `inputs_only` cannot drive."""

    count: int
    analog: Mapping[int, int]
    taken: Mapping[int, str] = field(default_factory=dict)
    inputs_only: frozenset[int] = frozenset()


#: by chip; sources: the chips' data sheets, "pin definitions" and "strapping pins"
CHIP_PINS: dict[str, ChipPins] = {
    "nrf52840": ChipPins(
        count=48,
        analog={pin: pin for pin in (2, 3, 4, 5, 28, 29, 30, 31)},
        taken=dict.fromkeys((0, 1), "the 32 kHz crystal's") | dict.fromkeys((9, 10), "the NFC antenna's"),
    ),
    "esp32c3": ChipPins(
        count=22,
        analog={pin: pin for pin in range(5)},
        taken=dict.fromkeys((2, 8, 9), "looked at when the chip boots")
        | dict.fromkeys(range(11, 18), "the flash's")
        | dict.fromkeys((18, 19), "the USB socket's"),
    ),
    "esp32": ChipPins(
        count=40,
        analog=dict(enumerate((36, 37, 38, 39, 32, 33, 34, 35))),
        taken=dict.fromkeys((0, 2, 5, 12, 15), "looked at when the chip boots")
        | dict.fromkeys(range(6, 12), "the flash's"),
        inputs_only=frozenset(range(34, 40)),
    ),
    "esp32s3": ChipPins(
        count=49,
        analog={channel: channel + 1 for channel in range(10)},
        taken=dict.fromkeys((0, 45, 46), "looked at when the chip boots")
        | dict.fromkeys((19, 20), "the USB socket's")
        | dict.fromkeys(range(26, 33), "the flash's"),
    ),
    "esp32c6": ChipPins(
        count=31,
        analog={channel: channel for channel in range(7)},
        taken=dict.fromkeys((8, 9), "looked at when the chip boots")
        | dict.fromkeys((12, 13), "the USB socket's")
        | dict.fromkeys(range(24, 31), "the flash's"),
    ),
}
