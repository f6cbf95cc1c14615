# SPDX-License-Identifier: Apache-2.0
"""Simulated targets of the flashers: a computer's ports, Adafruit's boot loader on a line, and a stand-in
for esptool."""

from __future__ import annotations

import binascii
import json
import struct
import sys
from pathlib import Path

__all__ = ["BootLoader", "Ports", "install_esptool"]


class BootLoader:
    """nRF5 SDK 11's serial DFU as Adafruit's boot loader runs it, written from its sources' behaviour.

    Acknowledges packets before it handles them, drops those of another sequence number, and says nothing
    about an image that does not fit or whose CRC is wrong.  `lose` names acknowledgements (counted from 0)
    that are lost on their way, `garble` packets that arrive damaged; after packet `stop_after` it is dead.
    """

    ROOM = 0xEA000 - 0x26000

    def __init__(self, *, softdevice=0x00B6, lose=(), garble=(), stop_after=None, expected=1):
        self.softdevice, self.lose, self.garble, self.stop_after = (
            softdevice,
            set(lose),
            set(garble),
            stop_after,
        )
        self.expected, self.packets, self.acks = expected, 0, 0
        self.line, self.out, self.closed = bytearray(), bytearray(), False
        self.size, self.image, self.crc, self.started = None, bytearray(), None, False
        self.history = []

    def write(self, data):
        self.line += data
        while self.line.count(b"\xc0") >= 2:
            start = self.line.index(b"\xc0")
            end = self.line.index(b"\xc0", start + 1)
            packet, self.line = bytes(self.line[start + 1 : end]), self.line[end + 1 :]
            if packet:
                self._arrived(packet)

    def read(self, timeout_s):
        del timeout_s  # this target's silence is at once
        data, self.out = bytes(self.out), bytearray()
        return data

    def close(self):
        self.closed = True

    def _arrived(self, packet):
        number, self.packets = self.packets, self.packets + 1
        if self.stop_after is not None and number >= self.stop_after:
            return
        packet = packet.replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb")
        if number in self.garble:
            packet = packet[:-1] + bytes((packet[-1] ^ 1,))
        head, content, crc = packet[:4], packet[4:-2], packet[-2:]
        sound = sum(head) & 0xFF == 0 and struct.unpack("<H", crc)[0] == binascii.crc_hqx(packet[:-2], 0xFFFF)
        if not sound or head[0] & 0xC0 != 0xC0 or head[1] & 15 != 14:
            return
        assert len(content) == head[1] >> 4 | head[2] << 4
        if head[0] & 7 == self.expected:
            self.expected = (self.expected + 1) % 8
            self._acknowledge()
            self._handle(content)
        else:
            self._acknowledge()

    def _acknowledge(self):
        if self.acks not in self.lose:
            ack = bytes((self.expected << 3, 0, 0))
            self.out += b"\xc0" + ack + bytes((-sum(ack) & 0xFF,)) + b"\xc0"
        self.acks += 1

    def _handle(self, content):
        (kind,), body = struct.unpack_from("<I", content), content[4:]
        self.history.append(kind)
        if kind == 3:
            mode, _, _, self.size = struct.unpack("<4I", body)
            assert mode == 4 and self.size % 4 == 0 and self.size <= self.ROOM
        elif kind == 1:
            device, _, _, count, softdevice, self.crc, _ = struct.unpack("<HHIHHHH", body)
            assert (device, count) == (0x0052, 1)
            if softdevice not in (self.softdevice, 0xFFFE):
                self.crc = None
        elif kind == 4 and self.crc is not None:
            self.image += body
        elif kind == 5:
            whole = len(self.image) == self.size and binascii.crc_hqx(bytes(self.image), 0xFFFF) == self.crc
            self.started = self.crc is not None and whole


ESPTOOL = """#!{python}
import json, pathlib, shutil, sys
here = pathlib.Path(__file__).parent
chip = json.loads((here / "chip.json").read_text())
words = sys.argv[1:]
with (here / "calls.jsonl").open("a") as log:
    log.write(json.dumps(words) + "\\n")
options = dict(zip(words[0:-1], words[1:]))
command = next(word for word in words if word in ("flash_id", "write_flash", "load_ram", "erase_region"))
if options["--port"] != chip["port"]:
    sys.exit("A fatal error occurred: Could not open " + options["--port"] + ", the port is busy")
if chip["silent"]:
    sys.exit("A fatal error occurred: Failed to connect to Espressif device: No serial data received.")
if options["--chip"] not in ("auto", chip["family"].lower().replace("-", "")):
    sys.exit("A fatal error occurred: This chip is " + chip["family"] + ", not " + options["--chip"])
for line in chip["says"]:
    print(line)
if command == "flash_id":
    print("Manufacturer: c8\\nDevice: 4016\\nDetected flash size: " + chip["flash"])
elif command == "write_flash":
    places = words[words.index("write_flash") + 7:]
    if chip["fails"]:
        sys.exit("A fatal error occurred: MD5 of file does not match data in flash!")
    for offset, path in zip(places[::2], places[1::2]):
        shutil.copy(path, here / ("at-" + offset))
    print("Hash of data verified.")
elif command == "load_ram":
    shutil.copy(words[-1], here / "ram")
"""


def install_esptool(
    folder: Path, *, family="ESP32-C3", revision="v0.4", flash="4MB", v5=False, fails=False, silent=False
) -> None:
    """Put a program `esptool` into `folder` that behaves as esptool 4 or 5 does with that chip."""
    description = f"{family} (QFN32) (revision {revision})"
    says = (
        [
            "Connected to " + family + " on /dev/fake:",
            f"Chip type:          {family} (QFN32) (revision {revision})",
        ]
        if v5
        else ["Detecting chip type... " + family, f"Chip is {description}"]
    )
    folder.mkdir(exist_ok=True)
    (folder / "esptool").write_text(ESPTOOL.replace("{python}", sys.executable))
    (folder / "esptool").chmod(0o755)
    chip = {
        "family": family,
        "says": says,
        "flash": flash,
        "fails": fails,
        "silent": silent,
        "port": "/dev/fake",
    }
    (folder / "chip.json").write_text(json.dumps(chip))


class Ports:
    """What is plugged in: the ports of running boards and of boot loaders, and the line behind the latter."""

    def __init__(self, running=(), boot_loaders=(), line=None):
        self._running, self._boot_loaders, self.line = list(running), list(boot_loaders), line

    def running(self, _board):
        return self._running

    def boot_loaders(self, _board):
        return self._boot_loaders

    def open(self, device):
        assert device in self._boot_loaders
        return self.line
