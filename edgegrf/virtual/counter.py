# SPDX-License-Identifier: Apache-2.0
"""The block hook that counts instructions and cycles: native C, or Python where there is no compiler."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import sys
import tempfile
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from edgegrf.errors import EdgegrfError, MissingToolError, OutputError
from edgegrf.process import run
from edgegrf.resources import cache_folder
from edgegrf.toolchain import host_compiler
from edgegrf.virtual.cortexm.cycles import FLASH_READ, TAKEN_BRANCH, BlockCost
from edgegrf.virtual.cortexm.flash import FlashProbe, stack_slot

__all__ = ["Counter", "Counts", "Decode", "NativeCounter", "PythonCounter", "Read", "Write", "make_counter"]

#: (address, size in bytes) of a block -> its cost
Decode = Callable[[int, int], BlockCost]
#: a register access: (address, size in bytes), and the value
Read = Callable[[int, int], int]
Write = Callable[[int, int, int], None]

_SOURCE = Path(__file__).with_name("counter.c")
_UC_HOOK_BLOCK = 8
_PROBES, _TERMS = 12, 3


class Counts(Protocol):
    """What has run so far; the core stops when `half_cycles` passes `deadline`."""

    instructions: int
    half_cycles: int
    flash_reads: int  # data reads from flash, as far as the probes see them
    deadline: int
    previous_end: int  # the address behind the last block
    sent_event: int  # 1: a SEV was executed


class Counter(Protocol):
    """A hook on a core; `failure` is what went wrong inside it, to be raised when the core has stopped."""

    failure: BaseException | None

    @property
    def counts(self) -> Counts: ...

    def map_cycle_register(self, address: int, read: Read, write: Write) -> None:
        """Map the page of the register that shows the active cycles; `read` and `write` serve the rest."""

    def show_cycles(self, beyond: int | None) -> None:
        """Have the cycle register show the active cycles and `beyond`, modulo 2**32; None stops it."""

    def close(self) -> None: ...


class _Probe(ctypes.Structure):
    _fields_ = [
        ("reg", ctypes.c_int32 * _TERMS), ("slot", ctypes.c_uint32 * _TERMS),
        ("factor", ctypes.c_uint32 * _TERMS), ("constant", ctypes.c_uint32), ("reads", ctypes.c_uint32),
    ]  # fmt: skip


class _Block(ctypes.Structure):
    _fields_ = [
        ("address", ctypes.c_uint32), ("size", ctypes.c_uint32), ("instructions", ctypes.c_uint32),
        ("half_cycles", ctypes.c_uint32), ("sets_event", ctypes.c_uint32), ("probes", ctypes.c_uint32),
        ("probe", _Probe * _PROBES),
    ]  # fmt: skip


class _State(ctypes.Structure):
    """The head of `struct counter`, before its table."""

    _fields_ = [
        ("instructions", ctypes.c_uint64), ("half_cycles", ctypes.c_uint64), ("flash_reads", ctypes.c_uint64),
        ("deadline", ctypes.c_uint64), ("previous_end", ctypes.c_uint32), ("sent_event", ctypes.c_uint32),
        ("taken_branch", ctypes.c_uint32), ("flash_read", ctypes.c_uint32), ("flash_size", ctypes.c_uint32),
        ("used", ctypes.c_uint32), ("cyccnt_on", ctypes.c_uint32), ("cyccnt_from", ctypes.c_uint32),
        ("cyccnt_place", ctypes.c_uint32), ("core", ctypes.c_void_p), ("stop", ctypes.c_void_p),
        ("read", ctypes.c_void_p), ("load", ctypes.c_void_p), ("decode", ctypes.c_void_p),
        ("other", ctypes.c_void_p),
    ]  # fmt: skip


_PAGE = 0x1000
_READ_CALL = ctypes.CFUNCTYPE(
    ctypes.c_uint64, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint, ctypes.c_void_p
)
_WRITE_CALL = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint, ctypes.c_uint64, ctypes.c_void_p
)
_DECODE_CALL = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32, ctypes.POINTER(_Block))


class NativeCounter:
    """counter.c, compiled once and hooked into a Unicorn core; raises MissingToolError without a compiler.

    `registers` gives the emulator's number of each register that a probe names.
    """

    def __init__(self, uc: Any, decode: Decode, registers: dict[str, int], flash_size: int) -> None:
        from unicorn.unicorn_py3.unicorn import uclib

        self._uc = uc
        self._library = _library()
        self._memory: int = self._library.counter_new()
        if not self._memory:
            raise MemoryError
        self._free = weakref.finalize(self, self._library.counter_free, self._memory)
        self.failure: BaseException | None = None
        self._stop = functools.partial(uclib.uc_emu_stop, uc._uch)
        self._decode = decode
        self._registers = registers
        self._callback = _DECODE_CALL(self._fill)
        state = ctypes.cast(self._memory, ctypes.POINTER(_State)).contents
        self.counts: Counts = state
        self._state = state
        state.taken_branch, state.flash_read, state.flash_size = TAKEN_BRANCH, FLASH_READ, flash_size
        state.core = ctypes.cast(uc._uch, ctypes.c_void_p).value
        state.stop = ctypes.cast(uclib.uc_emu_stop, ctypes.c_void_p).value
        state.read = ctypes.cast(uclib.uc_reg_read, ctypes.c_void_p).value
        state.load = ctypes.cast(uclib.uc_mem_read, ctypes.c_void_p).value
        state.decode = ctypes.cast(self._callback, ctypes.c_void_p).value
        handle = ctypes.c_size_t()
        hook = ctypes.cast(self._library.counter_block, ctypes.c_void_p)
        refused = uclib.uc_hook_add(
            uc._uch, ctypes.byref(handle), _UC_HOOK_BLOCK, hook, ctypes.c_void_p(self._memory),
            ctypes.c_uint64(1), ctypes.c_uint64(0),
        )  # fmt: skip
        if refused:
            raise MissingToolError(f"unicorn refuses the block hook with code {refused}")

    def map_cycle_register(self, address: int, read: Read, write: Write) -> None:
        """Map the register's page so that counter.c answers reads of it."""
        from unicorn.unicorn_py3.unicorn import uclib

        page = address & -_PAGE
        self._other = _READ_CALL(lambda core, offset, size, user: read(page + offset, size))
        self._writer = _WRITE_CALL(lambda core, offset, size, value, user: write(page + offset, size, value))
        self._state.cyccnt_place = address - page
        self._state.other = ctypes.cast(self._other, ctypes.c_void_p).value
        reader, writer = (
            ctypes.cast(call, ctypes.c_void_p) for call in (self._library.counter_read_page, self._writer)
        )
        memory = ctypes.c_void_p(self._memory)
        if uclib.uc_mmio_map(self._uc._uch, page, _PAGE, reader, memory, writer, memory):
            raise MissingToolError(f"unicorn refuses to map 0x{page:08X}")

    def show_cycles(self, beyond: int | None) -> None:
        """Set what counter.c answers."""
        self._state.cyccnt_on = beyond is not None
        self._state.cyccnt_from = (beyond or 0) & 0xFFFF_FFFF

    def close(self) -> None:
        """Give the table's memory back; the core must not run again."""
        self._free()

    def _fill(self, address: int, size: int, target: Any) -> None:
        block = target.contents
        try:
            cost = self._decode(address, size)
        except BaseException as error:  # even Ctrl-C cannot cross the C frames; the core raises it
            self.failure = error
            self._stop()
            return
        block.instructions, block.half_cycles = cost.instructions, cost.half_cycles
        block.sets_event = cost.sets_event
        probes = _those_that_fit(cost)
        block.probes = len(probes)
        for place, probe in zip(block.probe, probes, strict=False):
            place.constant, place.reads = probe.address.constant, probe.reads
            for number, (register, factor) in enumerate(probe.address.terms):
                slot = stack_slot(register)
                place.reg[number] = self._registers["sp" if slot is not None else register]
                place.slot[number] = 0 if slot is None else slot + 1
                place.factor[number] = factor


@dataclass
class _Counts:
    instructions: int = 0
    half_cycles: int = 0
    flash_reads: int = 0
    deadline: int = 0
    previous_end: int = 0
    sent_event: int = 0


class PythonCounter:
    """The same counts from a Python hook: bit for bit those of counter.c, many times slower."""

    def __init__(self, uc: Any, decode: Decode, registers: dict[str, int], flash_size: int) -> None:
        self.counts = _Counts()
        self.failure: BaseException | None = None
        self._decode = functools.cache(decode)
        self._registers = registers
        self._flash_size = flash_size
        self._uc = uc
        uc.hook_add(_UC_HOOK_BLOCK, self._block)

    def map_cycle_register(self, address: int, read: Read, write: Write) -> None:
        """Map the register's page with nothing special: `read` knows the cycles."""
        page = address & -_PAGE
        self._uc.mmio_map(
            page, _PAGE, lambda uc, offset, size, user: read(page + offset, size), None,
            lambda uc, offset, size, value, user: write(page + offset, size, value), None,
        )  # fmt: skip

    def show_cycles(self, beyond: int | None) -> None:
        """Nothing to do: `read` knows."""

    def close(self) -> None:
        """Nothing to give back."""

    def _block(self, uc: Any, address: int, size: int, user: object) -> None:
        counts = self.counts
        if counts.half_cycles >= counts.deadline:
            uc.emu_stop()
            return
        try:
            cost = self._decode(address, size)
        except BaseException as error:
            self.failure = error
            uc.emu_stop()
            return
        counts.instructions += cost.instructions
        counts.half_cycles += cost.half_cycles + (TAKEN_BRANCH if address != counts.previous_end else 0)
        for probe in _those_that_fit(cost):
            terms = (factor * self._value(uc, name) for name, factor in probe.address.terms)
            if (probe.address.constant + sum(terms)) & 0xFFFF_FFFF < self._flash_size:
                counts.flash_reads += probe.reads
                counts.half_cycles += probe.reads * FLASH_READ
        counts.sent_event |= cost.sets_event
        counts.previous_end = address + size

    def _value(self, uc: Any, term: str) -> int:
        slot = stack_slot(term)
        if slot is None:
            return int(uc.reg_read(self._registers[term]))
        return int.from_bytes(uc.mem_read(uc.reg_read(self._registers["sp"]) + slot, 4), "little")


def _those_that_fit(cost: BlockCost) -> list[FlashProbe]:
    """The probes that a block of counter.c has room for."""
    return [probe for probe in cost.probes if len(probe.address.terms) <= _TERMS][:_PROBES]


@functools.cache
def _library() -> Any:
    """counter.c as a shared library from the cache folder, compiled there at first use."""
    compiler = host_compiler()
    key = hashlib.sha256(_SOURCE.read_bytes() + compiler.version.encode()).hexdigest()[:16]
    path = cache_folder() / "virtual" / f"counter-{key}-{sys.platform}.so"
    if not path.is_file():
        _compile(compiler.argv, path)
    library = ctypes.CDLL(str(path))
    library.counter_new.restype = ctypes.c_void_p
    library.counter_free.argtypes = [ctypes.c_void_p]
    return library


def _compile(compiler: tuple[str, ...], path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            aside = Path(folder) / path.name
            run([*compiler, "-O2", "-std=c99", "-shared", "-fPIC", str(_SOURCE), "-o", str(aside)])
            aside.chmod(0o755)
            aside.replace(path)
    except OSError as error:
        raise OutputError(
            f"cannot write {path}",
            why=error.strerror or str(error),
            fix="set EDGEGRF_CACHE to a writable folder",
        ) from error


def make_counter(uc: Any, decode: Decode, registers: dict[str, int], flash_size: int) -> tuple[Counter, str]:
    """The native counter, or the Python one and the reason why."""
    try:
        return NativeCounter(uc, decode, registers, flash_size), ""
    except EdgegrfError as error:
        reason = f"{error.what}: counting cycles in Python, many times slower"
        return PythonCounter(uc, decode, registers, flash_size), reason
