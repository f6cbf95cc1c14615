# SPDX-License-Identifier: Apache-2.0
"""port/esp32c3 on the virtual board: it starts both ways, loses no byte, and says what stopped it."""

from __future__ import annotations

import json
import random
import struct
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from words import STEP, all_credits_while_the_engine_runs, counters, step

from edgegrf.boards import board
from edgegrf.errors import DeviceError
from edgegrf.image.elf import read_elf
from edgegrf.virtual import VirtualBoard

BAUD_SECONDS = 10e-6  # a byte
RTC_OPTIONS0, TIMG0_FEED, WDT_CONFIG0 = 0x6000_8000, 0x6001_F060, 0x6001_F048


@pytest.mark.parametrize("compiler", ["gcc", "zig"])
@pytest.mark.parametrize("name", ["esp32c3", "esp32c3_ram"])
def test_it_starts_from_flash_and_from_ram(virtual, name, compiler):
    one = virtual("trivial", compiler, name)
    body = one.greet()
    assert name.encode() in body and body[8] == 1 and body[44:52] == b"VIRTUAL\0"
    assert struct.unpack_from("<I", body, 4) == (160_000_000,)
    found = counters(one)
    assert 0 < found["stack_used"] < found["stack_size"] == board(name).stack_size
    assert found["flash"] > 3000 and found["ram"] > 4096 and one.machine.warnings == []


@pytest.mark.parametrize("name", ["esp32c3", "esp32c3_ram"])
def test_the_raw_image_runs_as_the_elf_does(image_of, name):
    """What is written to flash, or given to the ROM, without an ELF file's knowledge of addresses."""
    image = image_of(name, "trivial")
    one = VirtualBoard(image.bin, board(name), strict=True)
    one.feed(b"")
    one.run(0.1, until="idle")
    assert one.idle and one.warnings == []
    head = image.bin.read_bytes()[:8]
    assert head == bytes.fromhex("1d04dbae1d04dbae") if name == "esp32c3" else head[0] == 0xE9
    one.close()


def test_all_credits_while_the_engine_runs(virtual):
    all_credits_while_the_engine_runs(virtual("slow", None, "esp32c3"))


def test_every_byte_of_a_long_stream_arrives(virtual):
    one = virtual("trivial", None, "esp32c3")
    one.greet()
    rng = random.Random(5)
    sent = 0
    for seq in range(1, 60):
        sent += one.send(0x70, seq, rng.randbytes(rng.randrange(200)))
        one.replies(1)
    one.seq = 60
    found = counters(one)
    assert found["overruns"] == 0 and found["bytes"] >= sent


def test_a_flood_is_counted_and_survived(virtual):
    """More than the ring holds, while the engine runs: what is lost is told, and the link goes on."""
    one = virtual("slow", None, "esp32c3")
    one.greet()
    one.send(STEP, 1, step(0, [[0] * 24] * 10))
    one.machine.feed(bytes(range(1, 200)) * 20 + b"\0")
    one.replies(1, seconds=60)
    one.machine.run(0.2, until="idle")
    assert one.greet() and counters(one)["overruns"] > 0


def test_broken_bytes_are_counted_and_not_stored(virtual):
    one = virtual("trivial", None, "esp32c3")
    one.greet()
    before = counters(one)
    one.machine.feed(b"\x55" * 40, framed=False)
    one.machine.run(0.1, until="idle")
    after = counters(one)
    assert after["overruns"] > before["overruns"] and after["bytes"] - before["bytes"] < 20


def test_the_boot_guards_are_stopped_and_the_watchdog_bites(virtual):
    """Ten seconds of sleep wake nobody; a core that is awake and never feeds is reset after eight."""
    one = virtual("trivial", None, "esp32c3")
    one.greet()
    one.machine.run(10.0, until="idle")
    assert one.machine.idle and one.machine.warnings == []
    assert one.machine.peek(WDT_CONFIG0) >> 31 == 0  # it rests while the core sleeps
    one.machine.poke(0x6001_F064, 0x50D8_3AA1)
    one.machine.poke(WDT_CONFIG0, 0xE000_0000)  # as if the core had hung awake
    one.machine.run(9.0, until="idle")
    body = one.greet()
    assert body[8] == 3


def test_an_image_that_leaves_the_boot_guards_alone_is_reset(image_of):
    """The four watchdogs are there: with the first instruction a jump to itself, the ROM starts over."""
    data = bytearray(image_of("esp32c3", "trivial").bin.read_bytes())
    data[8:12] = (0x6F).to_bytes(4, "little")
    one = VirtualBoard(bytes(data), board("esp32c3"))
    one.run(0.1)
    assert one.peek(0x6000_8038) & 0x3F == 1
    one.run(2.0)
    assert one.peek(0x6000_8038) & 0x3F in (7, 16)
    one.close()


def test_a_fault_is_recorded_and_told_after_the_reset(image_of):
    """The entry of port_idle() becomes a store to address 0x100: the handler records it and restarts."""
    image = image_of("esp32c3", "trivial")
    data = bytearray(image.bin.read_bytes())
    address = next(one for one in read_elf(image.elf.read_bytes()).table if one.name == "port_idle").address
    place = address - 0x4200_0000
    data[place : place + 8] = bytes.fromhex("93021000") + bytes.fromhex("2320500e")[:4]
    one = VirtualBoard(bytes(data), board("esp32c3"))
    one.run(0.05)
    assert "store access fault" in one.warnings[0] and f"0x{address + 4:08X}" in one.warnings[0]
    assert one.peek(0x6000_8038) & 0x3F == 3
    magic, kind, pc, _, cause = struct.unpack("<5I", one._chip.core.load(0x5000_0000, 20))
    assert (kind, pc, cause) == (2, address + 4, 7) and magic
    one.close()


def test_a_program_in_ram_is_gone_after_a_reset(virtual):
    one = virtual("trivial", None, "esp32c3_ram")
    one.greet()
    with pytest.raises(DeviceError, match="program in RAM"):
        one.machine.reset()


def test_images_of_other_boards_are_refused(image_of, tmp_path: Path):
    with pytest.raises(DeviceError, match="magic of direct boot"):
        VirtualBoard(bytes(64), board("esp32c3"))


@pytest.mark.parametrize(
    ("asked", "samples", "sensors", "outputs"),
    [
        (["--seconds", "6", "--content", "raw,pressure,estimate"], 600, 8, 1),
        (["--seconds", "0.5", "--model", "matrix16x8-st", "--rate", "200"], 100, 128, 2),
    ],
    ids=["8 at 100 Hz", "16 x 8 at 200 Hz"],
)
def test_the_insole_is_scanned_streamed_and_proven(asked, samples, sensors, outputs):
    """Behind a multiplexer, and a decoder: no sample lost, none late, each value the host's own."""
    pytest.importorskip("tflite_micro")
    from click.testing import CliRunner

    from edgegrf.cli.live import command

    done = CliRunner().invoke(command, ["--port", "virtual:esp32c3", "--verify", "--json", *asked])
    assert done.exit_code == 0, done.output
    record = json.loads(done.output)
    assert record["samples"] == samples and len(record["sensors"]) == sensors
    assert (record["missing"], record["lost_on_board"], record["missed_deadlines"]) == (0, 0, 0)
    proof = record["proof"]
    assert proof["estimates_compared"] == samples * outputs and proof["estimates_different"] == 0
    assert proof["pressure_different"] == 0 and record["jitter_max_ns"] < 20_000
