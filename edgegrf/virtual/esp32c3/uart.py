# SPDX-License-Identifier: Apache-2.0
"""UART with its two FIFOs of 128 bytes: bytes take their time on the wire, and are lost where it overflows.

ESP32-C3 Technical Reference Manual v1.1, chapter 26.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import ClassVar

from edgegrf.virtual.bus import Alarm, Bus
from edgegrf.virtual.esp32c3.events import EventPeripheral

__all__ = ["Uart"]

FIFO, RAW, STATUS_OF_EVENTS, ENABLE, CLEAR = 0x00, 0x04, 0x08, 0x0C, 0x10
CLKDIV, STATUS, CONF0, CONF1, MEM_CONF, CLK_CONF, ID = 0x14, 0x1C, 0x20, 0x24, 0x60, 0x78, 0x80
RX_FULL, TX_EMPTY, FRAMING, OVERFLOW, RX_TIMEOUT, TX_DONE = 1 << 0, 1 << 1, 1 << 3, 1 << 4, 1 << 8, 1 << 14
_RX_RESET, _TX_RESET, _ERROR_MASK = 1 << 17, 1 << 18, 1 << 26
_TIMEOUT_ON = 1 << 21
_CLOCK_ON = 1 << 22
_UPDATE = 1 << 31
_FIFO_BYTES = 128
_BITS_PER_BYTE = 10
#: of the clocks that SCLK_SEL names
_CLOCKS_HZ = {1: 80_000_000, 2: 17_500_000, 3: 40_000_000}
_SOURCE = 21


class Uart(EventPeripheral):
    """UART0.  `send` is called with each byte when its stop bit ends, at the bus's time; `tick_hz` is the
    bus's."""

    registers: ClassVar[Mapping[int, str]] = {
        FIFO: "FIFO", CLKDIV: "CLKDIV", 0x18: "RX_FILT", STATUS: "STATUS", CONF0: "CONF0", CONF1: "CONF1",
        0x3C: "SWFC_CONF0", 0x40: "SWFC_CONF1", 0x48: "IDLE_CONF", MEM_CONF: "MEM_CONF", CLK_CONF: "CLK_CONF",
        ID: "ID",
    }  # fmt: skip
    resets: ClassVar[Mapping[int, int]] = {
        CLKDIV: 0x2B6, 0x18: 0x8, CONF0: 0x1000_001C, CONF1: 0xC060, 0x48: 0x4_0100, MEM_CONF: 0xA_0012,
        CLK_CONF: 0x0370_1000, ID: 0x4000_0500,
    }  # fmt: skip
    events = (RAW, STATUS_OF_EVENTS, ENABLE, CLEAR)
    sources = (_SOURCE,)

    def __init__(self, bus: Bus, base: int, name: str, send: Callable[[bytes], None], tick_hz: int) -> None:
        super().__init__(bus, base, name)
        self.overruns = 0  # bytes lost because the FIFO was full
        self._send, self._tick_hz = send, tick_hz
        self._received: deque[int] = deque()
        self._to_send: deque[int] = deque()
        self._silence: Alarm | None = None
        self.transmitting = self._configured = False
        self.fire(TX_EMPTY)

    @property
    def baud(self) -> float:
        """The rate that the dividers give (chapter 26.4.2)."""
        clock = self.values[CLK_CONF]
        source = _CLOCKS_HZ.get(clock >> 20 & 3, 0)
        numerator, denominator = clock >> 6 & 63, clock & 63
        divider = (clock >> 12 & 255) + 1 + (numerator / denominator if denominator else 0)
        whole, sixteenths = self.values[CLKDIV] & 0xFFF, self.values[CLKDIV] >> 20 & 15
        return source / divider / max(whole + sixteenths / 16, 1)

    @property
    def listening(self) -> bool:
        """True once the firmware has set a rate, while the receiver has a clock; before, the ROM's holds."""
        return self._configured and bool(self.values[CLK_CONF] & _CLOCK_ON)

    def level(self) -> int:
        full = RX_FULL if len(self._received) > self._full_at else 0
        return full | (TX_EMPTY if len(self._to_send) < self._empty_at else 0)

    def read(self, offset: int) -> int:
        if offset == FIFO:
            return self._received.popleft() if self._received else 0
        if offset == STATUS:
            return 0xE000_C000 | len(self._to_send) << 16 | len(self._received)
        return super().read(offset)

    def write(self, offset: int, value: int) -> None:
        if offset == FIFO:
            self._queue(value & 0xFF)
        elif offset == ID:  # takes the other registers over, and is done
            super().write(offset, value & ~_UPDATE)
        else:
            super().write(offset, value)
        self._configured = self._configured or offset == CLKDIV
        if offset == CONF0 and value & _RX_RESET:
            self._received.clear()
        if offset == CONF0 and value & _TX_RESET:
            self._to_send.clear()
        if offset == CONF1:
            self.fire(self.level())

    def receive(self, byte: int, framed: bool = True) -> None:
        """A byte's stop bit ended on RXD; with a broken one it is stored only if CONF0 says so."""
        if not framed and self.values[CONF0] & _ERROR_MASK:
            self.fire(FRAMING)
            return
        if len(self._received) == _FIFO_BYTES:
            self.overruns += 1
            self.fire(OVERFLOW)
            return
        self._received.append(byte)
        self.fire(self.level() & RX_FULL | (0 if framed else FRAMING))
        if self._silence:
            self._silence.cancel()
        if self.values[CONF1] & _TIMEOUT_ON:
            bits = self.values[MEM_CONF] >> 16 & 0x3FF
            self._silence = self.bus.at(self.bus.time + self._ticks(bits), self._fell_silent)

    @property
    def _full_at(self) -> int:
        return self.values[CONF1] & 0x1FF

    @property
    def _empty_at(self) -> int:
        return self.values[CONF1] >> 9 & 0x1FF

    def _ticks(self, bits: int) -> int:
        return round(bits * self._tick_hz / self.baud)

    def _fell_silent(self) -> None:
        self._silence = None
        if self._received:
            self.fire(RX_TIMEOUT)

    def _queue(self, byte: int) -> None:
        if len(self._to_send) < _FIFO_BYTES:
            self._to_send.append(byte)
        if not self.transmitting:
            self._send_next()

    def _send_next(self) -> None:
        byte = self._to_send.popleft()
        self.transmitting = True
        self.fire(self.level() & TX_EMPTY)
        self.bus.at(self.bus.time + self._ticks(_BITS_PER_BYTE), lambda: self._sent(byte))

    def _sent(self, byte: int) -> None:
        self._send(bytes((byte,)))
        self.transmitting = False
        if self._to_send:
            self._send_next()
        else:
            self.fire(TX_DONE)
