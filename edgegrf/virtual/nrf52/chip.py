# SPDX-License-Identifier: Apache-2.0
"""The nRF52840: which peripherals sit where, and how they meet the core."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from edgegrf.errors import DeviceError
from edgegrf.virtual.bus import Bus
from edgegrf.virtual.cortexm.core import Core, Stop
from edgegrf.virtual.cortexm.cycles import ERROR_BAND
from edgegrf.virtual.cortexm.dwt import CYCCNT, Dwt
from edgegrf.virtual.cortexm.exceptions import Exceptions
from edgegrf.virtual.cortexm.scs import SVCALL, SystemControlSpace
from edgegrf.virtual.emulated import EmulatedChip
from edgegrf.virtual.image import Firmware
from edgegrf.virtual.insole import Drive
from edgegrf.virtual.line import Line
from edgegrf.virtual.nrf52.clock import Clock
from edgegrf.virtual.nrf52.ficr import Ficr, Uicr, split_uicr
from edgegrf.virtual.nrf52.gpio import Gpio
from edgegrf.virtual.nrf52.nvmc import Nvmc
from edgegrf.virtual.nrf52.ppi import Ppi
from edgegrf.virtual.nrf52.saadc import Saadc
from edgegrf.virtual.nrf52.timer import Timer
from edgegrf.virtual.nrf52.uarte import Uarte
from edgegrf.virtual.nrf52.wdt import Wdt
from edgegrf.virtual.supply import Supply

__all__ = ["Nrf52840"]

_FLASH = (0x0000_0000, 0x10_0000)
_RAM = (0x2000_0000, 0x4_0000)
_REGISTERS = (
    (0x1000_0000, 0x2000),  # FICR, UICR
    (0x4000_0000, 0x8_0000),  # APB
    (0x5000_0000, 0x1000),  # GPIO
    (0xE000_2000, 0xF_E000),  # the core's own, but for the DWT
)
_UICR = (0x1000_1000, 0x1000)
_DWT = 0xE000_1000
_TIMERS = {"TIMER0": 0x4000_8000, "TIMER1": 0x4000_9000, "TIMER2": 0x4000_A000, "TIMER3": 0x4001_A000,
           "TIMER4": 0x4001_B000}  # fmt: skip
#: bits of RESETREAS
_PIN_RESET, _WATCHDOG, _SOFTWARE_RESET, _LOCK_UP = 1 << 0, 1 << 1, 1 << 2, 1 << 3
#: cycles between two looks at whether a pending interrupt is still masked
_MASKED_SLICE = 64
#: how far the two ends' bit times may differ before bytes break: half a bit in ten
_BAUD_TOLERANCE = 0.05


class Nrf52840(EmulatedChip[Core]):
    """The chip at 64 MHz with a firmware in its flash and its UARTE0 on `line`.

    Time is in core cycles since power-on, sleep included; `core.cycles` are the active ones.
    """

    error_band: ClassVar[str] = ERROR_BAND
    clock_hz = 64_000_000

    def __init__(self, firmware: Firmware, line: Line, vectors: int = 0) -> None:
        self._line = line
        self._kept: dict[int, int] = {}  # registers that outlive a reset
        self._watched: dict[int, int] = {}  # a running watchdog's registers, which outlive most resets
        self.supply = Supply()
        self._slept = 0
        self._reset_asked = 0  # a RESETREAS bit
        self.faults: list[str] = []
        self._asleep: Stop | None = None
        self._lost = [0, 0]  # overruns and unheard bytes before the last reset
        in_flash, self._uicr = split_uicr(firmware, _UICR)
        self.core = Core(
            in_flash, flash=_FLASH, ram=_RAM, registers=_REGISTERS, cycle_register=_DWT + CYCCNT,
            vectors=vectors, read=self._read, write=self._write, fpu_on=lambda: self.scs.fpu_on,
            program=lambda address, data: self.nvmc.program(address, data),
        )  # fmt: skip
        self._power_up(reset_reason=0)

    @property
    def time(self) -> int:
        """Cycles of the core clock since power-on, asleep or not."""
        return self.core.cycles + self._slept

    @property
    def asleep(self) -> bool:
        """True while the core waits in WFI or WFE and nothing has woken it."""
        return self._asleep is not None

    @property
    def transmitting(self) -> bool:
        """True while a byte is on its way to the host."""
        return self.uarte.transmitting

    @property
    def overruns(self) -> int:
        """Received bytes that were lost for want of room, since power-on."""
        return self._lost[0] + self.uarte.overruns

    @property
    def unheard(self) -> int:
        """Bytes that came while the receiver was off, since power-on."""
        return self._lost[1] + self.uarte.unheard

    def execute(self, cycles: int) -> None:
        """Let the core run for about `cycles`, or until it sleeps, then let the peripherals catch up."""
        stop = self.core.run(self._stretch(cycles))
        self.bus.advance(self.time)
        self.wdt.look()
        if self._reset_asked:
            self._reset(self._reset_asked)
            return
        if stop is Stop.RETURN:
            self.exceptions.leave()
        elif stop is Stop.FAULT:
            self._take_fault()
        elif stop is not Stop.TIME:
            self._asleep = stop
        self._wake()

    def sleep(self, until: int) -> None:
        """Skip to the next thing that happens, at most to `until`."""
        due = self.bus.due()
        target = until if due is None else min(due, until)
        self._slept += max(0, target - self.time)
        self.bus.advance(self.time)
        if self._reset_asked:
            self._reset(self._reset_asked)
        else:
            self._wake()

    def press_reset(self) -> None:
        """Reset by the pin."""
        self._reset(_PIN_RESET)

    def power_on(self) -> None:
        """Start as after a power cut: nothing is left but the flash."""
        self._kept.clear()
        self._watched.clear()
        self.core.forget_ram()
        self.supply.restore()
        self._reset(0)

    def _reset(self, reason: int) -> None:
        """Start core and peripherals over; RAM keeps its contents.  `reason` is a RESETREAS bit."""
        self._lost = [self.overruns, self.unheard]
        self.uarte.cut()
        if reason in (_PIN_RESET, _WATCHDOG):
            self._watched.clear()
        self._power_up(reset_reason=reason)
        self.core.reset()

    def _power_up(self, reset_reason: int) -> None:
        now = self.time
        bus = self.bus = Bus(self.core)
        bus.time = now
        self._reset_asked, self._asleep = 0, None
        self.scs = SystemControlSpace(bus, 0xE000_E000, "SCS", lambda: self._ask_reset(_SOFTWARE_RESET))
        self.scs.on_ready = self.core.stop
        self.exceptions = Exceptions(self.core, self.scs)
        dwt = Dwt(
            bus, _DWT, "DWT", cycles=lambda: self.core.cycles, traced=lambda: self.scs.traced,
            show=self.core.counter.show_cycles,
        )  # fmt: skip
        self.scs.on_trace = dwt.look_at_trace
        self.clock = Clock(bus, 0x4000_0000, "CLOCK", self._kept, reset_reason)
        self.uarte = Uarte(bus, 0x4000_2000, "UARTE0", self._line.collect)
        for name, base in _TIMERS.items():
            Timer(bus, base, name)
        Ppi(bus, 0x4001_F000, "PPI")
        self.nvmc = Nvmc(bus, 0x4001_E000, "NVMC", self.core, self.supply, self.core.stop)
        self.wdt = Wdt(
            bus, 0x4001_0000, "WDT", self._watched,
            awake=lambda: self.core.cycles, bite=lambda: self._ask_reset(_WATCHDOG),
        )  # fmt: skip
        gpio = Gpio(bus, 0x5000_0000, "GPIO")
        Saadc(bus, 0x4000_7000, "SAADC", lambda time, pins: self._convert(time, pins, gpio.drive))
        Ficr(bus, 0x1000_0000, "FICR")
        Uicr(bus, _UICR[0], "UICR", self._uicr)
        self._line.connect(bus, self._deliver)

    def _read(self, address: int, size: int) -> int:
        self.bus.advance(self.core.cycles + self._slept)
        return self.bus.read(address, size)

    def _write(self, address: int, size: int, value: int) -> None:
        self.bus.advance(self.core.cycles + self._slept)
        self.bus.write(address, size, value)

    def _convert(self, time: int, pins: Sequence[int], drive: Drive) -> list[int]:
        return self._insole.sample(time, pins, drive) if self._insole else [0] * len(pins)

    def _deliver(self, byte: int, framed: bool) -> None:
        ours, theirs = self.uarte.byte_cycles, self._line.byte_cycles
        if self.uarte.enabled and abs(ours - theirs) > _BAUD_TOLERANCE * theirs:
            raise DeviceError(
                f"the firmware runs UARTE0 at {10 * self.clock_hz // ours} baud, "
                f"the host at {10 * self.clock_hz // theirs}",
                fix="make BAUDRATE agree with the board's table",
            )
        self.uarte.receive(byte, framed)

    def _stretch(self, cycles: int) -> int:
        """How long the core may run before the next thing that could interrupt it."""
        if not self.scs.listening:
            return cycles
        if self.exceptions.held_back:  # nothing says when a mask is lifted
            return min(cycles, _MASKED_SLICE)
        due = self.bus.due()
        return cycles if due is None else max(1, min(cycles, due - self.time))

    def _ask_reset(self, reason: int) -> None:
        self._reset_asked = reason
        self.core.stop()

    def _wake(self) -> None:
        """Take the exception that is due; end the sleep if its reason is here.  WFE consumes the event."""
        counts = self.core.counter.counts
        taken = self.scs.ready() is not None and self.exceptions.deliver()
        if taken:
            self._asleep = None
        elif self._asleep is Stop.WFE and (self.scs.event or counts.sent_event):
            self.scs.event, counts.sent_event = False, 0
            self._asleep = None
        elif self._asleep is Stop.WFI and self.exceptions.wakes():
            self._asleep = None

    def _take_fault(self) -> None:
        fault = self.core.fault
        assert fault is not None
        if fault.number != SVCALL:
            self.faults.append(f"the firmware faulted at PC {self.core.where(self.core.pc)}: {fault.text}")
        if not self.exceptions.fault(fault):
            self._reset(_LOCK_UP)
