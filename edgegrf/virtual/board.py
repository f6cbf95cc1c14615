# SPDX-License-Identifier: Apache-2.0
"""A virtual board: a firmware image, unmodified, on an emulated chip, driven byte by byte."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from edgegrf.errors import DeviceError, UnknownNameError, UsageError
from edgegrf.virtual.chip import Chip
from edgegrf.virtual.counts import Share
from edgegrf.virtual.esp32c3.chip import Esp32c3
from edgegrf.virtual.image import load_image
from edgegrf.virtual.insole import Insole
from edgegrf.virtual.interrupt import interrupt_held
from edgegrf.virtual.line import Line
from edgegrf.virtual.nrf52.chip import Nrf52840
from edgegrf.virtual.owners import Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgegrf.boards import Board

__all__ = ["CHIPS", "VirtualBoard", "error_band"]

#: the chips that can be emulated, by a board's `chip`
CHIPS: dict[str, type[Chip]] = {"nrf52840": Nrf52840, "esp32c3": Esp32c3}

#: the core runs at most this long, in cycles, before DMA shows in RAM that is polled without a register
_SLICE = 32_768
#: how long a board is given to start up before the host may speak
_BOOT_SECONDS = 0.05


def error_band(board_name: str) -> str:
    """What kind of estimate the cycles of the virtual board of that name are."""
    from edgegrf.boards import board

    return CHIPS[board(board_name).chip].error_band


class VirtualBoard:
    """Runs `image` (ELF, Intel HEX, raw binary, or the path of one) as `board` would.

    Synchronous and deterministic: time passes only inside `run`, and the same bytes in give the same
    bytes and cycles out.  `strict` makes a fault, or an access to a register that is not modelled, a
    DeviceError; otherwise the fault's handler runs, the register reads 0, and `warnings` lists both.
    """

    def __init__(self, image: bytes | Path, board: Board, *, strict: bool = False) -> None:
        chip = CHIPS.get(board.chip)
        if chip is None:
            raise UnknownNameError("virtual chip", board.chip, CHIPS)
        self.board = board
        self._strict = strict
        self._line = Line(10 * board.clock_hz // board.baud)
        firmware = load_image(image, board.flash_origin)
        self._chip = chip(firmware, self._line, board.flash_origin)
        self._booted = self._closed = False
        if board.scan:
            self._chip.wear(Insole(board.scan, board.clock_hz))

    @property
    def cycles(self) -> int:
        """Active cycles of the core since power-on: an estimate, see `error_band`."""
        return self._chip.cycles

    @property
    def instructions(self) -> int:
        """Instructions executed since power-on."""
        return self._chip.instructions

    @property
    def seconds(self) -> float:
        """Virtual time since power-on, sleep included."""
        return self._chip.time / self._chip.clock_hz

    @property
    def overruns(self) -> int:
        """Bytes from the host that were lost because nothing had room for them."""
        return self._chip.overruns

    @property
    def unheard(self) -> int:
        """Bytes from the host that came while the receiver was off."""
        return self._chip.unheard

    @property
    def idle(self) -> bool:
        """True when the board sleeps, or is off, and nothing is to happen until the host speaks."""
        return self._chip.supply.off or (self._chip.asleep and self._chip.due is None)

    @property
    def due_seconds(self) -> float | None:
        """Virtual seconds until something happens by itself: 0 while awake, None when idle."""
        if not self._chip.asleep:
            return 0.0
        due = self._chip.due
        return None if due is None else max(0.0, (due - self._chip.time) / self._chip.clock_hz)

    @property
    def warnings(self) -> list[str]:
        """What a user should know: registers that are not modelled, a slow counter, lost bytes."""
        notes = [*self._chip.faults, *self._chip.unmodelled, *([self._chip.note] if self._chip.note else [])]
        notes += [f"{self.overruns} bytes lost to overruns"] if self.overruns else []
        return notes + ([f"{self.unheard} bytes came while the receiver was off"] if self.unheard else [])

    def count_by_owner(self, spans: Sequence[Span]) -> None:
        """Count anew what runs for each owner of `spans`: its own code, and whatever that calls.

        A block in no span counts for the owner that ran last, until control returns to where the first
        one was called from.  The image and its cycles stay as they are.
        """
        self._chip.count_by_owner(spans)

    def shares(self) -> list[Share]:
        """What ran for owner 0 (everyone else), 1, ... since `count_by_owner`."""
        return self._chip.shares()

    def feed(self, data: bytes, *, framed: bool = True) -> None:
        """Send bytes to the board; they arrive one by one while it runs, at the board's baud rate.

        A board that never ran is given time to start first, as a host that has just powered it would.
        Without `framed` their stop bits are broken, as by noise or a sender of another baud rate.
        """
        if not self._booted:
            self._run(_BOOT_SECONDS, until="idle")
        self._line.feed(data, framed)

    def run(self, max_seconds: float = 1.0, *, until: Literal["output", "idle"] = "output") -> bytes:
        """Let virtual time pass and return what the board sent.

        Ends after `max_seconds` of virtual time, when the board is idle, or, with `until` "output", when it
        has sent something and the transmitter rests.
        """
        self._run(max_seconds, until=until)
        return self._line.take()

    def peek(self, address: int) -> int:
        """A register's word, as a debugger reads it while the core stands between two runs."""
        return self._chip.peek(address)

    def poke(self, address: int, word: int) -> None:
        """Write a register, as a debugger does."""
        self._chip.poke(address, word)

    def reset(self) -> None:
        """Press the reset button: core and peripherals start over, RAM and the wire keep their contents."""
        self._chip.press_reset()

    def wear(self, counts: NDArray[np.uint16], sample_rate_hz: float) -> None:
        """Show raw counts [T, channels] to the board's scan from now on, over and over; see `Insole`.

        Raises UsageError when the board does not scan so many.
        """
        scan = self.board.scan
        if scan is None:
            raise UsageError(f"{self.board.name} scans no insole", fix="give its board.toml a [scan]")
        chip = self._chip
        chip.wear(Insole(scan, chip.clock_hz, counts, sample_rate_hz, chip.time))

    @property
    def flash_operations(self) -> int:
        """Pages erased and words written since power-on."""
        return self._chip.supply.operations

    def cut_power(self, after_writes: int) -> None:
        """Have the power fail in the middle of the `after_writes`-th (1, 2, ...) page erased or word written
        from now on; the board stands still then, until `power_on`."""
        supply = self._chip.supply
        supply.cut_at = supply.operations + after_writes

    def power_on(self) -> None:
        """Switch off and on: nothing is left but the flash."""
        self._chip.power_on()

    def close(self) -> None:
        """Free the emulator; the board must not be used again."""
        self._closed = True
        self._chip.close()

    def _run(self, max_seconds: float, *, until: str) -> None:
        with interrupt_held() as interrupted:
            self._run_slices(max_seconds, until, interrupted)

    def _run_slices(self, max_seconds: float, until: str, interrupted: Callable[[], bool]) -> None:
        if self._closed:
            raise DeviceError("the virtual board is closed", fix="make a new one")
        chip = self._chip
        self._booted = True
        limit = chip.time + round(max_seconds * chip.clock_hz)
        while chip.time < limit and not self.idle and not interrupted():
            if until == "output" and self._line.has_output and not chip.transmitting:
                break
            if chip.asleep:
                chip.sleep(limit)
            else:
                chip.execute(min(limit - chip.time, _SLICE))
            if self._strict and chip.faults:
                raise DeviceError(
                    chip.faults[0],
                    why="the firmware's fault handler runs now; a strict board stops here",
                    fix="look up the address with arm-none-eabi-addr2line on the ELF file",
                )
            if self._strict and chip.unmodelled:
                raise DeviceError(
                    f"not modelled: {'; '.join(chip.unmodelled)}",
                    why="the firmware uses a register that this virtual chip lacks",
                )
