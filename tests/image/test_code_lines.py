# SPDX-License-Identifier: Apache-2.0
"""The line table of an image: against addr2line where it is, and damaged."""

from __future__ import annotations

import contextlib
import itertools
import shutil

import pytest

from edgegrf.boards import board
from edgegrf.errors import MissingToolError, ModelError
from edgegrf.image import build_image
from edgegrf.image.elf import read_elf, section_bytes
from edgegrf.image.lines import code_lines
from edgegrf.process import run
from edgegrf.resources import DEFAULT_STUDENT, shipped_file


@pytest.fixture(scope="module", params=["gcc", "zig"])
def elf(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    model = shipped_file(DEFAULT_STUDENT, "student_int8.tflite")
    try:
        return build_image(board("nrf52840dk"), model, folder, compiler=request.param).elf
    except MissingToolError as error:
        pytest.skip(error.what)


def test_every_line_of_the_models_entries_is_known(elf):
    data = elf.read_bytes()
    rows = code_lines(data)
    source = (elf.parent / "model" / "model.c").read_text().splitlines()
    for symbol in read_elf(data).table:
        if symbol.name not in ("model_step", "model_window"):
            continue
        inside = [row for row in rows if symbol.address <= row.start < symbol.address + symbol.size]
        assert inside[0].start == symbol.address and {row.file for row in inside} == {"model.c"}
        assert all(one.end == other.start for one, other in itertools.pairwise(inside))
        lines = {source[row.line - 1].strip() for row in inside}
        assert any(symbol.name in line for line in lines)
        assert {f"layer {n}" for n in range(11)} <= {line.rpartition("/* ")[2][:-3] for line in lines}


def test_addr2line_agrees(elf):
    tool = shutil.which("arm-none-eabi-addr2line")
    if tool is None:
        pytest.skip("no arm-none-eabi-addr2line")
    data = elf.read_bytes()
    functions = [symbol for symbol in read_elf(data).table if symbol.function]
    rows = [
        row
        for row in code_lines(data)
        for one in functions
        if one.address <= row.start < one.address + one.size
        and row.start >= 0x800  # below, what the linker has thrown away still has its lines
        and row.line  # 0: from nowhere
    ][::7]
    assert len(rows) > 100
    said = run([tool, "-e", str(elf), *(hex(row.start) for row in rows)]).stdout.splitlines()
    ours = [f"{row.file}:{row.line}" for row in rows]
    theirs = [line.partition(" ")[0].rpartition("/")[2] for line in said]
    same = sum(one == other for one, other in zip(ours, theirs, strict=True))
    assert same > 0.97 * len(rows)  # of several rows at one address addr2line shows one


def test_without_debug_information_there_are_no_lines(elf):
    data = elf.read_bytes()
    assert code_lines(data.replace(b".debug_line\0", b".other_line\0")) == []
    assert section_bytes(data, ".nothing") == b""


def test_a_damaged_table_is_refused_or_read(elf):
    data = bytearray(elf.read_bytes())
    table = section_bytes(bytes(data), ".debug_line")
    at = bytes(data).index(table)
    for offset in range(0, 400, 3):
        damaged = data.copy()
        damaged[at + offset] ^= 0xFF
        with contextlib.suppress(ModelError):
            code_lines(bytes(damaged))
    data[at + 4] = 9  # the version
    with pytest.raises(ModelError, match="damaged"):
        code_lines(bytes(data))
