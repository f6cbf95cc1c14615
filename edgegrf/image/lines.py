# SPDX-License-Identifier: Apache-2.0
"""Which source line each address of an image comes from: the line table of its debug information.

Format: DWARF Debugging Information Format 5, section 6.2, and its forerunners from version 2 on.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from edgegrf.errors import ModelError
from edgegrf.image.elf import section_bytes

__all__ = ["CodeLine", "code_lines"]


@dataclass(frozen=True, order=True)
class CodeLine:
    """Code from `start` up to `end` that comes from `line` of `file`, a name without its folder."""

    start: int
    end: int
    file: str
    line: int


def code_lines(elf: bytes) -> list[CodeLine]:
    """The line table of an ELF file, by address; empty without debug information.  Raises ModelError."""
    table = _Reader(section_bytes(elf, ".debug_line"))
    strings = {form: section_bytes(elf, name) for form, name in _STRING_SECTIONS.items()}
    found: list[CodeLine] = []
    try:
        while not table.at_end:
            found.extend(_unit(table, strings))
    except (struct.error, LookupError, ValueError, ArithmeticError) as error:
        raise ModelError("damaged debug information", why=str(error), fix="build the image again") from error
    return sorted(found)


#: forms of a string: in place, in .debug_str, in .debug_line_str
_STRING, _STRP, _LINE_STRP = 0x08, 0x0E, 0x1F
_STRING_SECTIONS = {_STRP: ".debug_str", _LINE_STRP: ".debug_line_str"}
#: forms of numbers: bytes; 0 for LEB128
_NUMBERS = {0x0B: 1, 0x05: 2, 0x06: 4, 0x07: 8, 0x0F: 0, 0x1E: 16}
_PATH = 1  # DW_LNCT_path


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    @property
    def at_end(self) -> bool:
        return self.at >= len(self._data)

    def number(self, size: int, *, signed: bool = False) -> int:
        if self.at + size > len(self._data):
            raise ValueError("the line table ends in the middle")
        value = int.from_bytes(self._data[self.at : self.at + size], "little", signed=signed)
        self.at += size
        return value

    def leb(self, *, signed: bool = False) -> int:
        value = shift = 0
        while True:
            byte = self.number(1)
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value - (1 << shift) if signed and byte & 0x40 else value

    def text(self) -> str:
        end = self._data.index(b"\0", self.at)
        text = self._data[self.at : end].decode(errors="replace")
        self.at = end + 1
        return text


@dataclass
class _Header:
    files: list[str]  # by the number that the program uses
    min_length: int
    line_base: int
    line_range: int
    operands: list[int]  # of each standard opcode, from 1 on


def _unit(table: _Reader, strings: dict[int, bytes]) -> Iterator[CodeLine]:
    end = table.number(4) + table.at
    version = table.number(2)
    if not 2 <= version <= 5:
        raise ValueError(f"version {version} of the line table")
    if version == 5:
        table.number(2)  # sizes of addresses and segment selectors
    program = table.number(4) + table.at
    min_length = table.number(1)
    if version >= 4:
        table.number(1)  # operations of an instruction: 1 but for VLIW cores
    table.number(1)  # whether rows are statements at first
    base, spread, opcodes = table.number(1, signed=True), table.number(1), table.number(1)
    operands = [table.number(1) for _ in range(1, opcodes)]
    files = _files5(table, strings) if version == 5 else _files(table)
    table.at = program
    yield from _rows(table, end, _Header(files, min_length, base, spread, operands))
    table.at = end


def _files(table: _Reader) -> list[str]:
    while table.text():
        pass  # folders
    files = [""]  # numbered from 1
    while name := table.text():
        files.append(name)
        for _ in range(3):  # folder, time, size
            table.leb()
    return files


def _files5(table: _Reader, strings: dict[int, bytes]) -> list[str]:
    _entries(table, strings)  # folders
    return [path.rpartition("/")[2] for path in _entries(table, strings)]


def _entries(table: _Reader, strings: dict[int, bytes]) -> list[str]:
    forms = [(table.leb(), table.leb()) for _ in range(table.number(1))]
    found: list[str] = []
    count = table.leb()
    if count and not forms:
        raise ValueError(f"{count} names of no form")
    for _ in range(count):
        path = ""
        for content, form in forms:
            value = _value(table, form, strings)
            path = str(value) if content == _PATH else path
        found.append(path)
    return found


def _value(table: _Reader, form: int, strings: dict[int, bytes]) -> int | str:
    if form == _STRING:
        return table.text()
    if form in strings:
        text = _Reader(strings[form])
        text.at = table.number(4)
        return text.text()
    size = _NUMBERS[form]
    return table.number(size) if size else table.leb()


def _rows(table: _Reader, end: int, header: _Header) -> Iterator[CodeLine]:
    """Run the line number program; a row's code ends where the next row begins."""
    address, file, line = 0, 1, 1
    last: tuple[int, int, int] | None = None
    while table.at < end:
        opcode, emit, closes = table.number(1), False, False
        if opcode > len(header.operands):  # special
            step = opcode - len(header.operands) - 1
            address += step // header.line_range * header.min_length
            line += header.line_base + step % header.line_range
            emit = True
        elif opcode == 0:
            size = table.leb()
            after, kind = table.at + size, table.number(1)
            address = table.number(size - 1) if kind == 2 else address
            emit = closes = kind == 1
            table.at = after
        elif opcode == 1:
            emit = True
        elif opcode == 8:  # as special opcode 255, without a row
            address += (254 - len(header.operands)) // header.line_range * header.min_length
        elif opcode == 9:
            address += table.number(2)
        else:
            values = [table.leb(signed=opcode == 3) for _ in range(header.operands[opcode - 1])]
            address += values[0] * header.min_length if opcode == 2 else 0
            line += values[0] if opcode == 3 else 0
            file = values[0] if opcode == 4 else file
        if emit:
            if last and last[0] < address:
                yield CodeLine(last[0], address, header.files[last[1]], last[2])
            last = None if closes else (address, file, line)
        if closes:
            address, file, line = 0, 1, 1
