# SPDX-License-Identifier: Apache-2.0
"""An RV32IMC core under Unicorn: memory, registers, sleep, traps taken by hand, and counted cycles."""

from __future__ import annotations

import ctypes
import enum
import mmap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edgegrf.errors import DeviceError, MissingToolError
from edgegrf.virtual.counter import make_counter
from edgegrf.virtual.counts import BlockCost
from edgegrf.virtual.guarded import Guarded, Region
from edgegrf.virtual.image import Firmware
from edgegrf.virtual.riscv.cycles import PENALTIES, block_cost
from edgegrf.virtual.riscv.decode import decode
from edgegrf.virtual.riscv.registers import Registers

__all__ = ["CAUSES", "Core", "Csrs", "Memory", "Stop"]

_NEVER = 0xFFFF_FFFE
_WFI = (0x1050_0073).to_bytes(4, "little")
_MIE, _MPIE, _MPP = 1 << 3, 1 << 7, 3 << 11
_INTERRUPT = 1 << 31

#: exceptions by mcause (privileged architecture 1.12, table 3.6)
CAUSES = {
    0: "instruction address misaligned", 1: "instruction access fault", 2: "illegal instruction",
    3: "breakpoint", 5: "load access fault", 7: "store access fault", 8: "environment call",
    11: "environment call",
}  # fmt: skip
_ILLEGAL = 2


class Stop(enum.Enum):
    """Why the core came back."""

    TIME = enum.auto()
    WFI = enum.auto()
    TRAP = enum.auto()


@dataclass(frozen=True)
class Memory:
    """Bytes that the core sees at several places; `code` may be executed, `writable` by the core."""

    size: int
    places: tuple[int, ...]
    writable: bool


@dataclass(frozen=True)
class Csrs:
    """Control registers beyond the standard ones: `read(number)` and `write(number, value)`."""

    numbers: frozenset[int]
    read: Callable[[int], int]
    write: Callable[[int, int], None]


class Core:
    """Runs RV32IMC code; `read` and `write` serve the register regions (first address, size).

    An exception enters the firmware's own handler, as on the chip; DeviceError where it has set none.
    """

    def __init__(
        self,
        firmware: Firmware,
        memories: Sequence[Memory],
        registers: tuple[Region, ...],
        *,
        read: Callable[[int, int], int],
        write: Callable[[int, int, int], None],
        csrs: Csrs,
    ) -> None:
        uc = self._uc = _unicorn()
        import unicorn

        self._firmware, self._csrs = firmware, csrs
        file = Registers(uc)
        self._get, self._set = file.get, file.set
        self.pc = 0  # the address of the next instruction, when the core does not run
        #: (address, exception) of every exception that the firmware took
        self.exceptions: list[tuple[int, str]] = []
        self._trap: tuple[int, int] | None = None  # mcause, mtval
        self._access = (0, 0)  # kind and address of the access that failed
        self._buffers = [self._map(memory) for memory in memories]
        contents = zip(memories, self._buffers, strict=True)
        self._places = [(place, one.size, content) for one, content in contents for place in one.places]
        self._guarded = Guarded(uc, read, write)
        self._guarded.map(registers)
        uc.hook_add(unicorn.UC_HOOK_MEM_INVALID, self._on_invalid)
        uc.hook_add(unicorn.UC_HOOK_INTR, self._on_exception)
        numbers = {"lr": file.numbers["RA"], "sp": file.numbers["SP"]}
        self.counter, self.note = make_counter(uc, self._cost, numbers, PENALTIES)
        self._counts = self.counter.counts

    @property
    def masked(self) -> bool:
        """True when mstatus.MIE holds interrupts back."""
        return not self._get("MSTATUS") & _MIE

    @property
    def cycles(self) -> int:
        """Active cycles so far (sleep does not count), by the cycle model."""
        return self._counts.half_cycles // 2

    def reset(self, entry: int) -> None:
        """Start at `entry` with interrupts off and no handler."""
        self.pc = entry
        for name in ("MSTATUS", "MTVEC", "MCAUSE"):
            self._set(name, 0)

    def run(self, cycles: int) -> Stop:
        """Run about `cycles` active cycles (to the end of a block), until the core sleeps or traps."""
        from unicorn import UcError

        counts = self._counts
        counts.deadline = counts.half_cycles + 2 * cycles
        counts.sent_event = 0
        before, self._trap = counts.instructions, None
        try:
            self._uc.emu_start(self.pc, _NEVER)
        except UcError as error:
            self._note_fault(error)
        self._guarded.raise_kept(self.counter)
        self.pc = int(self._get("PC"))
        if self._trap is not None:
            self._enter_exception(*self._trap)
            return Stop.TRAP
        return Stop.WFI if counts.instructions > before and self._slept() else Stop.TIME

    def interrupt(self, number: int) -> None:
        """Enter the handler of interrupt `number`: vectored, as mtvec always is on this core."""
        self._enter(_INTERRUPT | number, 0)
        self.pc = (self._get("MTVEC") & ~0xFF) + 4 * number

    def stop(self) -> None:
        """Make the core come back after the running block.  (Stopped at once by the emulator, it would
        execute the instruction that accesses a register twice.)"""
        self._counts.deadline = 0

    def watch_for_unmasking(self, on: bool) -> None:
        """Come back, too, as soon as interrupts may have been let in."""
        self._counts.stops_on_event = on

    def load(self, address: int, size: int) -> bytes:
        """Memory contents; raises IndexError where there is none."""
        from unicorn import UcError

        try:
            return bytes(self._uc.mem_read(address, size))
        except UcError as error:
            raise IndexError(address) from error

    def store(self, address: int, data: bytes) -> None:
        """Write memory as a debugger does; raises IndexError where there is none."""
        from unicorn import UcError

        try:
            self._uc.mem_write(address, data)
        except UcError as error:
            raise IndexError(address) from error

    def register(self, number: int) -> int:
        """General register x`number`."""
        return self._get(f"X{number}")

    def set_register(self, number: int, value: int) -> None:
        """Write general register x`number`."""
        self._set(f"X{number}", value)

    def buffer(self, index: int) -> memoryview:
        """The bytes of one of the memories."""
        return memoryview(self._buffers[index])

    def where(self, address: int) -> str:
        """An address as a person reads it, with the nearest symbol."""
        symbol = self._firmware.nearest(address)
        return f"0x{address:08X}" + (f" ({symbol})" if symbol else "")

    def close(self) -> None:
        """Free the counter's memory."""
        self.counter.close()

    def _map(self, memory: Memory) -> mmap.mmap:
        import unicorn

        # zeros, page-aligned, and at one address as long as the core lives
        content = mmap.mmap(-1, memory.size)
        pointer = ctypes.addressof(ctypes.c_char.from_buffer(content))
        rights = unicorn.UC_PROT_ALL if memory.writable else unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC
        for place in memory.places:
            self._uc.mem_map_ptr(place, memory.size, rights, pointer)
        return content

    def _on_invalid(self, uc: Any, access: int, address: int, size: int, value: int, user: object) -> bool:
        import unicorn

        fetches = (unicorn.UC_MEM_FETCH_UNMAPPED, unicorn.UC_MEM_FETCH_PROT)
        writes = (unicorn.UC_MEM_WRITE_UNMAPPED, unicorn.UC_MEM_WRITE_PROT)
        self._access = (1 if access in fetches else 7 if access in writes else 5, address)
        return False

    def _on_exception(self, uc: Any, number: int, user: object) -> None:
        pc = self._get("PC") - 4  # Unicorn has stepped over it
        if number == _ILLEGAL and self._custom(pc):
            return
        self._set("PC", pc)
        self._trap = (number, 0)
        uc.emu_stop()

    def _custom(self, pc: int) -> bool:
        """Execute an access to one of the chip's own control registers; False for anything else."""
        word = int.from_bytes(self._uc.mem_read(pc, 4), "little")
        number, kind, source, target = word >> 20, word >> 12 & 7, word >> 15 & 31, word >> 7 & 31
        if word & 0x7F != 0x73 or not kind & 3 or number not in self._csrs.numbers:
            return False
        old = self._csrs.read(number)
        given = source if kind & 4 else self._get(f"X{source}")
        if kind & 3 == 1:
            self._csrs.write(number, given)
        elif source:
            self._csrs.write(number, old | given if kind & 3 == 2 else old & ~given)
        if target:
            self._set(f"X{target}", old)
        return True

    def _note_fault(self, error: Any) -> None:
        """An access that failed, with the PC still at its instruction."""
        import unicorn

        if error.errno == unicorn.UC_ERR_EXCEPTION:
            self._trap = self._trap or (_ILLEGAL, 0)
        else:
            self._trap = self._access

    def _enter_exception(self, cause: int, value: int) -> None:
        what = f"{CAUSES.get(cause, f'exception {cause}')}" + (f" at 0x{value:08X}" if value else "")
        handler = self._get("MTVEC") & ~0xFF
        if not handler or handler == self.pc:
            raise DeviceError(
                f"the firmware faulted at PC {self.where(self.pc)}: {what}",
                why="it has set no handler, or the handler faults itself",
                fix="look up the address with riscv64-unknown-elf-addr2line on the ELF file",
            )
        self.exceptions.append((self.pc, what))
        self._enter(cause, value)
        self.pc = handler

    def _enter(self, cause: int, value: int) -> None:
        """What the core does by itself before the first instruction of a handler."""
        status = self._get("MSTATUS")
        self._set("MEPC", self.pc)
        self._set("MCAUSE", cause)
        self._set("MTVAL", value)
        self._set("MSTATUS", status & ~(_MIE | _MPIE) | (_MPIE if status & _MIE else 0) | _MPP)

    def _slept(self) -> bool:
        """WFI ends the emulation with the PC behind it, now and then after counting the next block."""
        for place, size, content in self._places:
            offset = self.pc - 4 - place
            if 0 <= offset <= size - 4:
                return content[offset : offset + 4] == _WFI
        return False

    def _cost(self, address: int, size: int) -> BlockCost:
        return block_cost(decode(bytes(self._uc.mem_read(address, size))))


def _unicorn() -> Any:
    try:
        import unicorn
    except ImportError as error:
        raise MissingToolError("unicorn is not installed", fix="pip install 'edgegrf[virtual]'") from error
    return unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32)
