# SPDX-License-Identifier: Apache-2.0
"""Which code and data of a firmware image belong to the model, and to which of its layers.

The names are the compiler's (compiler/templates/model.c.j2): a layer's code lies in `model_l<index>_<mode>`,
its constants are named after the layer.  Everything else that model.c or a kernel file (eg_*.c) defines
is the model's, but no single layer's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from edgegrf.compiler.plan import Layer
from edgegrf.errors import ModelError
from edgegrf.image.elf import Elf, Symbol
from edgegrf.virtual import Span

__all__ = ["MODEL", "Footprint", "footprint", "layer_spans"]

#: the owner of what the model does between its layers; layer n has owner n + 2
MODEL = 1

_LAYER = re.compile(r"model_l(\d+)_(?:window|step)(?:\.|$)")
_ENTRY = re.compile(r"model_(?:window|step)(?:\.|$)")
_MODEL_FILE = re.compile(r"(?:model|eg_\w+)\.[cS]")
_MODEL_NAME = re.compile(r"(?:model|eg)_\w+")


@dataclass(frozen=True)
class Footprint:
    """Bytes of the model in an image, without what only the firmware around it needs.

    `layer_flash` are each layer's constants and own code; `flash` holds them and what layers share.
    """

    flash: int
    ram: int
    layer_flash: tuple[int, ...]


def layer_spans(elf: Elf, layers: int) -> list[Span]:
    """The spans of the model's entries (owner MODEL) and of its layers (2, 3, ...).

    Raises ModelError when a layer has no code of its own.
    """
    spans = []
    for symbol in elf.table:
        found = _LAYER.match(symbol.name)
        if symbol.function and (found or _ENTRY.match(symbol.name)):
            owner = int(found[1]) + MODEL + 1 if found else MODEL
            spans.append(Span(symbol.address, symbol.address + symbol.size, owner))
    missing = set(range(MODEL, MODEL + 1 + layers)) - {span.owner for span in spans}
    if missing:
        raise ModelError(
            f"the image has no code of its own for {len(missing)} of {layers} layers",
            why="it has no symbols, or was not made by this edgegrf",
        )
    return spans


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
    found = _LAYER.match(symbol.name)
    if found:
        return int(found[1])
    for index, layer in enumerate(layers):
        if symbol.name == layer.name or symbol.name.startswith(layer.name + "_"):
            return index
    return None
