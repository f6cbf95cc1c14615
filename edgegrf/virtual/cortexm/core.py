# SPDX-License-Identifier: Apache-2.0
"""A Cortex-M4F under Unicorn: memory, the way to the peripherals, sleep, faults, and counted cycles."""

from __future__ import annotations

import enum
import random
from collections.abc import Callable
from typing import Any

from edgegrf.errors import DeviceError, MissingToolError
from edgegrf.virtual.cortexm.cycles import FLASH_READ, TAKEN_BRANCH, block_cost
from edgegrf.virtual.cortexm.decode import decode
from edgegrf.virtual.cortexm.faults import Fault, fault_of, store_at
from edgegrf.virtual.cortexm.registers import Registers
from edgegrf.virtual.counter import make_counter
from edgegrf.virtual.counts import BlockCost, Penalties
from edgegrf.virtual.guarded import Guarded, Region
from edgegrf.virtual.image import Firmware

__all__ = ["Core", "Stop"]

_NEVER = 0xFFFF_FFFE
_THUMB = 1 << 24  # of xPSR
#: the emulator's number for a branch to an EXC_RETURN value
_RETURN = 8


class Stop(enum.Enum):
    """Why the core came back."""

    TIME = enum.auto()
    WFI = enum.auto()
    WFE = enum.auto()
    RETURN = enum.auto()  # from an exception
    FAULT = enum.auto()  # `Core.fault` tells which


#: Thumb encodings, narrow and wide
_SLEEPS = (
    (b"\x30\xbf", Stop.WFI), (b"\x20\xbf", Stop.WFE), (b"\xaf\xf3\x03\x80", Stop.WFI),
    (b"\xaf\xf3\x02\x80", Stop.WFE),
)  # fmt: skip


class Core:
    """Runs Thumb code; `read` and `write` serve the register regions and the page of
    `cycle_register`, `vectors` is where the vector table lies, `fpu_on` tells CPACR's state, and
    `program` is given each store into flash (address, bytes): False makes it a fault.

    When the firmware faults, `fault` says how.
    """

    def __init__(
        self,
        firmware: Firmware,
        *,
        flash: Region,
        ram: Region,
        registers: tuple[Region, ...],
        cycle_register: int,
        vectors: int,
        read: Callable[[int, int], int],
        write: Callable[[int, int, int], None],
        fpu_on: Callable[[], bool],
        program: Callable[[int, bytes], bool],
    ) -> None:
        uc = self._uc = _unicorn()
        self._firmware, self._flash, self._ram, self._vectors = firmware, flash, ram, vectors
        self._fpu_on, self._program = fpu_on, program
        self._guarded = Guarded(uc, read, write)
        self.pc = 0  # the address of the next instruction, when the core does not run
        self._sleep_codes: dict[int, Stop | None] = {}  # what the code before an address does
        self.fault: Fault | None = None  # of the last run
        self._bad_access: tuple[int, bytes] | None = None  # address, what was to be written
        self._interrupt: int | None = None  # what the emulator's own exceptions are numbered
        self._map_memory(registers)
        import unicorn.arm_const as arm

        self._pc, self._sp = arm.UC_ARM_REG_PC, arm.UC_ARM_REG_SP
        self.registers = Registers(uc)
        self._numbers = numbers = {f"r{n}": getattr(arm, f"UC_ARM_REG_R{n}") for n in range(13)} | {
            "lr": arm.UC_ARM_REG_LR, "sp": arm.UC_ARM_REG_SP,
        }  # fmt: skip

        penalties = Penalties(TAKEN_BRANCH, FLASH_READ, flash[1])
        self.counter, self.note = make_counter(uc, self._cost, numbers, penalties)
        self.counter.map_cycle_register(cycle_register, self._guarded.read, self._guarded.write)
        self._counts = self.counter.counts
        self.reset()

    @property
    def cycles(self) -> int:
        """Active cycles so far (sleep does not count), by the cycle model."""
        return self._counts.half_cycles // 2

    def reset(self) -> None:
        """Take stack pointer and program counter from the vector table."""
        words = bytes(self._uc.mem_read(self._vectors, 8))
        stack, entry = (int.from_bytes(words[place : place + 4], "little") for place in (0, 4))
        if not entry & 1:
            raise DeviceError(
                f"the reset vector 0x{entry:08X} is not Thumb code",
                why=f"there is no vector table at 0x{self._vectors:08X}",
                fix="load the image that was built for this board",
            )
        self.pc = entry & ~1
        self.registers.enter(_THUMB, stack, 0xFFFF_FFFF)
        self.registers.set_control(0)
        self.registers.set_masks(0, 0, 0)

    def run(self, cycles: int) -> Stop:
        """Run about `cycles` active cycles (to the end of a block), or until the core goes to sleep."""
        import unicorn

        counts = self._counts
        counts.deadline = counts.half_cycles + 2 * cycles
        self._bad_access = self._interrupt = self.fault = None
        error = unicorn.UC_ERR_OK
        try:
            self._uc.emu_start(self.pc | 1, _NEVER)
        except unicorn.UcError as stumbled:
            error = stumbled.errno
        self.pc = int(self._uc.reg_read(self._pc))
        self._guarded.raise_kept(self.counter)
        if self._interrupt == _RETURN:
            return Stop.RETURN
        slept = self._slept()  # WFE ends in an "invalid instruction" with the PC already past it
        if slept or (error == unicorn.UC_ERR_OK and self._interrupt is None):
            return slept or Stop.TIME
        if error == unicorn.UC_ERR_WRITE_PROT and self._stored():
            return Stop.TIME
        self.fault = self._described(error)
        return Stop.FAULT

    def stop(self) -> None:
        """Make the core come back after the running block.  (Stopped at once by the emulator, it would
        execute the instruction that accesses a register twice.)"""
        self._counts.deadline = 0

    def load(self, address: int, size: int) -> bytes:
        """RAM contents; raises IndexError outside RAM."""
        self._check(address, size)
        return bytes(self._uc.mem_read(address, size))

    def store(self, address: int, data: bytes) -> None:
        """Write RAM; raises IndexError outside RAM."""
        self._check(address, len(data))
        self._uc.mem_write(address, data)

    def word(self, address: int) -> int:
        """A word of memory, without effects."""
        return int.from_bytes(self._uc.mem_read(address, 4), "little")

    def go_to(self, address: int) -> None:
        """Have the core go on elsewhere, without what a branch costs."""
        self.pc = self._counts.previous_end = address

    def spend(self, cycles: int) -> None:
        """Count active cycles that no instruction takes."""
        self._counts.half_cycles += 2 * cycles

    def read_flash(self, address: int, size: int) -> bytes:
        """Flash contents."""
        return bytes(self._uc.mem_read(address, size))

    def write_flash(self, address: int, data: bytes) -> None:
        """Change flash contents, as its controller does."""
        self._uc.mem_write(address, data)

    def forget_ram(self) -> None:
        """Fill RAM with what it may hold after a power cut: anything, the same on every run."""
        self._uc.mem_write(self._ram[0], random.Random(0).randbytes(self._ram[1]))

    def where(self, address: int) -> str:
        """An address as a person reads it, with the nearest symbol."""
        symbol = self._firmware.nearest(address)
        return f"0x{address:08X}" + (f" ({symbol})" if symbol else "")

    def close(self) -> None:
        """Free the counter's memory."""
        self.counter.close()

    def _map_memory(self, registers: tuple[Region, ...]) -> None:
        import unicorn

        uc = self._uc
        uc.mem_map(*self._flash, unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC)
        uc.mem_map(*self._ram, unicorn.UC_PROT_ALL)
        uc.mem_write(self._flash[0], b"\xff" * self._flash[1])
        for address, data in self._firmware.segments:
            if not _inside(address, len(data), self._flash):
                raise DeviceError(
                    f"the image loads {len(data)} bytes at 0x{address:08X}, outside the flash",
                    fix="load the image of this board",
                )
            uc.mem_write(address, data)
        self._guarded.map(registers)
        uc.hook_add(unicorn.UC_HOOK_MEM_INVALID, self._on_invalid)
        uc.hook_add(unicorn.UC_HOOK_INTR, self._on_interrupt)

    def _check(self, address: int, size: int) -> None:
        if not _inside(address, size, self._ram):
            raise IndexError(address)

    def _on_invalid(self, uc: Any, access: int, address: int, size: int, value: int, user: object) -> bool:
        self._bad_access = address, (value & (1 << 8 * size) - 1).to_bytes(size, "little")
        return False

    def _on_interrupt(self, uc: Any, number: int, user: object) -> None:
        self._interrupt = number
        uc.emu_stop()

    def _stored(self) -> bool:
        """A store into flash stopped the core: let `program` have it, and step over it."""
        store = store_at(bytes(self._uc.mem_read(self.pc, 4)), self.pc)
        if self._bad_access is None or store is None or not self._program(*self._bad_access):
            return False
        if store.base:
            number = self._numbers[store.base]
            self._uc.reg_write(number, self._uc.reg_read(number) + store.step)
        self.go_to(self.pc + store.size)
        return True

    def _cost(self, address: int, size: int) -> BlockCost:
        code = bytes(self._uc.mem_read(address, size))
        cost = block_cost(decode(code, address), address, self._flash[1], self.word)
        if cost.uses_fpu and not self._fpu_on():
            raise DeviceError(
                f"floating point at {self.where(address)} with the FPU off",
                why="a real core takes a usage fault: CPACR was not written",
                fix="enable coprocessors 10 and 11 in the reset handler",
            )
        return cost

    def _slept(self) -> Stop | None:
        """Whether the last block ended by going to sleep."""
        pc = self.pc
        if pc != self._counts.previous_end:
            return None
        if pc not in self._sleep_codes:
            mapped = any(_inside(pc - 4, 4, region) for region in (self._flash, self._ram))
            last = bytes(self._uc.mem_read(pc - 4, 4)) if mapped else b""
            stops = (stop for code, stop in _SLEEPS if last.endswith(code))
            self._sleep_codes[pc] = next(stops, None)
        return self._sleep_codes[pc]

    def _described(self, error: int) -> Fault:
        import unicorn

        address = self._bad_access[0] if self._bad_access else None
        what = "" if address is None else f" at 0x{address:08X}"
        text = str(unicorn.UcError(error))
        if self._interrupt is not None:
            text = "Unhandled CPU exception"
        return fault_of(error, f"{text}{what}", address, self._interrupt)


def _inside(address: int, size: int, region: Region) -> bool:
    return region[0] <= address and address + size <= region[0] + region[1]


def _unicorn() -> Any:
    try:
        import unicorn
        from unicorn.arm_const import UC_CPU_ARM_CORTEX_M4
    except ImportError as error:
        raise MissingToolError("unicorn is not installed", fix="pip install 'edgegrf[virtual]'") from error
    uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
    uc.ctl_set_cpu_model(UC_CPU_ARM_CORTEX_M4)
    return uc
