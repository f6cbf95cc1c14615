# SPDX-License-Identifier: Apache-2.0
"""Writes the test vectors of the protocol: tests/link/vectors.json and their table in SPEC.md.

    python tests/link/vectors.py

A vector is a frame's fields and its bytes on the line, both ends' tests read them.  `bad` are bytes that
hold no frame, and which counter they raise.
"""

from __future__ import annotations

import json
import struct
import sys
import zlib
from pathlib import Path

from cobs import cobs

sys.path.insert(0, str(Path(__file__).parent))
from board_model import greeting

from edgegrf.link.frames import Frame, encode
from edgegrf.link.hello import HelloRequest
from edgegrf.link.live_messages import LiveStatus, ScanFacts, StartRequest
from edgegrf.link.messages import (
    BoardError,
    ReadRequest,
    RunReply,
    Stats,
    StepReply,
    StepRequest,
    WriteRequest,
)

JSON = Path(__file__).with_name("vectors.json")
SPEC = Path(__file__).resolve().parents[2] / "SPEC.md"
BEGIN, END = "<!-- vectors: written by tests/link/vectors.py -->\n", "<!-- end of vectors -->\n"

LIVE = struct.pack("<IIIHHBB", 7, 70_000, 5_300, 91, 0, 0x03, 3)
LIVE += bytes.fromhex("236145") + bytes((0x90, 0xA0)) + bytes((0x02, 0x00)) + bytes((0x11,))

GOOD = {
    "HELLO request": Frame(0x01, 0, HelloRequest(1, 1).encode()),
    "HELLO reply": Frame(0x81, 0, greeting().encode()),
    "RESET request": Frame(0x02, 1),
    "RESET reply": Frame(0x82, 1),
    "STEP request": Frame(0x03, 2, StepRequest(0, bytes((0x80, 0, 0x7F, 0xFF, 1, 2, 3, 0))).encode()),
    "STEP reply": Frame(
        0x83, 2, StepReply(0, 2, 2, struct.pack("<2I", 25_000, 25_256), b"\x80\x11").encode()
    ),
    "WRITE request": Frame(0x04, 3, WriteRequest(252, b"\x00\x01\x02").encode()),
    "RUN reply": Frame(0x85, 4, RunReply(1_234_567).encode()),
    "READ request": Frame(0x06, 255, ReadRequest(0, 256).encode()),
    "READ reply": Frame(0x86, 255, bytes(range(256))),
    "longest, without a zero byte": Frame(0x86, 7, bytes([0xA5]) * 256),
    "STATS request": Frame(0x07, 5),
    "STATS reply": Frame(0x87, 5, Stats(700, 4096, 30_000, 9_000, 512, 7, 1, 0, 2, 0, 1500, 25_300).encode()),
    "START request": Frame(0x08, 6, StartRequest(0, 1, 6, 2000).encode()),
    "START reply": Frame(0x88, 6, struct.pack("<I", 100_000)),
    "LIVE, two sensors, the second open": Frame(0xC0, 255, LIVE),
    "STATUS request": Frame(0x0A, 7),
    "STATUS reply": Frame(
        0x8A, 7, LiveStatus(0x80, 6, 1, 0, 100_000, 800, 800, 0, 0, 63, 4, 95, 5_400, 2).encode()
    ),
    "SCAN reply": Frame(
        0x8B, 8, ScanFacts(0, 8, 8, 100_000, 10, 16_000_000, 8, 4080, 4095, 7, (0, 2, 3, 6)).encode()
    ),
    "CAL_READ request": Frame(0x0C, 9, struct.pack("<HH", 16, 24)),
    "CAL_COMMIT request": Frame(0x0E, 10, struct.pack("<I", 0x12345678)),
    "FAULT request": Frame(0x10, 11, b"\x01"),
    "ERROR SEQUENCE": Frame(0xFF, 9, BoardError(6, 0x03, 8).encode()),
    "ERROR NOT_GREETED": Frame(0xFF, 0, BoardError(7, 0x07, 0).encode()),
}


def good():
    return [
        {
            "name": name,
            "type": frame.type,
            "seq": frame.seq,
            "body": frame.body.hex(),
            "frame": encode(frame).hex(),
        }
        for name, frame in GOOD.items()
    ]


def bad():
    step = encode(GOOD["STEP request"])
    long = encode(GOOD["longest, without a zero byte"])
    flipped = step[:5] + bytes((step[5] ^ 4,)) + step[6:]
    endless = (long[:-1] * 3).replace(b"\x00", b"\x55") + b"\x00"
    rows = [
        ("one bit flipped", flipped, "checks"),
        ("last byte missing", step[:-2] + b"\x00", "checks"),
        ("COBS that points past its end", bytes.fromhex("00ff010200"), "checks"),
        ("content of 5 bytes", bytes.fromhex("0006112233445500"), "lengths"),
        ("content of 263 bytes", oversized(), "lengths"),
        ("a run without end", endless, "lengths"),
    ]
    return [{"name": name, "bytes": raw.hex(), "counter": counter} for name, raw, counter in rows]


def oversized():
    content = b"\x86\x07" + b"\xa5" * 257
    return b"\x00" + cobs.encode(content + struct.pack("<I", zlib.crc32(content))) + b"\x00"


def json_text():
    return json.dumps({"good": good(), "bad": bad()}, indent=1) + "\n"


def spec_table():
    rows = ["| frame | type | seq | body | on the line |", "|---|---|---|---|---|"]
    for vector in good():
        if len(vector["body"]) <= 32:
            body = f"`{vector['body']}`" if vector["body"] else "-"
            head = f"{vector['name']} | 0x{vector['type']:02X} | {vector['seq']}"
            rows.append(f"| {head} | {body} | `{vector['frame']}` |")
    return "\n".join(rows) + "\n"


def spec_text():
    text = SPEC.read_text()
    before, after = text.split(BEGIN)[0], text.split(END)[-1]
    return before + BEGIN + spec_table() + END + after


if __name__ == "__main__":
    JSON.write_text(json_text())
    SPEC.write_text(spec_text())
