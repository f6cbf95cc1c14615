# SPDX-License-Identifier: Apache-2.0
"""What an image senses and keeps: the ADC on an insole, the flash, the watchdog; one by one on a bus."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest

from edgegrf import resources
from edgegrf.boards import Scan, board, boards
from edgegrf.errors import UsageError
from edgegrf.virtual.bus import Bus
from edgegrf.virtual.insole import Drive, Insole
from edgegrf.virtual.nrf52.nvmc import Nvmc
from edgegrf.virtual.nrf52.saadc import Saadc
from edgegrf.virtual.nrf52.wdt import Wdt
from edgegrf.virtual.supply import Supply

MHZ = 1_000_000
CLOCK = 64 * MHZ
SAADC, NVMC, WDT, RAM = 0x4000_7000, 0x4001_E000, 0x4001_0000, 0x2000_0000
SCAN = Scan(
    rate_hz=100, settle_us=10, columns=(2, 3, 28), sensors=("a", "b", "c"), full_scale_n=500,
    open_below=8, saturated_from=4080, rows=(33, 34),
)  # fmt: skip


class Memory:
    def __init__(self):
        self.ram, self.flash, self.spent = bytearray(256), bytearray(b"\xff" * 8192), 0

    def load(self, address, size):
        return bytes(self.ram[address - RAM : address - RAM + size])

    def store(self, address, data):
        self.ram[address - RAM : address - RAM + len(data)] = data

    def read_flash(self, address, size):
        return bytes(self.flash[address : address + size])

    def write_flash(self, address, data):
        self.flash[address : address + len(data)] = data

    def spend(self, cycles):
        self.spent += cycles


def test_an_insole_is_sampled_and_held_and_starts_over():
    counts = np.array([[1, 2, 3], [4, 5, 6]], dtype=np.uint16)
    insole = Insole(SCAN, CLOCK, counts, 100.0, since=1000)
    drive = Drive()
    for time, seen in ((0, 1), (9_999, 1), (10_001, 4), (19_999, 4), (20_001, 1)):  # in us
        assert insole.sample(1000 + 64 * time, (2,), drive) == [seen]
    assert insole.sample(1000, (28, 3, 7), drive) == [3, 2, 0]  # pin 7 is no column


def test_a_matrix_shows_the_row_that_is_driven_when_it_has_settled():
    counts = np.array([[100, 200, 300, 1100, 1200, 4095]], dtype=np.uint16)
    insole = Insole(SCAN, CLOCK, counts, 100.0)
    drive = Drive()
    assert insole.sample(0, (2, 3, 28), drive) == [0, 0, 0]
    drive.change(1 << 33, 640)
    assert insole.sample(640 + 640, (2, 3, 28), drive) == [100, 200, 300]
    drive.change(1 << 34, 10_000)
    early = insole.sample(10_000 + 320, (2, 3, 28), drive)  # half the settle time
    assert all(
        old < now < new for old, now, new in zip((100, 200, 300), early, (1100, 1200, 4095), strict=True)
    )
    assert insole.sample(10_000 + 640, (2, 3, 28), drive) == [1100, 1200, 4095]
    drive.change(1 << 33 | 1 << 34, 20_000)
    assert insole.sample(30_000, (2, 28), drive) == [1200, 4095]  # two rows at once add up, to the end


@pytest.mark.parametrize("shape", [(4,), (0, 3), (1, 4), (1, 9), (1, 2)])
def test_an_insole_that_the_board_does_not_scan_is_refused(shape):
    with pytest.raises(UsageError):
        Insole(SCAN, CLOCK, np.zeros(shape, dtype=np.uint16), 100.0)


def test_nobody_on_the_insole_is_a_small_count_with_noise():
    insole, drive = Insole(SCAN, CLOCK), Drive()
    seen = {insole.sample(64 * 10_000 * n, (3,), drive)[0] for n in range(20)}
    assert seen == {60, 61, 62, 63}


@pytest.fixture
def adc():
    memory = Memory()
    bus = Bus(memory)
    volts = {2: 1000, 3: 2000, 28: 4095}
    Saadc(bus, SAADC, "SAADC", lambda time, pins: [volts.get(pin, 0) for pin in pins])
    set_up = {0x510: 1, 0x520: 5, 0x530: 2, 0x5F0: 2, 0x62C: RAM, 0x630: 6, 0x500: 1}  # AIN0, AIN4, AIN1
    for channel in range(3):
        set_up[0x518 + 16 * channel] = 2 << 16 | 1 << 12 | 2 << 8  # 10 us, supply / 4, gain 1/4
    for place, value in set_up.items():
        bus.write(SAADC + place, 4, value)
    return bus, memory


def test_a_scan_converts_each_channel_and_takes_its_time(adc):
    bus, memory = adc
    bus.write(SAADC, 4, 1)
    assert bus.read(SAADC + 0x100, 4) == 1
    bus.write(SAADC + 4, 4, 1)
    bus.advance(3 * 12 * 64 - 1)
    assert not any(memory.ram)
    bus.advance(3 * 12 * 64)
    assert struct.unpack_from("<3h", memory.ram) == (1000, 4095, 2000)
    assert not bus.read(SAADC + 0x104, 4)
    bus.write(SAADC + 4, 4, 1)
    bus.advance(6 * 12 * 64)
    assert bus.read(SAADC + 0x104, 4) and bus.read(SAADC + 0x634, 4) == 6
    bus.write(SAADC + 4, 4, 1)  # not started: nothing
    bus.advance(20 * 12 * 64)
    assert not any(memory.ram[12:])


@pytest.mark.parametrize(
    ("config", "resolution", "seen"), [(0x21200, 0, 62), (0x21300, 2, 1333), (0x20000, 2, 917)]
)
def test_gain_reference_and_resolution_scale(adc, config, resolution, seen):
    bus, memory = adc
    bus.write(SAADC + 0x518, 4, config)  # of the channel that sees 1000 of 4095
    bus.write(SAADC + 0x5F0, 4, resolution)
    bus.write(SAADC, 4, 1)
    bus.write(SAADC + 4, 4, 1)
    bus.advance(MHZ)
    assert struct.unpack_from("<h", memory.ram)[0] == seen


def test_stopping_in_the_middle_ends_the_buffer(adc):
    bus, memory = adc
    bus.write(SAADC, 4, 1)
    bus.write(SAADC + 4, 4, 1)
    bus.advance(64)
    bus.write(SAADC + 8, 4, 1)
    bus.advance(MHZ)
    assert bus.read(SAADC + 0x114, 4) and bus.read(SAADC + 0x634, 4) == 0 and not any(memory.ram)


@pytest.fixture
def flash():
    memory, supply, cut = Memory(), Supply(), []
    bus = Bus(memory)
    return bus, memory, Nvmc(bus, NVMC, "NVMC", memory, supply, lambda: cut.append(1)), supply, cut


def test_flash_only_turns_ones_into_zeros_until_its_page_is_erased(flash):
    bus, memory, nvmc, supply, _ = flash
    assert not nvmc.program(4, b"\x0f\0\0\0")  # writing is not enabled: a fault
    bus.write(NVMC + 0x504, 4, 1)
    assert not nvmc.program(5, b"\0\0\0\0") and not nvmc.program(4, b"\0\0")
    assert nvmc.program(4, b"\x0f\x0f\x0f\x0f") and nvmc.program(4, b"\xf1\xf1\xf1\xf1")
    assert memory.flash[:12] == b"\xff" * 4 + b"\x01" * 4 + b"\xff" * 4
    assert memory.spent == 2 * 41 * 64
    memory.flash[4096] = 7
    bus.write(NVMC + 0x508, 4, 0)
    assert memory.flash[4] == 1  # erasing is not enabled
    bus.write(NVMC + 0x504, 4, 2)
    bus.write(NVMC + 0x508, 4, 0)
    assert set(memory.flash[:4096]) == {0xFF} and memory.flash[4096] == 7
    assert supply.operations == 3 and memory.spent > 85_000 * 64


def test_a_power_cut_tears_the_word_or_the_page_and_nothing_changes_after(flash):
    bus, memory, nvmc, supply, cut = flash
    bus.write(NVMC + 0x504, 4, 1)
    supply.cut_at = 2
    nvmc.program(0, b"\0\0\0\0")
    nvmc.program(4, b"\0\0\0\0")
    nvmc.program(8, b"\0\0\0\0")
    assert memory.flash[:4] == b"\0\0\0\0" and memory.flash[8:12] == b"\xff" * 4
    assert memory.flash[4:8] not in (b"\0\0\0\0", b"\xff" * 4) and cut == [1] and supply.off
    supply.restore()
    memory.flash[:4096] = bytes(4096)
    supply.cut_at = 1
    bus.write(NVMC + 0x504, 4, 2)
    bus.write(NVMC + 0x508, 4, 0)
    words = {bytes(memory.flash[place : place + 4]) for place in range(0, 4096, 4)}
    assert {bytes(4), b"\xff" * 4} < words


class Chip:
    def __init__(self, kept=None, config=1):
        self.awake, self.bites = 0, 0
        self.bus = Bus(Memory())
        self.kept = {} if kept is None else kept
        self.dog = Wdt(self.bus, WDT, "WDT", self.kept, awake=lambda: self.awake, bite=self.bite)
        for place, value in ((0x504, 32_767), (0x508, 1), (0x50C, config), (0x000, 1)):
            self.bus.write(WDT + place, 4, value)

    def bite(self):
        self.bites += 1

    def live(self, seconds, *, awake):
        for _ in range(round(seconds * 100)):
            self.bus.advance(self.bus.time + CLOCK // 100)
            self.awake += CLOCK // 100 if awake else 0
            self.dog.look()
        self.bus.advance(self.bus.time + 10_000)


def test_the_watchdog_bites_when_it_is_not_fed_in_time():
    one = Chip()
    one.live(0.9, awake=True)
    one.bus.write(WDT + 0x600, 4, 0x6E52_4635)
    one.live(0.9, awake=True)
    one.bus.write(WDT + 0x600, 4, 1)  # not the word that feeds it
    assert one.bites == 0 and one.bus.read(WDT + 0x100, 4) == 0
    one.live(0.2, awake=True)
    assert one.bites == 1 and one.bus.read(WDT + 0x100, 4) == 1


@pytest.mark.parametrize(("config", "bites"), [(0, 0), (1, 1)])
def test_the_watchdog_may_rest_while_the_core_sleeps(config, bites):
    one = Chip(config=config)
    assert (one.bus.due() is None) == (config == 0)  # then a sleeping board stays idle
    one.live(3, awake=False)
    assert one.bites == bites
    one.live(1.1, awake=True)
    assert one.bites == 1


def test_a_running_watchdog_cannot_be_changed_and_outlives_a_reset_by_software():
    one = Chip(config=0)
    one.bus.write(WDT + 0x504, 4, 5)
    assert one.bus.read(WDT + 0x504, 4) == 32_767
    again = Wdt(Bus(Memory()), WDT, "WDT", one.kept, awake=lambda: 0, bite=one.bite)
    assert again.read(0x400) == 1 and again.read(0x504) == 32_767


MULTIPLEXED = replace(
    SCAN, columns=(2, 3), column_address=(4, 5), rows=(), row_address=(33, 34),
    sensors=("a", "b", "c", "d", "e", "f", "g", "h"),
)  # fmt: skip


def test_a_multiplexer_shows_the_column_that_its_address_selects():
    counts = np.arange(100, 132, dtype=np.uint16)[None, :]  # 4 rows of 8
    insole, drive = Insole(MULTIPLEXED, CLOCK, counts, 100.0), Drive()
    for number, (row, address) in enumerate((row, address) for row in range(4) for address in range(4)):
        levels = (row & 1) << 33 | (row >> 1) << 34 | (address & 1) << 4 | (address >> 1) << 5
        drive.change(levels, 10_000 * (number + 1))
        seen = insole.sample(10_000 * (number + 1) + 640, (2, 3, 28), drive)
        assert seen == [100 + 8 * row + 2 * address, 101 + 8 * row + 2 * address, 0]


def test_an_address_that_is_too_early_shows_the_column_before():
    counts = np.array([[100, 200, 1100, 1200, 2100, 2200, 4000, 4095]], dtype=np.uint16)
    insole, drive = Insole(MULTIPLEXED, CLOCK, counts, 100.0), Drive()
    drive.change(1 << 4, 10_000)
    drive.change(0, 20_000)  # from address 1 to 2 its lines change one after the other
    drive.change(1 << 5, 20_010)
    assert insole.sample(20_010, (2, 3), drive) == [1100, 1200]
    early = insole.sample(20_010 + 320, (2, 3), drive)
    assert 1100 < early[0] < 2100 and 1200 < early[1] < 2200
    assert insole.sample(20_010 + 640, (2, 3), drive) == [2100, 2200]


def test_a_decoder_drives_no_row_that_is_not_there():
    counts = np.full((1, 24), 500, dtype=np.uint16)  # rows 0 to 2
    insole, drive = Insole(MULTIPLEXED, CLOCK, counts, 100.0), Drive()
    drive.change(1 << 33 | 1 << 34, 0)
    assert insole.sample(10_000, (2,), drive) == [0]


def test_the_boards_wiring_is_possible():
    for name in ("nrf52840dk", "esp32c3", "esp32c3_ram", "xiao_nrf52840_mux"):
        scan = board(name).scan
        assert scan is not None and (scan.width, scan.depth) == (8, 16)
        assert [scan.rows_for(inputs) for inputs in (4, 8, 9, 128, 129)] == [0, 0, 2, 16, None]


@pytest.mark.parametrize(
    ("line", "wrong", "said"),
    [
        ("columns = [0]", "columns = [5]", "5 is no analog input"),
        ("columns = [0]", "columns = [2]", "pin 2 is looked at when the chip boots, not an analog input"),
        ("column_address = [1, 3, 4]", "column_address = [1, 3, 21]", "pin 21 is an address line of the col"),
        (
            "column_address = [1, 3, 4]",
            "column_address = [1, 3, 0]",
            "pin 0 is an address line of the columns",
        ),
        ("column_address = [1, 3, 4]", "column_address = [1, 3, 22]", "pin 22 is none of the chip"),
        ("column_address = [1, 3, 4]", "column_address = [1, 3]", "8 names of sensors for 4 columns"),
        ("row_address = [5, 6, 7, 10]", "row_address = [5, 6, 7, 18]", "pin 18 is the USB socket's"),
        ("row_address = [5, 6, 7, 10]", "row_address = [5, 6, 7, 12]", "pin 12 is the flash's"),
        (
            "row_address = [5, 6, 7, 10]",
            "row_address = [5, 6, 7, 9]",
            "pin 9 is looked at when the chip boots",
        ),
        ("row_address = [5, 6, 7, 10]", "row_address = [5, 6]\nrows = [7]", "not both"),
        (
            "row_address = [5, 6, 7, 10]",
            "row_address = [5, 6, 7, 10, 19]",
            "32 rows of 8 columns are more than",
        ),
        ("settle_us = 10", "settle_us = 0", "settle_us is 0"),
    ],
)
def test_a_wiring_that_cannot_be_is_refused(tmp_path, monkeypatch, line, wrong, said):
    page = resources.firmware_folder() / "boards" / "esp32c3" / "board.toml"
    folder = tmp_path / "firmware" / "boards" / "esp32c3"
    folder.mkdir(parents=True)
    text = page.read_text()
    assert line in text
    (folder / "board.toml").write_text(text.replace(line, wrong))
    monkeypatch.setattr(resources, "_shipped", lambda name: tmp_path / name)
    boards.cache_clear()
    try:
        with pytest.raises(UsageError) as caught:
            board("esp32c3")
    finally:
        boards.cache_clear()
    assert said in caught.value.what and "boards/esp32c3/board.toml" in caught.value.what
