# SPDX-License-Identifier: Apache-2.0
"""Firmware images as a virtual board loads them: ELF32 with symbols, Intel HEX, Espressif's, or raw bytes."""

from __future__ import annotations

import bisect
import struct
from dataclasses import dataclass
from pathlib import Path

from edgegrf.errors import UsageError

__all__ = ["Firmware", "load_image"]

_PT_LOAD = 1
_SHT_SYMTAB = 2
_STT_OBJECT, _STT_FUNC = 1, 2
_EM_ARM, _EM_RISCV = 40, 243


@dataclass(frozen=True)
class Firmware:
    """What goes where in memory, and the names of addresses as far as the file tells them."""

    segments: tuple[tuple[int, bytes], ...]  # (load address, bytes)
    symbols: tuple[tuple[int, str], ...] = ()  # functions and objects by address
    entry: int = 0  # where a program in RAM begins

    def nearest(self, address: int) -> str:
        """The symbol at or before `address` as "name+0x12"; "" when there is none."""
        place = bisect.bisect_right(self.symbols, (address, "\U0010ffff")) - 1
        if place < 0:
            return ""
        start, name = self.symbols[place]
        return f"{name}+0x{address - start:X}" if address > start else name


def load_image(image: bytes | Path, origin: int = 0) -> Firmware:
    """Read an image; its first bytes tell its kind, a raw one belongs at `origin`.  Raises UsageError."""
    if isinstance(image, Path):
        try:
            data = image.read_bytes()
        except OSError as error:
            raise UsageError(f"cannot read {image}", why=error.strerror or str(error)) from error
    else:
        data = image
    try:
        if data[:4] == b"\x7fELF":
            return _elf(data)
        if data[:1] == b":":
            return _hex(data)
        if data[:1] == b"\xe9":
            return _esp(data)
    except (struct.error, ValueError, IndexError) as error:
        raise UsageError("the firmware image is damaged", why=str(error), fix="build it again") from error
    if len(data) < 8:
        raise UsageError(f"the firmware image has {len(data)} bytes", why="it holds no vector table")
    return Firmware(((origin, data),))


def _elf(data: bytes) -> Firmware:
    if data[4] != 1 or data[5] != 1:
        raise UsageError("the firmware image is not a 32-bit little-endian ELF file")
    machine = struct.unpack_from("<H", data, 18)[0]
    if machine not in (_EM_ARM, _EM_RISCV):
        raise UsageError(f"the firmware image is for another kind of core (ELF machine {machine})")
    entry, segment_table, section_table = struct.unpack_from("<III", data, 24)
    segment_size, segment_count, section_size, section_count = struct.unpack_from("<HHHH", data, 42)
    segments = []
    for index in range(segment_count):
        place = segment_table + index * segment_size
        kind, offset, _, address, size = struct.unpack_from("<IIIII", data, place)
        if kind == _PT_LOAD and size:
            if offset + size > len(data):
                raise ValueError(f"segment {index} ends beyond the file")
            segments.append((address, data[offset : offset + size]))
    if not segments:
        raise ValueError("the file holds nothing to load")
    places = range(section_table, section_table + section_count * section_size, section_size or 1)
    headers = [struct.unpack_from("<IIIIIIIIII", data, place) for place in places]
    return Firmware(tuple(segments), _symbols(data, headers), entry)


def _symbols(data: bytes, headers: list[tuple[int, ...]]) -> tuple[tuple[int, str], ...]:
    found = []
    for _, kind, _, _, offset, size, link, _, _, entry in headers:
        if kind != _SHT_SYMTAB or not entry:
            continue
        names = headers[link][4]
        for place in range(offset, offset + size, entry):
            name, value, _, info = struct.unpack_from("<IIIB", data, place)
            if info & 0xF in (_STT_OBJECT, _STT_FUNC):
                end = data.index(b"\0", names + name)
                text = data[names + name : end].decode(errors="replace")
                found.append((value & ~1 if info & 0xF == _STT_FUNC else value, text))
    return tuple(sorted(found))


def _esp(data: bytes) -> Firmware:
    """An image that Espressif's ROM loads into RAM."""
    from edgegrf.image.esp import read_esp

    image = read_esp(data)
    return Firmware(tuple((part.address, part.data) for part in image.segments), entry=image.entry)


def _hex(data: bytes) -> Firmware:
    """Intel HEX: records of 16-bit addresses, with extended segment (02) and linear (04) bases."""
    chunks: dict[int, bytes] = {}
    base = 0
    for number, line in enumerate(data.split(), 1):
        record = bytes.fromhex(line[1:].decode("ascii"))
        if line[:1] != b":" or len(record) != record[0] + 5 or sum(record) & 0xFF:
            raise ValueError(f"line {number} is not a sound Intel HEX record")
        address, kind, payload = int.from_bytes(record[1:3], "big"), record[3], record[4:-1]
        if kind == 0:
            chunks[base + address] = payload
        elif kind == 1:
            return Firmware(_joined(chunks))
        elif kind in (2, 4):
            base = int.from_bytes(payload, "big") << (4 if kind == 2 else 16)
    raise ValueError("the end record is missing")


def _joined(chunks: dict[int, bytes]) -> tuple[tuple[int, bytes], ...]:
    joined: list[tuple[int, bytearray]] = []
    for address, payload in sorted(chunks.items()):
        if joined and joined[-1][0] + len(joined[-1][1]) == address:
            joined[-1][1].extend(payload)
        else:
            joined.append((address, bytearray(payload)))
    return tuple((address, bytes(payload)) for address, payload in joined)
