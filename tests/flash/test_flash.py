# SPDX-License-Identifier: Apache-2.0
"""Flashers against a simulated UF2 drive and a stand-in for the pyocd program; no real probe or drive."""

from __future__ import annotations

import json
import os
import struct
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from targets import Ports

from edgegrf.boards import board, boards
from edgegrf.errors import DeviceError, MissingToolError, ModelError, UnknownNameError, UsageError
from edgegrf.flash import erase_store
from edgegrf.flash import flash as flash_with
from edgegrf.flash.uf2 import find_drives
from edgegrf.image import build_image_of_c, read_image
from edgegrf.image.elf import Segment
from edgegrf.image.formats import to_binary
from edgegrf.image.slot import check_fits

TRIVIAL = Path(__file__).parents[2] / "firmware" / "tests" / "trivial"


def flash(target, image, **options):
    return flash_with(target, image, Ports(), **options)


#: plays pyocd: lists PROBES, reads the chip's PART, records its arguments and the image, fails if told to
PYOCD = """#!{python}
import json, os, pathlib, shutil, sys
here = pathlib.Path(__file__).parent
if sys.argv[1:] == ["json", "--probes"]:
    print(json.dumps({{"boards": [{{"unique_id": item}} for item in os.environ["PROBES"].split()]}}))
    sys.exit()
if sys.argv[1] == "commander":
    assert sys.argv[5:9] == ["--target", "cortex_m", "--connect", "attach"], sys.argv
    if "PART" not in os.environ:
        print("0000571 C Error: unexpected response [commander]", file=sys.stderr)
        sys.exit(1)
    if sys.argv[-1] == "read32 0x10000100":
        print("10000100:  " + os.environ["PART"] + "    |..(.|")
    elif sys.argv[-1] == "read32 0x3008":
        print("00003008:  " + os.environ["SOFTDEVICE"] + "    |.`..|")
    sys.exit()
(here / "argv.json").write_text(json.dumps(sys.argv[1:]))
if sys.argv[1] == "load":
    shutil.copy(sys.argv[-1], here / "received.hex")
if "FAIL" in os.environ:
    print("0001234 E Error: flash program page failure [x]", file=sys.stderr)
    sys.exit(1)
"""


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    def build(name):
        return build_image_of_c(board(name), TRIVIAL, tmp_path_factory.getbasetemp() / f"flash-{name}")

    return build


@pytest.fixture
def pyocd(tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "pyocd").write_text(PYOCD.format(python=sys.executable))
    (folder / "pyocd").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PROBES", "000683000001")
    monkeypatch.setenv("PART", "00052840")
    monkeypatch.setenv("SOFTDEVICE", "00026000")
    return folder


def drive(folder, board_id="nRF52840-Feather-revD", softdevice="SoftDevice: S140 6.1.1\r\n"):
    folder.mkdir(parents=True)
    text = f"UF2 Bootloader 0.6.4 lib/nrfx (v2.0.0)\r\nModel: A board\r\nBoard-ID: {board_id}\r\n{softdevice}"
    (folder / "INFO_UF2.TXT").write_text(text)
    return folder


def test_pyocd_gets_the_image_the_target_and_the_probe(images, pyocd):
    image = images("nrf52840dk")
    done = flash(board("nrf52840dk"), image.hex)
    assert (done.via, done.where, done.bytes) == ("pyocd", "probe 000683000001", image.sizes.flash_bytes)
    argv = json.loads((pyocd / "argv.json").read_text())
    target = ["--no-wait", "--uid", "000683000001", "--target", "nrf52840", "-O", "auto_unlock=false"]
    assert argv[:-1] == ["load", *target, "--erase", "sector"]
    assert to_binary(read_image(pyocd / "received.hex")[1]) == to_binary(read_image(image.elf)[1])


def test_a_probe_tells_the_boot_loader_that_it_has_a_program(images, pyocd):
    image, target = images("feather_nrf52840"), board("feather_nrf52840")
    flash(target, image.hex, via="pyocd")
    *written, settings = read_image(pyocd / "received.hex")[1]
    assert to_binary(written) == to_binary(read_image(image.elf)[1])
    assert settings.address == 0xFF000
    size = len(to_binary(written)[1])
    assert settings.data == struct.pack("<4H5I", 1, 0, 0xFF, 0, size, 0, 0, 0, 0)


@pytest.mark.parametrize("end", ["ffffffff", "00027000"])
def test_a_probe_leaves_a_chip_without_the_softdevice_alone(images, pyocd, monkeypatch, end):
    monkeypatch.setenv("SOFTDEVICE", end)
    with pytest.raises(DeviceError, match=r"S140 6.1.1 does not lie below 0x26000"):
        flash(board("feather_nrf52840"), images("feather_nrf52840").hex, via="pyocd")
    assert not (pyocd / "argv.json").exists()


def test_pyocd_without_a_probe_with_two_and_failing(images, pyocd, monkeypatch):
    image, target = images("nrf52840dk").hex, board("nrf52840dk")
    monkeypatch.setenv("PROBES", "")
    with pytest.raises(DeviceError, match="no debug probe"):
        flash(target, image)
    monkeypatch.setenv("PROBES", "0006A 0007B")
    with pytest.raises(DeviceError, match="several of debug probe: 0006A, 0007B"):
        flash(target, image)
    assert not (pyocd / "argv.json").exists()
    assert flash(target, image, probe="0007").where == "probe 0007B"
    monkeypatch.setenv("FAIL", "1")
    with pytest.raises(DeviceError, match="could not load nrf52840dk") as caught:
        flash(target, image, probe="0006")
    assert "flash program page failure" in caught.value.why and caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("part", "said"), [("00052833", "is part 0x52833, not 0x52840"), (None, "does not say what it is")]
)
def test_another_or_a_locked_chip_is_not_touched(images, pyocd, monkeypatch, part, said):
    monkeypatch.setenv("PART", part) if part else monkeypatch.delenv("PART")
    with pytest.raises(DeviceError, match=said):
        flash(board("nrf52840dk"), images("nrf52840dk").hex)
    assert not (pyocd / "argv.json").exists()


def test_pyocd_missing(images, tmp_path, monkeypatch):
    image = images("nrf52840dk").hex
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("edgegrf.flash.pyocd.importlib.util.find_spec", lambda _name: None)
    with pytest.raises(MissingToolError, match="pyOCD is not installed"):
        flash(board("nrf52840dk"), image)


@pytest.mark.parametrize("kind", ["uf2", "hex", "elf"])
def test_the_uf2_drive_gets_the_image(images, tmp_path, kind):
    image = images("feather_nrf52840")
    done = flash(board("feather_nrf52840"), getattr(image, kind), to=drive(tmp_path / "FTHR840BOOT"))
    assert done.via == "uf2" and done.where == str(tmp_path / "FTHR840BOOT" / "firmware.uf2")
    assert Path(done.where).read_bytes() == image.uf2.read_bytes()


@pytest.mark.parametrize(
    ("board_id", "softdevice", "said"),
    [
        ("nRF52840-SeeedXiao-v1", "SoftDevice: S140 7.3.0\r\n", "is of 'nRF52840-SeeedXiao-v1'"),
        ("nRF52840-Feather-Sense", "SoftDevice: S140 6.1.1\r\n", "is of 'nRF52840-Feather-Sense'"),
        ("nRF52840-Feather-revD", "SoftDevice: S140 version 7.3.0\r\n", "holds SoftDevice S140 7.3.0"),
        ("nRF52840-Feather-revD", "SoftDevice: not found\r\n", "holds no SoftDevice"),
        ("nRF52840-Feather-revD", "SoftDevice: S140\r\n", "holds SoftDevice S140,"),
        ("", "", "is of ''"),
    ],
)
def test_a_drive_of_another_board_is_left_alone(images, tmp_path, board_id, softdevice, said):
    folder = drive(tmp_path / "X", board_id, softdevice)
    with pytest.raises(DeviceError, match=said):
        flash(board("feather_nrf52840"), images("feather_nrf52840").uf2, to=folder)
    assert [path.name for path in folder.iterdir()] == ["INFO_UF2.TXT"]


def test_drives_are_found_where_they_are_mounted(images, tmp_path, monkeypatch):
    (tmp_path / "media" / "stick").mkdir(parents=True)
    image, target = images("feather_nrf52840").uf2, board("feather_nrf52840")
    monkeypatch.setattr("edgegrf.flash.uf2._mount_points", lambda: iter((tmp_path / "media").iterdir()))
    with pytest.raises(DeviceError, match="no UF2 drive"):
        flash(target, image)
    first = drive(tmp_path / "media" / "FTHR840BOOT", softdevice="")
    assert flash(target, image).where == str(first / "firmware.uf2")
    drive(tmp_path / "media" / "OTHER", "nRF52840-Nano-33")
    with pytest.raises(DeviceError, match="several of UF2 drive"):
        flash(target, image)
    found = find_drives([tmp_path / "media", tmp_path / "none"])
    assert {item.board_id for item in found} == {"nRF52840-Feather-revD", "nRF52840-Nano-33"}


def test_a_folder_or_file_takes_the_uf2_without_a_board(images, tmp_path):
    image = images("xiao_nrf52840").uf2
    folder = flash(board("xiao_nrf52840"), image, via="uf2", to=tmp_path)
    named = flash(board("xiao_nrf52840"), image, via="file", to=tmp_path / "deep" / "mine.uf2")
    assert folder.where == str(tmp_path / "firmware.uf2")
    assert Path(folder.where).read_bytes() == Path(named.where).read_bytes() == image.read_bytes()


@pytest.mark.parametrize("suffix", [".hex", ".bin"])
def test_the_file_flasher_converts(images, tmp_path, suffix):
    image = images("nrf52840dk")
    done = flash(board("nrf52840dk"), image.elf, via="file", to=tmp_path / f"a{suffix}")
    assert Path(done.where).read_bytes() == image.elf.with_suffix(suffix).read_bytes()


def test_wrong_images_and_names_are_refused_before_anything_is_written(images, pyocd, tmp_path):
    dk, feather = board("nrf52840dk"), board("feather_nrf52840")
    (tmp_path / "text.hex").write_text("not an image")
    (tmp_path / "cut.uf2").write_bytes(images("feather_nrf52840").uf2.read_bytes()[:-512])
    for target, image, via, error in [
        (dk, images("feather_nrf52840").hex, None, UsageError),
        (feather, images("xiao_nrf52840").uf2, None, UsageError),
        (feather, images("nrf52840dk").elf, None, UsageError),
        (dk, tmp_path / "text.hex", None, ModelError),
        (feather, tmp_path / "cut.uf2", None, ModelError),
        (dk, tmp_path / "missing.hex", None, ModelError),
        (dk, images("nrf52840dk").hex, "uf2", UnknownNameError),
        (dk, images("nrf52840dk").hex, "file", UsageError),
        (feather, images("feather_nrf52840").hex, "esptool", UnknownNameError),
        (board("native"), images("nrf52840dk").hex, None, UsageError),
    ]:
        with pytest.raises(error):
            flash(target, image, via=via)
    assert not (pyocd / "argv.json").exists()


def test_boards_with_a_boot_loader_keep_it_and_its_room():
    """Nothing from 0xEA000 on, nor an image that ends there."""
    behind_one = [row for row in boards().values() if row.uf2_softdevice]
    assert len(behind_one) == 4
    for row in behind_one:
        assert row.flash_origin + row.flash_size == row.store_origin
        assert row.store_origin + row.store_size == 0xEA000
        assert row.boot_settings == 0xFF000
        vectors = (row.ram_origin + 64).to_bytes(4, "little") + (row.flash_origin + 9).to_bytes(4, "little")
        full = Segment(row.flash_origin, vectors.ljust(row.flash_size, b"\0"))
        check_fits(row, [full])
        with pytest.raises(UsageError):
            check_fits(row, [Segment(full.address, full.data + bytes(4))])


def test_the_calibration_alone_is_erased(images, pyocd, monkeypatch):
    target = replace(board("nrf52840dk"), store_origin=0xFE000, store_size=0x2000)
    done = erase_store(target, Ports())
    assert (done.via, done.bytes) == ("pyocd", 0x2000)
    argv = json.loads((pyocd / "argv.json").read_text())
    assert argv[0] == "erase" and argv[-2:] == ["--sector", "0xfe000+0x2000"]
    (pyocd / "argv.json").unlink()
    monkeypatch.setenv("PART", "00052833")
    with pytest.raises(DeviceError, match="is part 0x52833"):
        erase_store(target, Ports())
    for other in (replace(target, store_size=0), replace(target, flashers=("uf2", "dfu", "file"))):
        with pytest.raises(UsageError):
            erase_store(other, Ports())
    with pytest.raises(UsageError):
        erase_store(target, Ports(), via="file")
    assert not (pyocd / "argv.json").exists()
