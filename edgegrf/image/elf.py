# SPDX-License-Identifier: Apache-2.0
"""Reads what an image needs of an ELF file: 32-bit little-endian, as linkers write it."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from edgegrf.errors import ModelError

__all__ = ["Elf", "Section", "Segment", "Symbol", "read_elf", "section_bytes"]

_ALLOCATED, _WRITABLE = 2, 1  # SHF_ALLOC, SHF_WRITE
_LOAD, _SYMBOL_TABLE = 1, 2  # PT_LOAD, SHT_SYMTAB
_OBJECT, _FUNCTION, _FILE = 1, 2, 4  # STT_OBJECT, STT_FUNC, STT_FILE
_GLOBAL = 1  # STB_GLOBAL
_RESERVED = 0xFF00  # SHN_LORESERVE: no section


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
class Symbol:
    """A function or an object: where it lies, its bytes, its section, and the source file of a local one."""

    name: str
    address: int
    size: int
    function: bool
    section: str
    file: str  # "" where it is global


@dataclass(frozen=True)
class Elf:
    """`segments` to be loaded, in order; `sections`; `table` of symbols by address; where it begins."""

    segments: tuple[Segment, ...]
    sections: tuple[Section, ...]
    table: tuple[Symbol, ...]
    entry: int = 0

    @property
    def symbols(self) -> dict[str, int]:
        """The bytes of each symbol by name; of several with one name, the last."""
        return {symbol.name: symbol.size for symbol in self.table}


def read_elf(data: bytes) -> Elf:
    """The parts of an ELF32 little-endian executable that end up on a board; raises ModelError."""
    if data[:6] != b"\x7fELF\x01\x01":
        raise ModelError("not an ELF file of a 32-bit little-endian core")
    try:
        headers = _section_headers(data)
        (entry,) = struct.unpack_from("<I", data, 24)
        return Elf(_segments(data), _sections(data, headers), _symbols(data, headers), entry)
    except (struct.error, IndexError, ValueError) as error:
        raise ModelError("a damaged ELF file", why=str(error)) from error


def section_bytes(data: bytes, name: str) -> bytes:
    """What the section `name` of an ELF file holds; b"" where there is none."""
    headers = _section_headers(data)
    (names,) = struct.unpack_from("<H", data, 50)
    for header in headers:
        if _text(data, headers[names], header.name) == name:
            return data[header.offset : header.offset + header.size]
    return b""


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


def _symbols(data: bytes, headers: list[_Header]) -> tuple[Symbol, ...]:
    found: list[Symbol] = []
    (names,) = struct.unpack_from("<H", data, 50)
    sections = [_text(data, headers[names], header.name) for header in headers]
    for header in headers:
        if header.kind != _SYMBOL_TABLE:
            continue
        file = ""  # local symbols follow the one that names their file
        for offset in range(header.offset, header.offset + header.size, 16):
            name, value, size, info, _, index = struct.unpack_from("<IIIBBH", data, offset)
            kind, is_global = info & 15, info >> 4 >= _GLOBAL
            if kind == _FILE:
                file = _text(data, headers[header.link], name)
            elif size and kind in (_OBJECT, _FUNCTION) and index < _RESERVED:
                function = kind == _FUNCTION
                address = value & ~1 if function else value  # bit 0 says Thumb
                where = (sections[index], "" if is_global else file)
                found.append(Symbol(_text(data, headers[header.link], name), address, size, function, *where))
    return tuple(sorted(found, key=lambda symbol: (symbol.address, symbol.name)))
