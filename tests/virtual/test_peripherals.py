# SPDX-License-Identifier: Apache-2.0
"""Peripherals one by one, on a bus with nothing else: registers, events, times."""

from __future__ import annotations

import pytest

from edgegrf.errors import DeviceError
from edgegrf.virtual.bus import Bus
from edgegrf.virtual.cortexm.dwt import Dwt
from edgegrf.virtual.cortexm.scs import SystemControlSpace
from edgegrf.virtual.nrf52.clock import Clock
from edgegrf.virtual.nrf52.ficr import Ficr
from edgegrf.virtual.nrf52.gpio import Gpio
from edgegrf.virtual.nrf52.ppi import Ppi
from edgegrf.virtual.nrf52.timer import Timer
from edgegrf.virtual.nrf52.uarte import Uarte

UARTE, TIMER, PPI, SCS = 0x4000_2000, 0x4000_8000, 0x4001_F000, 0xE000_E000
RAM = 0x2000_0000


class Ram:
    def __init__(self):
        self.data = bytearray(1024)

    def load(self, address, size):
        return bytes(self.data[self._place(address, size)])

    def store(self, address, data):
        self.data[self._place(address, len(data))] = data

    def _place(self, address, size):
        if not RAM <= address <= RAM + len(self.data) - size:
            raise IndexError(address)
        return slice(address - RAM, address - RAM + size)


@pytest.fixture
def ram():
    return Ram()


@pytest.fixture
def bus(ram):
    return Bus(ram)


def test_alarms_run_in_order_at_their_own_time(bus):
    seen = []
    bus.at(30, lambda: seen.append(("late", bus.time)))

    def early():
        seen.append(("early", bus.time))
        bus.at(20, lambda: seen.append(("made", bus.time)))

    bus.at(10, early)
    gone = bus.at(15, lambda: seen.append(("gone", bus.time)))
    gone.cancel()
    bus.advance(25)
    assert seen == [("early", 10), ("made", 20)] and bus.time == 25 and bus.due() == 30


def test_parts_of_words_are_read_and_merged(bus):
    SystemControlSpace(bus, SCS, "SCS", lambda: None)
    bus.write(SCS + 0x402, 1, 0xAB)
    assert bus.read(SCS + 0x400, 4) == 0x00AB_0000
    assert bus.read(SCS + 0x402, 1) == 0xAB
    assert bus.read(SCS + 0x402, 2) == 0x00AB


def test_what_is_not_modelled_is_recorded_and_reads_zero(bus):
    Timer(bus, TIMER, "TIMER0")
    assert bus.read(TIMER + 0x7FC, 4) == 0
    bus.write(0x4007_0000, 4, 1)
    assert dict(bus.unmodelled) == {
        "read of 0x400087FC (TIMER0+0x7FC)": 1,
        "write to 0x40070000 (no peripheral)": 1,
    }


@pytest.fixture
def uarte(bus):
    sent = []
    one = Uarte(bus, UARTE, "UARTE0", lambda byte: sent.append((byte, bus.time)))
    one.sent = sent
    bus.write(UARTE + 0x524, 4, 0x1000_0000)
    bus.write(UARTE + 0x500, 4, 8)
    return one


@pytest.mark.parametrize(
    ("setting", "baud"),  # nRF52840 Product Specification v1.7, BAUDRATE: the actual rates
    [
        (0x0004F000, 1205), (0x00275000, 9598), (0x004EA000, 19208), (0x00E50000, 55944), (0x00EB0000, 57554),
        (0x01D60000, 115108), (0x03B00000, 231884), (0x04000000, 250000), (0x0F000000, 941176),
        (0x10000000, 1000000),
    ],
)  # fmt: skip
def test_baud_rates_are_the_data_sheets_actual_ones(bus, uarte, setting, baud):
    bus.write(UARTE + 0x524, 4, setting)
    assert round(10 * 64_000_000 / uarte.byte_cycles) == baud


def listen(bus, pointer, count):
    bus.write(UARTE + 0x534, 4, pointer)
    bus.write(UARTE + 0x538, 4, count)
    bus.write(UARTE + 0x000, 4, 1)


def event(bus, offset):
    happened = bus.read(UARTE + offset, 4)
    bus.write(UARTE + offset, 4, 0)
    return happened


def test_reception_latches_the_pointer_at_start_and_chains_by_shortcut(bus, uarte, ram):
    bus.write(UARTE + 0x200, 4, 1 << 5)
    listen(bus, RAM, 3)
    assert event(bus, 0x14C) == 1
    bus.write(UARTE + 0x534, 4, RAM + 100)
    for byte in b"abcde":
        uarte.receive(byte)
    assert ram.data[:4] == b"abc\0" and ram.data[100:103] == b"de\0"
    assert event(bus, 0x110) == 1 and event(bus, 0x14C) == 1 and event(bus, 0x108) == 1
    assert bus.read(UARTE + 0x53C, 4) == 3


def test_the_fifo_bridges_a_gap_of_six_bytes(bus, uarte, ram):
    listen(bus, RAM, 2)
    for byte in b"0123456789":
        uarte.receive(byte)
    assert uarte.overruns == 2 and event(bus, 0x124) == 1
    assert bus.read(UARTE + 0x480, 4) == 1
    bus.write(UARTE + 0x480, 4, 1)
    assert bus.read(UARTE + 0x480, 4) == 0
    listen(bus, RAM + 10, 20)
    assert ram.data[:2] == b"01" and ram.data[10:17] == b"234567\0"


def test_a_byte_with_a_broken_stop_bit_is_announced_but_not_stored(bus, uarte, ram):
    listen(bus, RAM, 8)
    uarte.receive(0x41)
    assert event(bus, 0x108) == 1 and event(bus, 0x124) == 0
    uarte.receive(0x42, framed=False)
    assert event(bus, 0x108) == 1 and event(bus, 0x124) == 1 and bus.read(UARTE + 0x480, 4) == 4
    uarte.receive(0x43)
    assert ram.data[:3] == b"AC\0"


def test_stopping_reception_reports_what_came_and_flush_fetches_the_rest(bus, uarte, ram):
    listen(bus, RAM, 8)
    uarte.receive(0x41)
    bus.write(UARTE + 0x004, 4, 1)
    assert event(bus, 0x110) == 1 and event(bus, 0x144) == 1
    assert bus.read(UARTE + 0x53C, 4) == 1
    uarte.receive(0x42)
    assert uarte.unheard == 1
    bus.write(UARTE + 0x02C, 4, 1)
    assert event(bus, 0x110) == 1
    assert bus.read(UARTE + 0x53C, 4) == 1  # nothing to flush: the amount stays


def test_transmission_takes_ten_bits_a_byte(bus, uarte, ram):
    ram.data[:3] = b"xyz"
    bus.write(UARTE + 0x544, 4, RAM)
    bus.write(UARTE + 0x548, 4, 3)
    bus.write(UARTE + 0x304, 4, 1 << 7)  # somebody watches TXDRDY
    bus.write(UARTE + 0x008, 4, 1)
    bus.advance(1279)
    assert uarte.sent == [(b"x", 640)] and uarte.transmitting and not event(bus, 0x120)
    bus.advance(5000)
    assert [time for _, time in uarte.sent] == [640, 1280, 1920]
    assert event(bus, 0x120) == 1 and not uarte.transmitting
    assert bus.read(UARTE + 0x54C, 4) == 3


def test_bytes_that_nobody_watches_leave_together_and_are_read_as_they_leave(bus, uarte, ram):
    bus.write(UARTE + 0x544, 4, RAM)
    bus.write(UARTE + 0x548, 4, 40)
    bus.write(UARTE + 0x008, 4, 1)
    bus.advance(32 * 640)
    assert uarte.sent == [(bytes(32), 32 * 640)]
    ram.data[:40] = b"*" * 40
    bus.advance(33 * 640)
    uarte.cut()  # a reset: the byte that has left is with the host
    assert uarte.sent[1:] == [(b"*", 33 * 640)]
    bus.advance(40 * 640)
    assert uarte.sent[-1] == (b"*" * 8, 40 * 640)


def test_stopping_transmission_ends_after_the_byte_under_way(bus, uarte, ram):
    bus.write(UARTE + 0x544, 4, RAM)
    bus.write(UARTE + 0x548, 4, 9)
    bus.write(UARTE + 0x008, 4, 1)
    bus.advance(700)
    bus.write(UARTE + 0x00C, 4, 1)
    bus.advance(9000)
    assert uarte.sent == [(bytes(2), 1280)] and event(bus, 0x120) == 1 and event(bus, 0x158) == 1
    assert bus.read(UARTE + 0x54C, 4) == 2


def test_dma_from_flash_is_an_error(bus, uarte):
    bus.write(UARTE + 0x544, 4, 0x1000)
    bus.write(UARTE + 0x548, 4, 1)
    with pytest.raises(DeviceError, match="0x00001000, which is not RAM"):
        bus.write(UARTE + 0x008, 4, 1)


def test_dma_to_nowhere_is_an_error(bus, uarte):
    listen(bus, RAM + 1024, 4)
    with pytest.raises(DeviceError, match="writes 1 bytes at 0x20000400"):
        uarte.receive(1)


def capture(bus, index=0):
    bus.write(TIMER + 0x040 + 4 * index, 4, 1)
    return bus.read(TIMER + 0x540 + 4 * index, 4)


def test_a_timer_counts_sixteen_megahertz_divided(bus):
    Timer(bus, TIMER, "TIMER0")
    bus.write(TIMER + 0x508, 4, 3)
    bus.write(TIMER + 0x510, 4, 4)  # 1 MHz: 64 cycles a tick
    bus.write(TIMER + 0x000, 4, 1)
    bus.advance(64 * 1000 + 63)
    assert capture(bus) == 1000
    bus.write(TIMER + 0x004, 4, 1)
    bus.advance(10**6)
    assert capture(bus) == 1000
    bus.write(TIMER + 0x00C, 4, 1)
    assert capture(bus) == 0
    assert bus.due() is None  # a timer that is only read wakes nobody


def test_a_sixteen_bit_timer_wraps(bus):
    Timer(bus, TIMER, "TIMER0")
    bus.write(TIMER + 0x510, 4, 0)
    bus.write(TIMER + 0x000, 4, 1)
    bus.advance(4 * (65536 + 5))
    assert capture(bus) == 5


def test_compare_fires_clears_by_shortcut_and_fires_again(bus):
    Timer(bus, TIMER, "TIMER0")
    fired = []
    bus.on_event = lambda address: fired.append((address, bus.time))
    bus.write(TIMER + 0x508, 4, 3)
    bus.write(TIMER + 0x510, 4, 0)
    bus.write(TIMER + 0x544, 4, 100)
    bus.write(TIMER + 0x200, 4, 1 << 1)
    bus.write(TIMER + 0x000, 4, 1)
    bus.advance(1250)
    assert fired == [(TIMER + 0x144, 400), (TIMER + 0x144, 800), (TIMER + 0x144, 1200)]
    assert capture(bus) == 12


@pytest.mark.parametrize("mode", [1, 2])  # counter, low-power counter
def test_ppi_lets_a_byte_count_a_timer_up(bus, uarte, mode):
    Ppi(bus, PPI, "PPI")
    Timer(bus, TIMER, "TIMER0")
    bus.write(TIMER + 0x504, 4, mode)
    bus.write(TIMER + 0x000, 4, 1)
    bus.write(PPI + 0x518, 4, UARTE + 0x108)
    bus.write(PPI + 0x51C, 4, TIMER + 0x008)
    listen(bus, RAM, 100)
    uarte.receive(1)
    assert capture(bus) == 0
    bus.write(PPI + 0x504, 4, 1 << 1)
    uarte.receive(2)
    uarte.receive(3)
    assert capture(bus) == 2
    assert bus.read(PPI + 0x504, 4) == 2
    bus.write(PPI + 0x508, 4, 1 << 1)
    uarte.receive(4)
    assert capture(bus) == 2


def test_a_pending_interrupt_wakes_only_when_it_is_new_and_sevonpend_is_set(bus, uarte):
    scs = SystemControlSpace(bus, SCS, "SCS", lambda: None)
    bus.write(UARTE + 0x304, 4, 1 << 2)
    listen(bus, RAM, 100)
    uarte.receive(1)
    assert not scs.event and bus.read(SCS + 0x200, 4) == 1 << 2
    bus.write(SCS + 0xD10, 4, 1 << 4)
    uarte.receive(2)
    assert not scs.event  # still pending: not new
    bus.write(SCS + 0x280, 4, 1 << 2)
    assert bus.read(SCS + 0x200, 4) == 1 << 2  # the line is high: it stays pending
    bus.write(UARTE + 0x108, 4, 0)
    bus.write(SCS + 0x280, 4, 1 << 2)
    assert bus.read(SCS + 0x200, 4) == 0
    uarte.receive(3)
    assert scs.event
    assert scs.ready() is None
    bus.write(SCS + 0x100, 4, 1 << 2)
    assert scs.ready() == 18
    bus.write(SCS + 0x180, 4, 1 << 2)
    assert scs.ready() is None


def test_reset_needs_its_key(bus):
    asked = []
    SystemControlSpace(bus, SCS, "SCS", lambda: asked.append(True))
    bus.write(SCS + 0xD0C, 4, 4)
    assert not asked
    bus.write(SCS + 0xD0C, 4, 0x05FA_0004)
    assert asked


def test_the_crystal_takes_its_time_to_start(bus):
    Clock(bus, 0x4000_0000, "CLOCK", {}, 0)
    bus.write(0x4000_0000, 4, 1)
    bus.advance(23_000)
    assert bus.read(0x4000_0100, 4) == 0
    bus.advance(23_040)
    assert bus.read(0x4000_0100, 4) == 1 and bus.read(0x4000_040C, 4) == 0x1_0001


def test_reset_reasons_add_up_until_they_are_cleared(bus):
    kept = {}
    Clock(bus, 0x4000_0000, "CLOCK", kept, 4)
    Clock(bus, 0x4000_0000, "CLOCK", kept, 1)
    assert bus.read(0x4000_0400, 4) == 5
    bus.write(0x4000_0400, 4, 4)
    Clock(bus, 0x4000_0000, "CLOCK", kept, 0)
    assert bus.read(0x4000_0400, 4) == 1


def test_the_cycle_counter_runs_when_traced_and_enabled(bus):
    active = [0]
    traced = [False]
    shown = []
    clock = {"cycles": lambda: active[0], "traced": lambda: traced[0], "show": shown.append}
    dwt = Dwt(bus, 0xE000_1000, "DWT", **clock)
    bus.write(0xE000_1000, 4, 1)
    active[0] = 50
    assert bus.read(0xE000_1004, 4) == 0
    traced[0] = True
    bus.write(0xE000_1000, 4, 1)
    bus.write(0xE000_1004, 4, 0xFFFF_FFF0)
    active[0] = 80
    assert bus.read(0xE000_1004, 4) == 14  # 30 cycles on, past the wrap
    assert (shown[-1] + active[0]) % 2**32 == 14
    traced[0] = False
    dwt.look_at_trace()
    active[0] = 90
    assert bus.read(0xE000_1004, 4) == 14 and shown[-1] is None
    traced[0] = True
    dwt.look_at_trace()
    active[0] = 92
    assert bus.read(0xE000_1004, 4) == 16
    bus.write(0xE000_1000, 4, 0)
    active[0] = 999
    assert bus.read(0xE000_1004, 4) == 16 and shown[-1] is None


def test_the_chip_says_that_it_is_virtual(bus):
    Ficr(bus, 0x1000_0000, "FICR")
    words = [bus.read(0x1000_0000 + offset, 4) for offset in (0x60, 0x64)]
    assert b"".join(word.to_bytes(4, "little") for word in words) == b"VIRTUAL\0"


def test_pins_read_back_what_they_drive(bus):
    Gpio(bus, 0x5000_0000, "GPIO")
    bus.write(0x5000_0700 + 4 * 6, 4, 3)  # P0.06 an output
    bus.write(0x5000_0508, 4, 1 << 6 | 1 << 7)
    assert bus.read(0x5000_0510, 4) == 1 << 6
    bus.write(0x5000_050C, 4, 1 << 6)
    assert bus.read(0x5000_0510, 4) == 0
    bus.write(0x5000_0818, 4, 2)  # P1.01
    bus.write(0x5000_0808, 4, 2)
    assert bus.read(0x5000_0810, 4) == 2 and bus.read(0x5000_0504, 4) == 1 << 7
