# SPDX-License-Identifier: Apache-2.0
"""ELF, Intel HEX, UF2 and the slot check, against other people's readers where they are installed."""

from __future__ import annotations

import io
import random
import struct
from dataclasses import replace

import pytest

from edgegrf.boards import board
from edgegrf.errors import ModelError, UsageError
from edgegrf.image import check_fits, read_image
from edgegrf.image.elf import Segment, read_elf
from edgegrf.image.formats import read_hex, read_uf2, to_binary, to_hex, to_uf2

FAMILY = 0xADA52840
FEATHER = board("feather_nrf52840")


def some_segments(start=0x26000):
    rng = random.Random(3)
    vectors = struct.pack("<2I", 0x20001010, start + 0x41)
    return [Segment(start, vectors + rng.randbytes(70_001)), Segment(start + 0x12000, rng.randbytes(37))]


def test_binary_fills_gaps_with_erased_flash():
    start, data = to_binary([Segment(20, b"bb"), Segment(16, b"a")])
    assert (start, data) == (16, b"a\xff\xff\xffbb")


def test_overlap_is_refused():
    with pytest.raises(ModelError, match="overlap at 0x00000011"):
        to_binary([Segment(0x10, b"ab"), Segment(0x11, b"c")])


def test_hex_is_read_by_us_and_by_intelhex():
    segments = some_segments()
    text = to_hex(segments)
    assert read_hex(text) == segments
    intelhex = pytest.importorskip("intelhex")
    other = intelhex.IntelHex(io.StringIO(text))
    assert other.segments() == [(part.address, part.address + len(part.data)) for part in segments]
    assert other.tobinstr(start=0x26000, size=70_000) == segments[0].data[:70_000]


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda text: text[:-12], "without its last line"),
        (lambda text: text[:-20], "not Intel HEX"),
        (lambda text: text.replace(":10", ":11", 1), "damaged"),
        (lambda text: text.replace("A", "B", 1), "damaged"),
        (lambda text: text[1:], "damaged"),
        (lambda text: "hello\n", "not Intel HEX"),
        (lambda text: "", "without its last line"),
    ],
)
def test_a_damaged_hex_is_refused(harm, message):
    with pytest.raises(ModelError, match=message):
        read_hex(harm(to_hex(some_segments())))


def test_uf2_blocks_are_as_the_format_says():
    segments = some_segments()
    data = to_uf2(segments, FAMILY)
    start, flat = to_binary(segments)
    count = -(-len(flat) // 256)
    assert len(data) == 512 * count
    for index in range(count):
        block = data[512 * index : 512 * (index + 1)]
        head = struct.unpack("<8I", block[:32])
        assert head == (0x0A324655, 0x9E5D5157, 0x2000, start + 256 * index, 256, index, count, FAMILY)
        assert block[32:288].startswith(flat[256 * index : 256 * (index + 1)])
        assert block[-4:] == struct.pack("<I", 0x0AB16F30)
    family, parts = read_uf2(data)
    assert family == FAMILY and to_binary(parts)[1][: len(flat)] == flat


@pytest.mark.parametrize(
    "harm",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data[:-512],
        lambda data: data[512:],
        lambda data: b"\0" + data[1:],
        lambda data: data[:512] * 2,
        lambda data: data[:28] + struct.pack("<I", 0x1234) + data[32:],  # two families
    ],
)
def test_a_damaged_uf2_is_refused(harm):
    with pytest.raises(ModelError):
        read_uf2(harm(to_uf2(some_segments(), FAMILY)))


def test_the_slot_check_names_what_is_wrong():
    good = some_segments()
    check_fits(FEATHER, good, family=FAMILY)
    for segments, family, said in [
        (good, 0x1234, "UF2 family"),
        (some_segments(0x27000), FAMILY, "begins at 0x00027000"),
        ([*good, Segment(0xE7FFF, b"ab")], FAMILY, "1 more than"),
        ([Segment(0x26000, struct.pack("<2I", 0x10000000, 0x26041))], None, "no vectors"),
        ([Segment(0x26000, struct.pack("<2I", 0x20001010, 0x26000))], None, "no vectors"),  # not Thumb
        ([Segment(0x26000, b"\0")], None, "no vectors"),
    ]:
        with pytest.raises(UsageError, match=said):
            check_fits(FEATHER, segments, family=family)


def test_a_uf2_for_another_family_fits_a_board_without_uf2_by_its_addresses_alone():
    check_fits(replace(FEATHER, uf2_family=None), some_segments(), family=0x1234)


@pytest.mark.parametrize("name", ["a.hex", "a.uf2", "a.elf", "a.bin", "a.txt"])
def test_files_that_are_no_image(tmp_path, name):
    with pytest.raises(ModelError):
        read_image(tmp_path / name)
    (tmp_path / name).write_bytes(b"\x7fELF\x01\x01 and then nothing")
    with pytest.raises(ModelError):
        read_image(tmp_path / name)


def test_a_64_bit_elf_is_refused():
    with pytest.raises(ModelError, match="32-bit"):
        read_elf(b"\x7fELF\x02\x01" + bytes(100))
