# SPDX-License-Identifier: Apache-2.0
"""Image file formats: raw binary, Intel HEX (Intel, 1988) and UF2 (github.com/microsoft/uf2), both ways."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

from edgegrf.errors import ModelError
from edgegrf.image.elf import Segment, read_elf

__all__ = ["read_hex", "read_image", "read_uf2", "to_binary", "to_hex", "to_uf2"]

_UF2_BLOCK = struct.Struct("<8I476sI")
_UF2_MAGIC = (0x0A324655, 0x9E5D5157, 0x0AB16F30)
_UF2_NOT_FLASH, _UF2_HAS_FAMILY = 0x1, 0x2000
_UF2_PAYLOAD = 256
_HEX_ROW = 16


def to_binary(segments: Iterable[Segment]) -> tuple[int, bytes]:
    """(address, bytes) of the whole image; gaps are 0xFF as erased flash is."""
    ordered = sorted(segments, key=lambda segment: segment.address)
    if not ordered:
        raise ModelError("an image without a single byte")
    start = ordered[0].address
    out = bytearray()
    for segment in ordered:
        if segment.address < start + len(out):
            raise ModelError(f"two parts of the image overlap at 0x{segment.address:08X}")
        out += b"\xff" * (segment.address - start - len(out)) + segment.data
    return start, bytes(out)


def to_hex(segments: Iterable[Segment]) -> str:
    """Intel HEX with 32-bit addresses, 16 bytes a line."""
    lines, upper = [], -1
    for segment in segments:
        address, end = segment.address, segment.address + len(segment.data)
        while address < end:
            if address >> 16 != upper:
                upper = address >> 16
                lines.append(_hex_record(4, 0, upper.to_bytes(2, "big")))
            stop = min(end, (address // _HEX_ROW + 1) * _HEX_ROW)
            row = segment.data[address - segment.address : stop - segment.address]
            lines.append(_hex_record(0, address & 0xFFFF, row))
            address = stop
    return "\n".join([*lines, _hex_record(1, 0, b"")]) + "\n"


def _hex_record(kind: int, address: int, data: bytes) -> str:
    body = struct.pack(">BHB", len(data), address, kind) + data
    return ":" + (body + bytes([-sum(body) & 0xFF])).hex().upper()


def read_hex(text: str) -> list[Segment]:
    """The segments of an Intel HEX file, adjacent rows joined; raises ModelError naming the line."""
    parts: list[tuple[int, bytearray]] = []
    base = 0
    for number, line in enumerate(text.split(), 1):
        kind, offset, data = _hex_parse(number, line)
        if kind == 1:
            return [Segment(address, bytes(data)) for address, data in parts]
        if kind in (2, 4):
            base = int.from_bytes(data, "big") << (4 if kind == 2 else 16)
        elif kind == 0:
            if parts and parts[-1][0] + len(parts[-1][1]) == base + offset:
                parts[-1][1].extend(data)
            else:
                parts.append((base + offset, bytearray(data)))
    raise ModelError("an Intel HEX file without its last line", why="it was cut")


def _hex_parse(number: int, line: str) -> tuple[int, int, bytes]:
    try:
        raw = bytes.fromhex(line.removeprefix(":"))
        length, offset, kind = struct.unpack_from(">BHB", raw)
    except (ValueError, struct.error) as error:
        raise ModelError(f"line {number} is not Intel HEX", why=str(error)) from error
    if not line.startswith(":") or len(raw) != length + 5 or sum(raw) & 0xFF:
        raise ModelError(f"line {number} of the Intel HEX file is damaged", why="length or checksum is wrong")
    return kind, offset, raw[4:-1]


def to_uf2(segments: Iterable[Segment], family: int) -> bytes:
    """UF2 blocks of 256 bytes for the chip family; the last one is padded with 0xFF."""
    start, data = to_binary(segments)
    if start % _UF2_PAYLOAD:
        raise ModelError(f"UF2 wants images that begin at a multiple of 256, not at 0x{start:X}")
    total = -(-len(data) // _UF2_PAYLOAD)
    blocks = []
    for index in range(total):
        payload = data[index * _UF2_PAYLOAD : (index + 1) * _UF2_PAYLOAD].ljust(_UF2_PAYLOAD, b"\xff")
        address = start + index * _UF2_PAYLOAD
        blocks.append(
            _UF2_BLOCK.pack(
                *_UF2_MAGIC[:2],
                _UF2_HAS_FAMILY,
                address,
                _UF2_PAYLOAD,
                index,
                total,
                family,
                payload,
                _UF2_MAGIC[2],
            )
        )
    return b"".join(blocks)


def read_uf2(data: bytes) -> tuple[int | None, list[Segment]]:
    """(family, segments) of a UF2 file; raises ModelError when a block is missing or damaged."""
    if not data or len(data) % _UF2_BLOCK.size:
        raise ModelError(f"a UF2 file of {len(data)} bytes, not a multiple of 512", why="it was cut")
    families: set[int | None] = set()
    segments = []
    for number, block in enumerate(_UF2_BLOCK.iter_unpack(data)):
        magic = (block[0], block[1], block[9])
        flags, address, size, index, total, family, payload = block[2:9]
        if magic != _UF2_MAGIC or size > 476 or index != number or total * _UF2_BLOCK.size != len(data):
            raise ModelError(f"block {number} of the UF2 file is damaged")
        if not flags & _UF2_NOT_FLASH:
            families.add(family if flags & _UF2_HAS_FAMILY else None)
            segments.append(Segment(address, payload[:size]))
    if len(families) != 1:
        raise ModelError(f"a UF2 file for {len(families)} chip families", why="one is expected")
    return families.pop(), segments


def read_image(path: Path) -> tuple[int | None, list[Segment]]:
    """(UF2 family or None, segments) of a .hex, .uf2 or .elf file; raises ModelError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read the image {path}", why=error.strerror or str(error)) from error
    if path.suffix == ".uf2":
        return read_uf2(data)
    if path.suffix == ".hex":
        return None, read_hex(data.decode("ascii", "replace"))
    if path.suffix == ".elf":
        return None, list(read_elf(data).segments)
    raise ModelError(
        f"{path.name} is not an image that can be flashed",
        why="its name ends in neither .hex, .uf2 nor .elf",
        fix="edgegrf build",
    )
