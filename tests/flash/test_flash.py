# SPDX-License-Identifier: Apache-2.0
"""Flashers against a simulated UF2 drive and a stand-in for the pyocd program; no real probe or drive."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from edgegrf.boards import board, boards
from edgegrf.errors import DeviceError, MissingToolError, ModelError, UnknownNameError, UsageError
from edgegrf.flash import flash
from edgegrf.flash.uf2 import find_drives
from edgegrf.image import build_image_of_c, read_image
from edgegrf.image.elf import Segment
from edgegrf.image.formats import to_binary
from edgegrf.image.slot import check_fits

TRIVIAL = Path(__file__).parents[2] / "firmware" / "tests" / "trivial"

#: plays pyocd: lists PROBES, records its arguments and the image it was given, fails if told to
PYOCD = """#!{python}
import json, os, pathlib, shutil, sys
here = pathlib.Path(__file__).parent
if sys.argv[1:] == ["json", "--probes"]:
    print(json.dumps({{"boards": [{{"unique_id": item}} for item in os.environ["PROBES"].split()]}}))
    sys.exit()
(here / "argv.json").write_text(json.dumps(sys.argv[1:]))
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
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("PROBES", "000683000001")
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
    expected = ["load", "--no-wait", "--uid", "000683000001", "--target", "nrf52840", "--erase", "sector"]
    assert argv[:-1] == expected
    assert to_binary(read_image(pyocd / "received.hex")[1]) == to_binary(read_image(image.elf)[1])


def test_pyocd_without_a_probe_with_two_and_failing(images, pyocd, monkeypatch):
    image, target = images("nrf52840dk").hex, board("nrf52840dk")
    monkeypatch.setenv("PROBES", "")
    with pytest.raises(DeviceError, match="no debug probe"):
        flash(target, image)
    monkeypatch.setenv("PROBES", "0006A 0007B")
    with pytest.raises(DeviceError, match="several debug probes: 0006A, 0007B"):
        flash(target, image)
    assert not (pyocd / "argv.json").exists()
    assert flash(target, image, probe="0007").where == "probe 0007B"
    monkeypatch.setenv("FAIL", "1")
    with pytest.raises(DeviceError, match="could not write nrf52840dk") as caught:
        flash(target, image, probe="0006")
    assert "flash program page failure" in caught.value.why and caught.value.exit_code == 3


def test_pyocd_missing(images, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("edgegrf.flash.pyocd.importlib.util.find_spec", lambda _name: None)
    with pytest.raises(MissingToolError, match="pyOCD is not installed"):
        flash(board("nrf52840dk"), images("nrf52840dk").hex)


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
    with pytest.raises(DeviceError, match="several UF2 drives"):
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
        (feather, images("feather_nrf52840").hex, "pyocd", UnknownNameError),
        (board("native"), images("nrf52840dk").hex, None, UsageError),
    ]:
        with pytest.raises(error):
            flash(target, image, via=via)
    assert not (pyocd / "argv.json").exists()


def test_boards_with_a_boot_loader_keep_it_and_its_room():
    """No probe, which would erase a locked chip; nothing from 0xEA000 on, nor an image that ends there."""
    behind_one = [row for row in boards().values() if row.uf2_softdevice]
    assert len(behind_one) == 3
    for row in behind_one:
        assert row.flash_origin + row.flash_size == 0xEA000
        assert "pyocd" not in row.flashers and row.pyocd_target is None
        vectors = (row.ram_origin + 64).to_bytes(4, "little") + (row.flash_origin + 9).to_bytes(4, "little")
        full = Segment(row.flash_origin, vectors.ljust(row.flash_size, b"\0"))
        check_fits(row, [full])
        with pytest.raises(UsageError):
            check_fits(row, [Segment(full.address, full.data + bytes(4))])
