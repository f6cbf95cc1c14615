# SPDX-License-Identifier: Apache-2.0
"""Firmware and probes built once a session, and a small client of SPEC.md of their own."""

from __future__ import annotations

import os
import select
import struct
import subprocess
import time
import tty
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cobs import cobs

from edgegrf.boards import board
from edgegrf.image import Image, build_image_of_c
from edgegrf.process import run
from edgegrf.toolchain import host_compiler

FIRMWARE = Path(__file__).parents[2] / "firmware"
WARNINGS = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wmissing-prototypes"]


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Builds firmware/tests/NAME.c with core/ under the sanitizers; gives the program."""
    folder = tmp_path_factory.mktemp("probes")
    compiler = host_compiler()
    sanitizers = "address,undefined" if compiler.has_asan else "undefined"

    def build(name: str) -> Path:
        program = folder / name
        sources = [FIRMWARE / "tests" / f"{name}.c", FIRMWARE / "core/frame.c", FIRMWARE / "core/link.c"]
        options = ["-g", "-O1", f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all", f"-I{FIRMWARE}/core"]
        if not program.exists():
            run([*compiler.argv, *WARNINGS, *options, *map(str, sources), "-o", str(program)])
        return program

    return build


@pytest.fixture(scope="session")
def image_of(
    tmp_path_factory: pytest.TempPathFactory, needs_compiler: Callable[[str, str | None], None]
) -> Callable[..., Image]:
    """image_of(board, model, compiler=None): the firmware with firmware/tests/MODEL inside."""

    def build(board_name: str, model: str, compiler: str | None = None) -> Image:
        if compiler:
            needs_compiler(board(board_name).core, compiler)
        folder = tmp_path_factory.getbasetemp() / f"{board_name}-{model}-{compiler}"
        return build_image_of_c(board(board_name), FIRMWARE / "tests" / model, folder, compiler=compiler)

    return build


def frame(kind: int, seq: int, body: bytes = b"") -> bytes:
    """A frame of SPEC.md section 1."""
    content = bytes((kind, seq)) + body
    return b"\0" + cobs.encode(content + struct.pack("<I", zlib.crc32(content))) + b"\0"


def parse(wire: bytes) -> tuple[int, int, bytes]:
    """(type, seq, body) of one frame without its delimiters."""
    content = cobs.decode(wire)
    assert zlib.crc32(content[:-4]) == struct.unpack("<I", content[-4:])[0]
    return content[0], content[1], content[2:-4]


@dataclass
class Board:
    """A board behind `write` and `read(seconds)`, spoken to one frame at a time."""

    write: Callable[[bytes], None]
    read: Callable[[float], bytes]
    seq: int = 0
    waiting: bytearray = field(default_factory=bytearray)
    live: list[tuple[int, bytes]] = field(default_factory=list)  # (seq, body) of what came unasked
    machine: Any = None  # the VirtualBoard, where it is one

    def send(self, kind: int, seq: int, body: bytes = b"") -> int:
        """Send a frame; its bytes on the line."""
        data = frame(kind, seq, body)
        self.write(data)
        return len(data)

    def replies(self, count: int, seconds: float = 5.0) -> list[tuple[int, int, bytes]]:
        """The next `count` replies, fewer if they do not come in time."""
        end = time.monotonic() + seconds
        found = self.gather(count)
        while len(found) < count and time.monotonic() < end:
            self.waiting += self.read(0.05)
            found += self.gather(count - len(found))
        return found

    def gather(self, count: int = 1) -> list[tuple[int, int, bytes]]:
        """Up to `count` replies of what was read; LIVE frames before them go to `live`."""
        found: list[tuple[int, int, bytes]] = []
        while len(found) < count and (piece := self._piece()) is not None:
            if piece and (reply := parse(piece))[0] != 0xC0:
                found.append(reply)
            elif piece:
                self.live.append(reply[1:])
        return found

    def _piece(self) -> bytes | None:
        head, zero, rest = bytes(self.waiting).partition(b"\0")
        if not zero:
            return None
        self.waiting[:] = rest
        return head

    def ask(self, kind: int, body: bytes = b"", *, seq: int | None = None) -> tuple[int, bytes]:
        """Send a request with the next seq; (type, body) of its reply."""
        number = self.seq if seq is None else seq
        self.send(kind, number, body)
        ((reply, answered, content),) = self.replies(1)
        assert answered == number
        if seq is None:
            self.seq = (self.seq + 1) % 256
        return reply, content

    def greet(self, seq: int = 0) -> bytes:
        """HELLO; the reply's body."""
        self.seq = seq
        kind, body = self.ask(0x01, b"\x01\x01")
        assert kind == 0x81
        return body


@pytest.fixture
def native(image_of: Callable[..., Image]) -> Iterator[Callable[[str], Board]]:
    """native(model): the native board as a process on a pty; a sanitizer's report fails the test."""
    started: list[tuple[subprocess.Popen[bytes], int]] = []

    def start(model: str) -> Board:
        ours, theirs = os.openpty()
        tty.setraw(ours)
        program = image_of("native", model).elf
        process = subprocess.Popen([program], stdin=theirs, stdout=theirs, stderr=subprocess.PIPE)
        os.close(theirs)
        started.append((process, ours))

        def read(seconds: float) -> bytes:
            ready, _, _ = select.select([ours], [], [], seconds)
            return os.read(ours, 4096) if ready else b""

        return Board(lambda data: _write_all(ours, data), read)

    yield start
    for process, ours in started:
        os.close(ours)
        _, said = process.communicate(timeout=10)
        assert process.returncode == 0, said.decode()


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]


@pytest.fixture
def virtual(image_of: Callable[..., Image]) -> Iterator[Callable[..., Board]]:
    """virtual(model, compiler=None, name="nrf52840dk"): the board's very image on the emulated chip; with
    strict=False a fault runs its handler instead of ending the test."""
    pytest.importorskip("unicorn")
    from edgegrf.virtual import VirtualBoard

    boards: list[VirtualBoard] = []

    def start(
        model: str, compiler: str | None = None, name: str = "nrf52840dk", *, strict: bool = True
    ) -> Board:
        made = VirtualBoard(image_of(name, model, compiler).elf, board(name), strict=strict)
        boards.append(made)
        return Board(made.feed, made.run, machine=made)

    yield start
    for made in boards:
        made.close()
