# SPDX-License-Identifier: Apache-2.0
"""The five functions that stand for a C library, at every alignment, with words loaded anywhere and not."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from edgegrf.process import run
from edgegrf.toolchain import host_compiler

SOURCE = Path(__file__).parents[2] / "firmware" / "port" / "bare" / "string.c"
ROOM = 96
DATA = bytes(range(7, 7 + ROOM))


@pytest.fixture(scope="module", params=["aligned", "anywhere"])
def functions(request, tmp_path_factory):
    library = tmp_path_factory.mktemp("string") / "string.so"
    defined = ["-D__ARM_FEATURE_UNALIGNED=1"] if request.param == "anywhere" else []
    options = ["-std=c11", "-O2", "-fno-builtin", "-fno-tree-loop-distribute-patterns", "-shared", "-fPIC"]
    run([*host_compiler().argv, *options, *defined, str(SOURCE), "-o", str(library)])
    found = ctypes.CDLL(str(library))
    for name in ("memcpy", "memmove"):
        getattr(found, name).argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
    found.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
    found.memcmp.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t]
    found.strlen.restype = ctypes.c_size_t
    return found


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 15, 16, 17, 31, 40])
def test_bytes_arrive_and_no_others_change(functions, count):
    for to in range(5):
        for start in range(5):
            memory = ctypes.create_string_buffer(DATA, ROOM)
            base = ctypes.addressof(memory)
            functions.memcpy(base + 50 + to, base + start, count)
            expected = bytearray(DATA)
            expected[50 + to : 50 + to + count] = DATA[start : start + count]
            assert memory.raw == expected
        functions.memset(base + to, -2, count)
        expected[to : to + count] = b"\xfe" * count
        assert memory.raw == expected


@pytest.mark.parametrize("away", [-17, -4, -3, -1, 0, 1, 2, 4, 8, 19])
def test_moving_bytes_over_themselves(functions, away):
    for start in range(20, 24):
        for count in range(34):
            memory = ctypes.create_string_buffer(DATA, ROOM)
            base = ctypes.addressof(memory)
            functions.memmove(base + start + away, base + start, count)
            expected = bytearray(DATA)
            expected[start + away : start + away + count] = DATA[start : start + count]
            assert memory.raw == expected, (start, count)


def test_comparing_and_measuring(functions):
    assert functions.memcmp(b"abcd", b"abcx", 3) == 0
    assert functions.memcmp(b"abc", b"abx", 3) < 0 < functions.memcmp(b"ab\xff", b"ab\x01", 3)
    assert [functions.strlen(text) for text in (b"", b"x", b"a longer text")] == [0, 1, 13]
