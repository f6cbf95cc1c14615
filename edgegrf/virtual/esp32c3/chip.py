# SPDX-License-Identifier: Apache-2.0
"""The ESP32-C3: which peripherals sit where, and how they meet the core."""

from __future__ import annotations

import random
from functools import partial
from typing import ClassVar

from edgegrf.errors import DeviceError
from edgegrf.virtual.bus import Bus
from edgegrf.virtual.emulated import EmulatedChip
from edgegrf.virtual.esp32c3.boot import ENTRY, place
from edgegrf.virtual.esp32c3.matrix import InterruptMatrix
from edgegrf.virtual.esp32c3.pins import AnalogBus, Gpio, IoMux
from edgegrf.virtual.esp32c3.rom import CALL, Rom
from edgegrf.virtual.esp32c3.rtc import Cause, Rtc
from edgegrf.virtual.esp32c3.saradc import SarAdc
from edgegrf.virtual.esp32c3.system import System
from edgegrf.virtual.esp32c3.timers import Systimer, TimerGroup
from edgegrf.virtual.esp32c3.uart import Uart
from edgegrf.virtual.image import Firmware
from edgegrf.virtual.insole import Drive
from edgegrf.virtual.line import Line
from edgegrf.virtual.riscv.core import Core, Csrs, Memory, Stop
from edgegrf.virtual.riscv.cycles import ERROR_BAND
from edgegrf.virtual.supply import Supply

__all__ = ["Esp32c3"]

_FLASH, _RAM, _RTC_RAM, _ROM = range(4)
_FLASH_SIZE, _RAM_SIZE = 0x40_0000, 0x6_0000
_RAM_PLACES = (0x3FC8_0000, 0x4038_0000)  # by data and by instruction bus
_MEMORIES = (
    Memory(_FLASH_SIZE, (0x4200_0000, 0x3C00_0000), writable=False),
    Memory(_RAM_SIZE, _RAM_PLACES, writable=True),
    Memory(0x2000, (0x5000_0000,), writable=True),
    Memory(0x2000, (0x4000_0000,), writable=False),
)
_REGISTERS = ((0x6000_0000, 0xD_1000),)
#: event selection, mode and count of the performance counter
_EVENTS, _MODE, _COUNT = 0x7E0, 0x7E1, 0x7E2
#: of the interrupt matrix: T0 of the timer groups
_TIMER_SOURCES = (32, 34)
#: how far the two ends' bit times may differ before bytes break: half a bit in ten
_BAUD_TOLERANCE = 0.05


class Esp32c3(EmulatedChip[Core]):
    """The chip with a firmware in its flash or RAM and its UART0 on `line`.

    Time is in ticks of 160 MHz since power-on, sleep included, however fast the core runs; `core.cycles` are
    the active ones.
    """

    error_band: ClassVar[str] = ERROR_BAND
    clock_hz = 160_000_000

    def __init__(self, firmware: Firmware, line: Line, origin: int = 0) -> None:
        self._line = line
        self.supply = Supply()
        ram = tuple((start, 0) for start in _RAM_PLACES)
        self._image = place(firmware, _FLASH_SIZE, ram, _RAM_SIZE)
        self._kept: dict[int, int] = {}  # registers that outlive a reset
        self._passed = self._from_cycle = 0  # ticks until the clock last changed, and the core's cycles then
        self._ratio = 1  # ticks per cycle
        self._asked: int | None = None  # the cause of the reset that is to come
        self._asleep = False
        self._counter = {_EVENTS: 0, _MODE: 0}
        self._count_from = 0  # what the counter shows beyond the core's cycles
        self._lost = [0, 0]  # overruns and unheard bytes before the last reset
        self._unheard = 0
        csrs = Csrs(frozenset((_EVENTS, _MODE, _COUNT, CALL)), self._read_csr, self._write_csr)
        self.core = Core(firmware, _MEMORIES, _REGISTERS, read=self._read, write=self._write, csrs=csrs)
        flash, rom = self.core.buffer(_FLASH), self.core.buffer(_ROM)
        self._rom = Rom(self.core, rom, flash, self.supply, self.clock_hz)
        self._load()
        self._power_up(Cause.POWER_ON)
        self.core.reset(self._image.entry or ENTRY)

    @property
    def time(self) -> int:
        """Ticks since power-on, asleep or not."""
        return self._passed + (self.core.cycles - self._from_cycle) * self._ratio

    @property
    def faults(self) -> list[str]:
        """Exceptions that the firmware took, since power-on."""
        return [f"{what} at PC {self.core.where(pc)}" for pc, what in self.core.exceptions]

    @property
    def asleep(self) -> bool:
        """True while the core waits in WFI and nothing has woken it."""
        return self._asleep

    @property
    def transmitting(self) -> bool:
        """True while a byte is on its way to the host."""
        return self.uart.transmitting

    @property
    def overruns(self) -> int:
        """Received bytes that were lost for want of room, since power-on."""
        return self._lost[0] + self.uart.overruns

    @property
    def unheard(self) -> int:
        """Bytes that came while the receiver had no clock, since power-on."""
        return self._lost[1] + self._unheard

    def execute(self, cycles: int) -> None:
        """Let the core run for about `cycles` ticks, or until it sleeps; then the peripherals catch up."""
        due = self.bus.due()
        ticks = cycles if due is None else max(1, min(cycles, due - self.time))
        stop = self.core.run(-(-ticks // self._ratio))
        self.bus.advance(self.time)
        if self._asked is not None:
            self._reset(self._asked)
            return
        self._asleep = stop is Stop.WFI
        self._wake()

    def sleep(self, until: int) -> None:
        """Skip to the next thing that happens, at most to `until`."""
        due = self.bus.due()
        target = until if due is None else min(due, until)
        self._passed += max(0, target - self.time)
        self.bus.advance(self.time)
        if self._asked is not None:
            self._reset(self._asked)
            return
        self._wake()

    def press_reset(self) -> None:
        """Reset by the pin CHIP_EN, which on this chip is the same as power-on."""
        self._kept.clear()
        self._reset(Cause.POWER_ON)

    def power_on(self) -> None:
        """Start as after a power cut: nothing is left but the flash."""
        self._kept.clear()
        for index in (_RAM, _RTC_RAM):
            memory = self.core.buffer(index)
            memory[:] = random.Random(index).randbytes(len(memory))
        self.supply.restore()
        self._reset(Cause.POWER_ON)

    def _load(self) -> None:
        flash, ram = self.core.buffer(_FLASH), self.core.buffer(_RAM)
        flash[:] = b"\xff" * _FLASH_SIZE
        for offset, data in self._image.flash:
            flash[offset : offset + len(data)] = data
        for offset, data in self._image.ram:
            ram[offset : offset + len(data)] = data

    def _reset(self, cause: int) -> None:
        """Start core and peripherals over; RAM keeps its contents, as far as the ROM leaves it alone."""
        if self._image.entry:
            raise DeviceError(
                "the chip was reset with its program in RAM",
                why="the ROM now boots from flash, which holds nothing",
                fix="load the program again, or build for a board that boots from flash",
            )
        self._lost = [self.overruns, self.unheard]
        self._unheard = 0
        self._power_up(cause)
        self.core.reset(ENTRY)

    def _power_up(self, cause: int) -> None:
        now = self.time
        bus = self.bus = Bus(self.core)
        bus.time = now
        self._asked, self._asleep = None, False
        tick = self.clock_hz
        self.matrix = InterruptMatrix(bus, 0x600C_2000, "INTERRUPT_CORE0", self._pend)
        System(bus, 0x600C_0000, "SYSTEM", self._set_clock)
        from_flash = not self._image.entry
        Rtc(bus, 0x6000_8000, "RTC_CNTL", self._kept, cause, self._ask_reset, tick, guards=from_flash)
        self.uart = Uart(bus, 0x6000_0000, "UART0", self._line.collect, tick)
        Systimer(bus, 0x6002_3000, "SYSTIMER", tick)
        for number, base in enumerate((0x6001_F000, 0x6002_0000)):
            bites = partial(self._ask_reset, (Cause.TIMER_GROUP0, Cause.TIMER_GROUP1)[number])
            TimerGroup(
                bus,
                base,
                f"TIMG{number}",
                _TIMER_SOURCES[number],
                bites,
                tick,
                guards=from_flash and number == 0,
            )
        self._drive = Drive()
        Gpio(bus, 0x6000_4000, "GPIO", self._drive)
        SarAdc(bus, 0x6004_0000, "APB_SARADC", self._sample, self._drive, tick)
        IoMux(bus, 0x6000_9000, "IO_MUX")
        AnalogBus(bus, 0x6000_E000, "I2C_ANA_MST")
        self._line.connect(bus, self._deliver)

    def _sample(self, pin: int) -> int:
        return self._insole.sample(self.bus.time, (pin,), self._drive)[0] if self._insole else 0

    def _pend(self, pending: bool) -> None:
        """Have the core come back when it may be interrupted: now, or when it lets interrupts in."""
        self.core.watch_for_unmasking(pending)
        if pending and not self.core.masked:
            self.core.stop()

    def _ask_reset(self, cause: int) -> None:
        self._asked = cause
        self.core.stop()

    def _set_clock(self, core_hz: int) -> None:
        self._passed, self._from_cycle = self.time, self.core.cycles
        self._ratio = max(1, round(self.clock_hz / core_hz))

    def _read(self, address: int, size: int) -> int:
        self.bus.advance(self.time)
        return self.bus.read(address, size)

    def _write(self, address: int, size: int, value: int) -> None:
        self.bus.advance(self.time)
        self.bus.write(address, size, value)

    def _read_csr(self, number: int) -> int:
        if number != _COUNT:
            return self._counter.get(number, 0)
        return self.core.cycles + self._count_from & 0xFFFF_FFFF if self._counting else self._count_from

    def _write_csr(self, number: int, value: int) -> None:
        if number == CALL:
            self._rom.call(value)
            return
        count = self._read_csr(_COUNT)
        if number == _COUNT:
            count = value
        else:
            self._counter[number] = value
        self._count_from = count - self.core.cycles & 0xFFFF_FFFF if self._counting else count

    @property
    def _counting(self) -> bool:
        """The performance counter is set to cycles and runs."""
        return bool(self._counter[_EVENTS] & 1 and self._counter[_MODE] & 1)

    def _deliver(self, byte: int, framed: bool) -> None:
        if not self.uart.listening:
            self._unheard += 1
            return
        ours, theirs = self.uart.baud, 10 * self.clock_hz / self._line.byte_cycles
        if abs(ours - theirs) > _BAUD_TOLERANCE * theirs:
            raise DeviceError(
                f"the firmware runs UART0 at {ours:.0f} baud, the host at {theirs:.0f}",
                fix="make the dividers agree with the board's table",
            )
        self.uart.receive(byte, framed)

    def _wake(self) -> None:
        """End the sleep and enter the handler if an interrupt pends; WFI wakes on one that is masked, too."""
        number = self.matrix.pending
        if number is None:
            return
        self._asleep = False
        if not self.core.masked:
            self.core.interrupt(number)
