# SPDX-License-Identifier: Apache-2.0
"""Sensors behind an analog multiplexer and a row decoder, on both chips: frames are whole."""

from __future__ import annotations

import random
import shutil
import struct
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from conftest import Board
from scanning import RAW, SCAN, START, begin, frames, ramp, run, sample_of, status

from edgegrf import resources
from edgegrf.boards import board, boards
from edgegrf.image import build_image_of_c
from edgegrf.image.elf import read_elf
from edgegrf.virtual import Span, VirtualBoard

FIRMWARE = Path(__file__).parents[2] / "firmware"
MULTIPLEXED = ["esp32c3", "xiao_nrf52840_mux"]
IN_FLASH = 0x4200_0000
CLKM_CONF, CLOCK_ON = 0x6004_0054, 1 << 20
INTERRUPTS = {
    "scan_tick_interrupt", "scan_settled_interrupt", "scan_converted_interrupt", "select_step", "settle",
    "start_conversion", "choose_input", "clock_ticks",
}  # fmt: skip


def widened(folder, target, inputs):
    """The firmware of a board with the trivial model widened to so many inputs."""
    model = folder / f"model-{inputs}"
    if not model.exists():
        shutil.copytree(FIRMWARE / "tests" / "trivial", model)
        header = (model / "model.h").read_text().replace("INPUT_CHANNELS 3", f"INPUT_CHANNELS {inputs}")
        (model / "model.h").write_text(header)
    return build_image_of_c(target, model, folder / f"{target.name}-{inputs}")


@pytest.fixture(scope="session")
def wide_image(tmp_path_factory, needs_compiler):
    """wide_image(board, inputs): such an image, built once."""
    folder = tmp_path_factory.mktemp("wide")

    def build(name, inputs):
        needs_compiler(board(name).core, None)
        return widened(folder, board(name), inputs)

    return build


@pytest.fixture
def started():
    """started(image, board): greeted; the board may be wired otherwise than the image knows."""
    pytest.importorskip("unicorn")
    machines = []

    def start(image, wired):
        machines.append(VirtualBoard(image.elf, wired, strict=True))
        one = Board(machines[-1].feed, machines[-1].run, machine=machines[-1])
        one.greet()
        return one

    yield start
    for machine in machines:
        machine.close()


def whole(counts, channels):
    """True where a frame shows one sample of the ramp, or two that follow, in the order of the scan."""
    steps = np.diff(sample_of(counts, channels)) % 4096
    return set(steps) <= {0, 1} and steps.sum() <= 1


@pytest.mark.parametrize("name", MULTIPLEXED)
def test_eight_sensors_come_through_one_input(started, wide_image, name):
    one = started(wide_image(name, 8), board(name))
    assert tuple(one.ask(SCAN)[1][:2]) == (0, 8)
    one.machine.wear(ramp(8), 100.0)
    assert begin(one, 100) == 100
    run(one, 2.0)
    assert status(one)["lost"] == 0
    got = frames(one, 8)
    assert [sample for sample, _ in got] == list(range(len(got))) and 198 <= len(got) <= 202
    assert all(whole(counts, 8) for _, counts in got)


@pytest.mark.parametrize("name", MULTIPLEXED)
def test_a_matrix_of_128_is_scanned_at_200_hz(started, wide_image, name):
    one = started(wide_image(name, 128), board(name))
    assert tuple(one.ask(SCAN)[1][:2]) == (16, 8)
    one.machine.wear(ramp(128), 200.0)
    assert begin(one, 200) == 200
    run(one, 0.5)
    found, got = status(one), frames(one, 128)
    assert (found["lost"], found["missed"]) == (0, 0) and 97 <= len(got) <= 101
    assert all(whole(counts, 128) for _, counts in got)


@pytest.mark.parametrize("name", MULTIPLEXED)
def test_firmware_that_does_not_wait_reads_the_column_before(started, wide_image, name):
    """The image lets a step settle for 10 us; one that needs 100 shows it mixtures with the old column."""
    target = board(name)
    slow = replace(target, scan=replace(target.scan, settle_us=100))
    one = started(wide_image(name, 8), slow)
    counts = np.array([[100, 4000, 100, 4000, 100, 4000, 100, 4000]], dtype=np.uint16)
    one.machine.wear(counts, 100.0)
    begin(one, 100)
    run(one, 0.3)
    got = np.array([counts for _, counts in frames(one, 8)])
    assert len(got) > 20 and (got[:, 1] < 3000).all() and (got[:, 2] > 600).all()


def test_a_core_that_is_late_makes_frames_longer_or_loses_them(started, wide_image):
    """The ESP32-C3's is stalled at random for 2 us to 6 ms, wherever it is."""
    one = started(wide_image("esp32c3", 128), board("esp32c3"))
    one.machine.wear(ramp(128), 50.0)
    begin(one, 150)
    rng, chip = random.Random(1), one.machine._chip
    for _ in range(600):
        run(one, rng.uniform(0.00001, 0.003))
        chip.core.counter.counts.half_cycles += 2 * 160 * rng.choice((2, 20, 20, 200, 6000))
    found, got = status(one), frames(one, 128)
    assert found["lost"] > 10 and found["samples"] > 50
    assert all(whole(counts, 128) for _, counts in got)
    assert (np.diff([sample for sample, _ in got]) >= 1).all()


def test_a_converter_that_died_costs_frames_and_is_tried_again(started, wide_image):
    one = started(wide_image("esp32c3", 8), board("esp32c3"))
    one.machine.wear(ramp(8), 100.0)
    begin(one, 100)
    run(one, 0.2)
    clock = one.machine.peek(CLKM_CONF)
    one.machine.poke(CLKM_CONF, clock & ~CLOCK_ON)
    run(one, 1.0)
    one.machine.poke(CLKM_CONF, clock)
    run(one, 0.2)
    found = status(one)
    got = [(sample, counts) for sample, counts in frames(one, 8) if len(counts)]  # others say: silent
    assert 98 <= found["lost"] <= 102
    shown = np.array([sample_of(counts, 8)[0] for _, counts in got])
    numbers = np.array([sample for sample, _ in got])
    assert (np.abs((shown - shown[0]) - (numbers - numbers[0])) <= 1).all()
    assert all(whole(counts, 8) for _, counts in got)


def test_the_scan_leaves_the_core_free(started, wide_image):
    """16 x 8 at 200 Hz: interrupts take less than 4 % of the ESP32-C3's core, some 160 instructions a
    conversion, and while nobody asks for anything else the core sleeps."""
    image = wide_image("esp32c3", 128)
    one = started(image, board("esp32c3"))
    kind, _ = one.ask(START, struct.pack("<IBBH", 200_000, 255, RAW, 60_000))
    assert kind == 0x88
    table = read_elf(image.elf.read_bytes()).table
    mine = [Span(each.address, each.address + each.size, 1) for each in table if each.name in INTERRUPTS]
    assert len(mine) >= 3 and all(span.start < IN_FLASH for span in mine)
    run(one, 0.1)
    one.machine.count_by_owner([*mine, Span(IN_FLASH, IN_FLASH + image.sizes.flash_bytes, 2)])
    before = one.machine.cycles
    run(one, 1.0)
    share = one.machine.shares()[1]
    assert 100 < share.instructions / (200 * 128) < 180
    assert share.half_cycles / 2 < 0.04 * 160e6
    assert one.machine.cycles - before < 0.10 * 160e6


def test_an_insole_wired_without_a_multiplexer(started, needs_compiler, tmp_path, monkeypatch):
    """As docs/boards.md says: four inputs, and rows with pins of their own."""
    needs_compiler(board("esp32c3").core, None)
    folder = tmp_path / "firmware"
    shutil.copytree(FIRMWARE, folder)
    page = folder / "boards" / "esp32c3" / "board.toml"
    lines = [
        line
        for line in page.read_text().splitlines()
        if not line.startswith(("column_address", "row_address"))
    ]
    text = "\n".join(lines).replace("columns = [0]", "columns = [0, 1, 3, 4]\nrows = [5, 6, 7, 10]")
    page.write_text(text.replace('"s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8"', '"s1", "s3", "s4", "s7"'))
    monkeypatch.setattr(resources, "_shipped", lambda name: tmp_path / name)
    boards.cache_clear()
    try:
        target = board("esp32c3")
        one, matrix = (started(widened(tmp_path, target, inputs), target) for inputs in (4, 16))
    finally:
        boards.cache_clear()
    for machine, rows, channels in ((one, 0, 4), (matrix, 4, 16)):
        assert tuple(machine.ask(SCAN)[1][:2]) == (rows, 4)
        machine.machine.wear(ramp(channels), 100.0)
        begin(machine, 100)
        run(machine, 0.5)
        got = frames(machine, channels)
        assert len(got) > 45 and all(whole(counts, channels) for _, counts in got)
