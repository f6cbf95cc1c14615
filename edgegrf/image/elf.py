# SPDX-License-Identifier: Apache-2.0
"""Reads what an image needs of an ELF file: 32-bit little-endian, as the Cortex-M linkers write it."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from edgegrf.errors import ModelError

__all__ = ["Elf", "Section", "Segment", "read_elf"]

_ALLOCATED, _WRITABLE = 2, 1  # SHF_ALLOC, SHF_WRITE
_LOAD, _SYMBOL_TABLE = 1, 2  # PT_LOAD, SHT_SYMTAB
_OBJECT, _FUNCTION = 1, 2  # STT_OBJECT, STT_FUNC


@dataclass(frozen=True)
class Segment:
    """Bytes of flash at `address`, the load address."""

    address: int
    data: bytes


@dataclass(frozen=True)
class Section:
    """A section that takes memory on the board; sizes in bytes."""

    name: str
    size: int
    writable: bool


@dataclass(frozen=True)
class Elf:
    """`segments` to be written to flash, in order; `sections`; `symbols` with their size in bytes."""

    segments: tuple[Segment, ...]
    sections: tuple[Section, ...]
    symbols: dict[str, int]


def read_elf(data: bytes) -> Elf:
    """The parts of an ELF32 little-endian executable that end up on a board; raises ModelError."""
    if data[:6] != b"\x7fELF\x01\x01":
        raise ModelError("not an ELF file of a 32-bit little-endian core")
    try:
        headers = _section_headers(data)
        return Elf(_segments(data), _sections(data, headers), _symbols(data, headers))
    except (struct.error, IndexError, ValueError) as error:
        raise ModelError("a damaged ELF file", why=str(error)) from error


@dataclass(frozen=True)
class _Header:
    name: int
    kind: int
    flags: int
    offset: int
    size: int
    link: int


def _section_headers(data: bytes) -> list[_Header]:
    (table,) = struct.unpack_from("<I", data, 32)
    entry, count, _ = struct.unpack_from("<3H", data, 46)
    headers = []
    for index in range(count):
        words = struct.unpack_from("<10I", data, table + index * entry)
        headers.append(_Header(words[0], words[1], words[2], words[4], words[5], words[6]))
    return headers


def _text(data: bytes, table: _Header, offset: int) -> str:
    start = table.offset + offset
    return data[start : data.index(b"\0", start)].decode()


def _segments(data: bytes) -> tuple[Segment, ...]:
    (table,) = struct.unpack_from("<I", data, 28)
    entry, count = struct.unpack_from("<2H", data, 42)
    found = []
    for index in range(count):
        kind, offset, _, load, size = struct.unpack_from("<5I", data, table + index * entry)
        if kind == _LOAD and size:
            found.append(Segment(load, data[offset : offset + size]))
    return tuple(sorted(found, key=lambda segment: segment.address))


def _sections(data: bytes, headers: list[_Header]) -> tuple[Section, ...]:
    (names,) = struct.unpack_from("<H", data, 50)
    return tuple(
        Section(_text(data, headers[names], header.name), header.size, bool(header.flags & _WRITABLE))
        for header in headers
        if header.flags & _ALLOCATED and header.size
    )


def _symbols(data: bytes, headers: list[_Header]) -> dict[str, int]:
    found: dict[str, int] = {}
    for header in headers:
        if header.kind != _SYMBOL_TABLE:
            continue
        for offset in range(header.offset, header.offset + header.size, 16):
            name, _, size, info = struct.unpack_from("<IIIB", data, offset)
            if size and info & 15 in (_OBJECT, _FUNCTION):
                found[_text(data, headers[header.link], name)] = size
    return found
