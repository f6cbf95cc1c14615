# SPDX-License-Identifier: Apache-2.0
"""counter.c as a block hook: compiled once, then called by the emulator without Python in between."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import sys
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgegrf.errors import MissingToolError, OutputError
from edgegrf.process import run
from edgegrf.resources import cache_folder
from edgegrf.toolchain import host_compiler
from edgegrf.virtual.cortexm.flash import stack_slot
from edgegrf.virtual.counts import (
    OWNERS,
    PAGE,
    PROBES,
    TERMS,
    Counts,
    Decode,
    Penalties,
    Read,
    Share,
    Write,
    those_that_fit,
)
from edgegrf.virtual.owners import Owners, Span

__all__ = ["UC_HOOK_BLOCK", "NativeCounter"]

_SOURCE = Path(__file__).with_name("counter.c")
UC_HOOK_BLOCK = 8


class _Probe(ctypes.Structure):
    _fields_ = [
        ("reg", ctypes.c_int32 * TERMS), ("slot", ctypes.c_uint32 * TERMS),
        ("factor", ctypes.c_uint32 * TERMS), ("constant", ctypes.c_uint32), ("reads", ctypes.c_uint32),
    ]  # fmt: skip


class _Block(ctypes.Structure):
    _fields_ = [
        ("address", ctypes.c_uint32), ("size", ctypes.c_uint32), ("instructions", ctypes.c_uint32),
        ("half_cycles", ctypes.c_uint32), ("sets_event", ctypes.c_uint32), ("owner", ctypes.c_uint32),
        ("probes", ctypes.c_uint32), ("probe", _Probe * PROBES),
    ]  # fmt: skip


class _Share(ctypes.Structure):
    _fields_ = [
        ("instructions", ctypes.c_uint64), ("half_cycles", ctypes.c_uint64), ("flash_reads", ctypes.c_uint64),
    ]  # fmt: skip


class _State(ctypes.Structure):
    """The head of `struct counter`, before its table."""

    _fields_ = [
        ("instructions", ctypes.c_uint64), ("half_cycles", ctypes.c_uint64), ("flash_reads", ctypes.c_uint64),
        ("deadline", ctypes.c_uint64), ("previous_end", ctypes.c_uint32), ("sent_event", ctypes.c_uint32),
        ("taken_branch", ctypes.c_uint32), ("flash_read", ctypes.c_uint32), ("flash_size", ctypes.c_uint32),
        ("used", ctypes.c_uint32), ("cyccnt_on", ctypes.c_uint32), ("cyccnt_from", ctypes.c_uint32),
        ("cyccnt_place", ctypes.c_uint32), ("owner", ctypes.c_uint32), ("back", ctypes.c_uint32),
        ("link_register", ctypes.c_int32), ("stops_on_event", ctypes.c_uint32),
        ("core", ctypes.c_void_p), ("stop", ctypes.c_void_p),
        ("read", ctypes.c_void_p), ("load", ctypes.c_void_p), ("decode", ctypes.c_void_p),
        ("other", ctypes.c_void_p), ("share", _Share * OWNERS),
    ]  # fmt: skip


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

    def __init__(self, uc: Any, decode: Decode, registers: dict[str, int], penalties: Penalties) -> None:
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
        self._owners = Owners(())
        self._callback = _DECODE_CALL(self._fill)
        state = ctypes.cast(self._memory, ctypes.POINTER(_State)).contents
        self.counts: Counts = state
        self._state = state
        state.taken_branch, state.flash_read = penalties.taken_branch, penalties.flash_read
        state.flash_size = penalties.flash_size
        state.link_register = registers["lr"]
        state.core = ctypes.cast(uc._uch, ctypes.c_void_p).value
        state.stop = ctypes.cast(uclib.uc_emu_stop, ctypes.c_void_p).value
        state.read = ctypes.cast(uclib.uc_reg_read, ctypes.c_void_p).value
        state.load = ctypes.cast(uclib.uc_mem_read, ctypes.c_void_p).value
        state.decode = ctypes.cast(self._callback, ctypes.c_void_p).value
        handle = ctypes.c_size_t()
        hook = ctypes.cast(self._library.counter_block, ctypes.c_void_p)
        refused = uclib.uc_hook_add(
            uc._uch, ctypes.byref(handle), UC_HOOK_BLOCK, hook, ctypes.c_void_p(self._memory),
            ctypes.c_uint64(1), ctypes.c_uint64(0),
        )  # fmt: skip
        if refused:
            raise MissingToolError(f"unicorn refuses the block hook with code {refused}")

    def map_cycle_register(self, address: int, read: Read, write: Write) -> None:
        """Map the register's page so that counter.c answers reads of it."""
        from unicorn.unicorn_py3.unicorn import uclib

        page = address & -PAGE
        self._other = _READ_CALL(lambda core, offset, size, user: read(page + offset, size))
        self._writer = _WRITE_CALL(lambda core, offset, size, value, user: write(page + offset, size, value))
        self._state.cyccnt_place = address - page
        self._state.other = ctypes.cast(self._other, ctypes.c_void_p).value
        reader, writer = (
            ctypes.cast(call, ctypes.c_void_p) for call in (self._library.counter_read_page, self._writer)
        )
        memory = ctypes.c_void_p(self._memory)
        if uclib.uc_mmio_map(self._uc._uch, page, PAGE, reader, memory, writer, memory):
            raise MissingToolError(f"unicorn refuses to map 0x{page:08X}")

    def show_cycles(self, beyond: int | None) -> None:
        """Set what counter.c answers."""
        self._state.cyccnt_on = beyond is not None
        self._state.cyccnt_from = (beyond or 0) & 0xFFFF_FFFF

    def count_by_owner(self, spans: Sequence[Span]) -> None:
        """Empty counter.c's table, so that every block is asked for its owner again."""
        self._owners = Owners(spans, most=OWNERS)
        self._library.counter_start_over(self._memory)

    def shares(self) -> list[Share]:
        """Copied out of counter.c's table."""
        found = self._state.share[: self._owners.count]
        return [Share(one.instructions, one.half_cycles, one.flash_reads) for one in found]

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
        block.sets_event, block.owner = cost.sets_event, self._owners.of(address, size)
        probes = those_that_fit(cost)
        block.probes = len(probes)
        for place, probe in zip(block.probe, probes, strict=False):
            place.constant, place.reads = probe.address.constant, probe.reads
            for number, (register, factor) in enumerate(probe.address.terms):
                slot = stack_slot(register)
                place.reg[number] = self._registers["sp" if slot is not None else register]
                place.slot[number] = 0 if slot is None else slot + 1
                place.factor[number] = factor


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
    for function in (library.counter_free, library.counter_start_over):
        function.argtypes = [ctypes.c_void_p]
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
