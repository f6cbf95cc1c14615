# SPDX-License-Identifier: Apache-2.0
"""What an image takes of the board's memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgegrf.image.elf import Elf

__all__ = ["Sizes", "measure"]

_STACK = ".stack"
_LARGEST = 8


@dataclass(frozen=True)
class Sizes:
    """Bytes: what lies in flash, what is static in RAM without the stack, the stack that is reserved.

    `largest` are the symbols of most bytes, largest first.
    """

    flash_bytes: int = 0
    ram_bytes: int = 0
    stack_bytes: int = 0
    sections: dict[str, int] = field(default_factory=dict)
    largest: tuple[tuple[str, int], ...] = ()

    @property
    def all_ram_bytes(self) -> int:
        """What is static in RAM and the stack."""
        return self.ram_bytes + self.stack_bytes


def measure(elf: Elf) -> Sizes:
    """The sizes of an image from its sections and symbols."""
    ranked = sorted(elf.symbols.items(), key=lambda item: (-item[1], item[0]))
    return Sizes(
        flash_bytes=sum(len(segment.data) for segment in elf.segments),
        ram_bytes=sum(part.size for part in elf.sections if part.writable and part.name != _STACK),
        stack_bytes=sum(part.size for part in elf.sections if part.name == _STACK),
        sections={part.name: part.size for part in elf.sections},
        largest=tuple(ranked[:_LARGEST]),
    )
