# SPDX-License-Identifier: Apache-2.0
"""Packets of the nRF5 SDK's serial DFU (SDK 11, "HCI"): SLIP frames with sequence numbers and a CRC.

The header is that of a reliable packet of Bluetooth's three-wire UART transport (Core specification, volume
4, part D); SLIP is RFC 1055, the CRC is CRC-16/CCITT with all bits set at first.
"""

from __future__ import annotations

import binascii
import struct

__all__ = ["DATA_BYTES", "INIT", "START", "STOP", "WRITE", "Acks", "data_packet", "init_body", "start_body"]

#: the first word of a packet
INIT, START, WRITE, STOP = 1, 3, 4, 5

#: of the image in one packet
DATA_BYTES = 512

_END, _ESCAPE, _ESCAPED_END, _ESCAPED_ESCAPE = b"\xc0", b"\xdb", b"\xdb\xdc", b"\xdb\xdd"
_VENDOR_SPECIFIC, _HAS_CRC, _RELIABLE = 14, 1 << 6, 1 << 7
_APPLICATION = 4
_DEVICE_TYPE, _ANY = 0x0052, 0xFFFF


def data_packet(seq: int, kind: int, body: bytes = b"") -> bytes:
    """The packet of sequence number `seq` (0..7) as it goes over the line."""
    content = struct.pack("<I", kind) + body
    first = seq | (seq + 1) % 8 << 3 | _HAS_CRC | _RELIABLE
    header = bytes((first, _VENDOR_SPECIFIC | (len(content) & 15) << 4, len(content) >> 4))
    packet = header + bytes((-sum(header) & 0xFF,)) + content
    packet += struct.pack("<H", binascii.crc_hqx(packet, 0xFFFF))
    return _END + packet.replace(_ESCAPE, _ESCAPED_ESCAPE).replace(_END, _ESCAPED_END) + _END


def start_body(size: int) -> bytes:
    """START for an application of `size` bytes, a multiple of 4."""
    return struct.pack("<4I", _APPLICATION, 0, 0, size)


def init_body(image: bytes, softdevice_id: int) -> bytes:
    """INIT for `image`, which needs the SoftDevice of that FWID: device, revision, version, FWIDs, CRC."""
    crc = binascii.crc_hqx(image, 0xFFFF)
    return struct.pack("<HHIHHHH", _DEVICE_TYPE, _ANY, 0xFFFFFFFF, 1, softdevice_id, crc, 0)


class Acks:
    """Bytes from the boot loader to acknowledgements; whatever is not one is skipped."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, data: bytes) -> list[int]:
        """The sequence numbers (0..7) that the boot loader now expects, one an acknowledgement."""
        self._waiting += data
        *pieces, rest = bytes(self._waiting).split(_END)
        self._waiting[:] = rest
        return [number for piece in pieces if (number := _expected(piece)) is not None]


def _expected(piece: bytes) -> int | None:
    header = piece.replace(_ESCAPED_END, _END).replace(_ESCAPED_ESCAPE, _ESCAPE)
    if len(header) != 4 or sum(header) & 0xFF or header[1] & 15:
        return None
    return header[0] >> 3 & 7
