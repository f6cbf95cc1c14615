# SPDX-License-Identifier: Apache-2.0
"""UARTE with EasyDMA: bytes take their time on the wire, and are lost where the hardware loses them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import ClassVar

from edgegrf.virtual.bus import Alarm, Bus
from edgegrf.virtual.nrf52.peripheral import NordicPeripheral

__all__ = ["Uarte"]

STARTRX, STOPRX, STARTTX, STOPTX, FLUSHRX = 0x000, 0x004, 0x008, 0x00C, 0x02C
ERRORSRC, ENABLE, BAUDRATE, CONFIG = 0x480, 0x500, 0x524, 0x56C
RXD_PTR, RXD_MAXCNT, RXD_AMOUNT = 0x534, 0x538, 0x53C
TXD_PTR, TXD_MAXCNT, TXD_AMOUNT = 0x544, 0x548, 0x54C
_ENABLED = 8
_OVERRUN, _FRAMING = 1 << 0, 1 << 2
#: bytes that the receiver holds while it has no buffer to put them in
_FIFO_BYTES = 6
#: start bit, eight data bits, stop bit
_BITS_PER_BYTE = 10
#: core cycles per tick of the 16 MHz clock that the baud rate is divided from
_CYCLES_PER_TICK = 4
#: bytes that are sent in one go while nobody watches each of them
_CHUNK = 32


class Uarte(NordicPeripheral):
    """One UARTE.  `send` is called with bytes, at the bus's time, when the last one's stop bit ends: one by
    one where TXDRDY is watched, else up to 32."""

    registers: ClassVar[Mapping[int, str]] = {
        ERRORSRC: "ERRORSRC", ENABLE: "ENABLE", 0x508: "PSEL.RTS", 0x50C: "PSEL.TXD",
        0x510: "PSEL.CTS", 0x514: "PSEL.RXD", BAUDRATE: "BAUDRATE", CONFIG: "CONFIG",
        RXD_PTR: "RXD.PTR", RXD_MAXCNT: "RXD.MAXCNT", RXD_AMOUNT: "RXD.AMOUNT",
        TXD_PTR: "TXD.PTR", TXD_MAXCNT: "TXD.MAXCNT", TXD_AMOUNT: "TXD.AMOUNT",
    }  # fmt: skip
    resets: ClassVar[Mapping[int, int]] = {
        BAUDRATE: 0x0400_0000, **dict.fromkeys((0x508, 0x50C, 0x510, 0x514), 0xFFFF_FFFF),
    }  # fmt: skip
    events: ClassVar[Mapping[str, int]] = {
        "CTS": 0x100, "NCTS": 0x104, "RXDRDY": 0x108, "ENDRX": 0x110, "TXDRDY": 0x11C, "ENDTX": 0x120,
        "ERROR": 0x124, "RXTO": 0x144, "RXSTARTED": 0x14C, "TXSTARTED": 0x150, "TXSTOPPED": 0x158,
    }  # fmt: skip
    shorts: ClassVar[tuple[tuple[int, str, int], ...]] = ((5, "ENDRX", STARTRX), (6, "ENDRX", STOPRX))

    def __init__(self, bus: Bus, base: int, name: str, send: Callable[[bytes], None]) -> None:
        super().__init__(bus, base, name)
        self.overruns = 0  # bytes lost because neither a buffer nor the FIFO had room
        self.unheard = 0  # bytes that came while the receiver was off
        self._send = send
        self._listening = False
        self._fifo: deque[int] = deque()
        self._rx_pointer = self._rx_room = self._rx_count = 0
        self._has_buffer = False
        self._tx_pointer = self._tx_count = self._tx_done = 0
        self._transmitting = False
        self._stop_tx = False
        self._tx_since = 0  # when the bytes that are under way began
        self._tx_alarm: Alarm | None = None
        self.tasks = {
            STARTRX: self._start_rx, STOPRX: self._stop_rx, FLUSHRX: self._flush_rx,
            STARTTX: self._start_tx, STOPTX: self._stop_tx_task,
        }  # fmt: skip

    @property
    def transmitting(self) -> bool:
        """True while a byte is on its way to the host."""
        return self._transmitting

    @property
    def enabled(self) -> bool:
        """True when ENABLE says UARTE."""
        return self.values[ENABLE] == _ENABLED

    @property
    def byte_cycles(self) -> int:
        """Core cycles that one byte takes at the set baud rate.

        The rate generator divides 16 MHz by floor(2**32 / BAUDRATE), which gives the actual rates of
        the Product Specification's table (115108 for 115200, 941176 for 921600).
        """
        ticks_per_bit = (1 << 32) // max(self.values[BAUDRATE], 1)
        return _BITS_PER_BYTE * _CYCLES_PER_TICK * ticks_per_bit

    def write(self, offset: int, value: int) -> None:
        if offset == ERRORSRC:  # write one to clear
            value = self.values[offset] & ~value
        super().write(offset, value)

    def receive(self, byte: int, framed: bool = True) -> None:
        """A byte's stop bit ended on RXD; a byte that is not `framed` gives RXDRDY, but is not stored."""
        if not self._listening or not self.enabled:
            self.unheard += 1
        elif not framed:
            self.fire("RXDRDY")
            self._report(_FRAMING)
        elif self._has_buffer:
            self.fire("RXDRDY")
            self._store(byte)
        elif len(self._fifo) < _FIFO_BYTES:
            self._fifo.append(byte)
            self.fire("RXDRDY")
        else:
            self.overruns += 1
            self._report(_OVERRUN)

    def _report(self, error: int) -> None:
        self.values[ERRORSRC] |= error
        self.fire("ERROR")

    def _store(self, byte: int) -> None:
        self.bus.dma_store(self._rx_pointer + self._rx_count, bytes([byte]), self.name)
        self._rx_count += 1
        if self._rx_count == self._rx_room:
            self._end_rx()

    def _end_rx(self) -> None:
        self._has_buffer = False
        self.values[RXD_AMOUNT] = self._rx_count
        self.fire("ENDRX")

    def _start_rx(self) -> None:
        if not self.enabled:
            return
        self._listening = True
        self._rx_pointer = self.values[RXD_PTR]
        self._rx_room = self.values[RXD_MAXCNT] & 0xFFFF
        self._rx_count = 0
        self._has_buffer = self._rx_room > 0
        self.fire("RXSTARTED")
        while self._fifo and self._has_buffer:
            self._store(self._fifo.popleft())

    def _stop_rx(self) -> None:
        if not self._listening:
            return
        self._listening = False
        if self._has_buffer:
            self._end_rx()
        self.fire("RXTO")

    def _flush_rx(self) -> None:
        data = bytes(self._fifo)[: self.values[RXD_MAXCNT] & 0xFFFF]
        self._fifo.clear()
        if data:  # RXD.AMOUNT keeps its value when the FIFO was empty
            self.bus.dma_store(self.values[RXD_PTR], data, self.name)
            self.values[RXD_AMOUNT] = len(data)
        self.fire("ENDRX")

    def _start_tx(self) -> None:
        if not self.enabled:
            return
        self._tx_pointer = self.values[TXD_PTR]
        self._tx_count = self.values[TXD_MAXCNT] & 0xFFFF
        self._tx_done = 0
        self._stop_tx = False
        self.bus.dma_load(self._tx_pointer, self._tx_count, self.name)  # refused now, read as it is sent
        self.fire("TXSTARTED")
        if self._tx_count and not self._transmitting:
            self._transmitting = True
            self._send_next()
        elif not self._tx_count:
            self._end_tx()

    def _send_next(self) -> None:
        left = self._tx_count - self._tx_done
        count = 1 if self._watched("TXDRDY") else min(left, _CHUNK)
        self._tx_since = self.bus.time
        self._tx_alarm = self.bus.at(self.bus.time + count * self.byte_cycles, lambda: self._sent(count))

    def _sent(self, count: int) -> None:
        """`count` bytes have left; DMA has read each of them by now."""
        self._send(self.bus.dma_load(self._tx_pointer + self._tx_done, count, self.name))
        self._tx_done += count
        self.fire("TXDRDY")
        if self._tx_done < self._tx_count and not self._stop_tx:
            self._send_next()
        else:
            self._transmitting = False
            self._end_tx()

    def cut(self) -> None:
        """The chip is reset: what has left the transmitter by now is with the host, nothing else."""
        if self._transmitting and self._tx_alarm:
            gone = (self.bus.time - self._tx_since) // self.byte_cycles
            self._send(self.bus.dma_load(self._tx_pointer + self._tx_done, gone, self.name))

    def _end_tx(self) -> None:
        self.values[TXD_AMOUNT] = self._tx_done
        self.fire("ENDTX")
        if self._stop_tx:
            self._stop_tx = False
            self.fire("TXSTOPPED")

    def _stop_tx_task(self) -> None:
        if self._transmitting:
            self._stop_tx = True
            self._stop_behind_this_byte()
        else:
            self.fire("TXSTOPPED")

    def _stop_behind_this_byte(self) -> None:
        passed = self.bus.time - self._tx_since
        count = passed // self.byte_cycles + 1
        if self._tx_alarm:
            self._tx_alarm.cancel()
        when = self._tx_since + count * self.byte_cycles
        self._tx_alarm = self.bus.at(when, lambda: self._sent(count))
