# SPDX-License-Identifier: Apache-2.0
"""Which code and data of a firmware image belong to the model, and to which of its layers.

model.c says in a comment which lines are a layer's (compiler/templates/model.c.j2), and the line table of the
image says which addresses those lines became.  Constants are named after their layer.  Everything else that
model.c or a kernel file (eg_*.c) defines is the model's, but no single layer's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from edgegrf.compiler.plan import Layer
from edgegrf.errors import ModelError
from edgegrf.image.elf import Elf, Symbol
from edgegrf.image.lines import CodeLine
from edgegrf.virtual import Span

__all__ = ["MODEL", "Footprint", "footprint", "layer_spans"]

#: the owner of what the model does between its layers; layer n has owner n + 2
MODEL = 1

_MARK = re.compile(r"/\* layer (\d+) \*/")
_ENTRIES = ("model_window", "model_step")
_SOURCE = "model.c"
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


def layer_spans(elf: Elf, lines: Sequence[CodeLine], source: str, layers: int) -> list[Span]:
    """The code of the model's entries (owner MODEL) and of its layers (2, 3, ...); `source` is model.c.

    Code that was inlined from elsewhere is in no span.  Raises ModelError when a layer has no code.
    """
    owners = {
        number: MODEL + 1 + int(mark[1])
        for number, line in enumerate(source.splitlines(), 1)
        for mark in _MARK.finditer(line)
    }
    entries = [symbol for symbol in elf.table if symbol.name in _ENTRIES]
    spans = [
        Span(row.start, row.end, owners.get(row.line, MODEL))
        for entry in entries
        for row in lines
        if row.file == _SOURCE and entry.address <= row.start < entry.address + entry.size
    ]
    missing = set(range(MODEL, MODEL + 1 + layers)) - {span.owner for span in spans}
    if missing:
        raise ModelError(
            f"the image has no code of its own for {len(missing)} of {layers} layers",
            why="it has no debug information, or was not made by this edgegrf",
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
    for index, layer in enumerate(layers):
        if symbol.name == layer.name or symbol.name.startswith(layer.name + "_"):
            return index
    return None
