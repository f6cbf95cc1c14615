# SPDX-License-Identifier: Apache-2.0
"""Which code and data of a firmware image belong to the model, and to which of its layers.

The generated C notes where each layer's code begins in the section .debug_layers of the ELF file: pairs of an
address and a number, 1 for the first layer, 0 for what belongs to none (compiler/templates/model.c.j2).
Constants are named after their layer.  Everything else that model.c or a kernel file (eg_*.c) defines is the
model's, but no single layer's.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from edgegrf.compiler.plan import Layer
from edgegrf.errors import ModelError
from edgegrf.image.elf import Elf, Symbol, read_elf, section_bytes
from edgegrf.virtual import Span

__all__ = ["MODEL", "Footprint", "footprint", "layer_spans"]

#: the owner of what the model does between its layers; layer n has owner n + 2
MODEL = 1

_NOTES = ".debug_layers"
_ENTRIES = ("model_window", "model_step")
_MODEL_FILE = re.compile(r"(?:model|eg_\w+)\.[cS]")
_MODEL_NAME = re.compile(r"(?:model|eg)_\w+")


@dataclass(frozen=True)
class Footprint:
    """Bytes of the model in an image, without what only the firmware around it needs.

    `layer_flash` are each layer's constants; `flash` holds them and what layers share.
    """

    flash: int
    ram: int
    layer_flash: tuple[int, ...]


def layer_spans(image: bytes, layers: int) -> list[Span]:
    """Where the model's entries (owner MODEL) and its layers (2, 3, ...) begin in an ELF file.

    A span holds the first instruction alone: what runs behind it, inlined or called, works for its owner.
    Raises ModelError when a layer is not noted.
    """
    entries = [one for one in read_elf(image).table if one.name.partition(".")[0] in _ENTRIES]
    owners = {entry.address: MODEL for entry in entries}
    notes = section_bytes(image, _NOTES)
    for address, number in struct.iter_unpack("<II", notes[: len(notes) // 8 * 8]):
        if any(one.address <= address < one.address + one.size for one in entries):
            owners[address] = MODEL + number  # of several at one address the last, as the others are empty
    missing = set(range(MODEL + 1, MODEL + 1 + layers)) - set(owners.values())
    if missing:
        raise ModelError(
            f"the image does not note where {len(missing)} of {layers} layers begin",
            why="it was stripped, or was not made by this edgegrf",
        )
    return [Span(address, address + 1, owner) for address, owner in owners.items()]


def footprint(elf: Elf, layers: Sequence[Layer]) -> Footprint:
    """The model's bytes in flash and RAM, from the symbols of the image; alignment is left out."""
    writable = {section.name for section in elf.sections if section.writable}
    flash = ram = 0
    by_layer = [0] * len(layers)
    for symbol in elf.table:
        if not _is_model(symbol):
            continue
        initialised = symbol.section not in writable or symbol.section == ".data"
        ram += symbol.size if symbol.section in writable else 0
        flash += symbol.size if initialised else 0
        index = _layer_of(symbol, layers)
        if index is not None and initialised:
            by_layer[index] += symbol.size
    return Footprint(flash, ram, tuple(by_layer))


def _is_model(symbol: Symbol) -> bool:
    if symbol.file:
        return bool(_MODEL_FILE.fullmatch(symbol.file.rpartition("/")[2]))
    return bool(_MODEL_NAME.fullmatch(symbol.name))


def _layer_of(symbol: Symbol, layers: Sequence[Layer]) -> int | None:
    for index, layer in enumerate(layers):
        if symbol.name == layer.name or symbol.name.startswith(layer.name + "_"):
            return index
    return None
