# SPDX-License-Identifier: Apache-2.0
"""Adafruit's serial boot loader and esptool against simulated targets: right, wrong, too large, deaf."""

from __future__ import annotations

import json
import struct
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from targets import BootLoader, Ports, install_esptool

from edgegrf.boards import board
from edgegrf.errors import DeviceError, MissingToolError, ModelError, UsageError
from edgegrf.flash import dfu as dfu_module
from edgegrf.flash import erase_store, flash
from edgegrf.image import build_image_of_c

TRIVIAL = Path(__file__).parents[2] / "firmware" / "tests" / "trivial"
PORT = "/dev/fake"


@pytest.fixture(scope="module")
def feather(tmp_path_factory):
    return build_image_of_c(board("feather_nrf52840"), TRIVIAL, tmp_path_factory.mktemp("feather"))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(dfu_module, "_ERASE_PAGE_S", 0.0)
    monkeypatch.setattr(dfu_module, "_ACK_S", 0.01)


def by_dfu(image, loader, **options):
    ports = Ports(boot_loaders=[PORT], line=loader)
    return flash(board("feather_nrf52840"), image, ports, via="dfu", **options)


def test_the_boot_loader_gets_the_image(feather):
    loader = BootLoader()
    done = by_dfu(feather.hex, loader)
    assert (done.via, done.where, done.bytes) == ("dfu", PORT, feather.sizes.flash_bytes)
    assert loader.started and loader.closed
    assert bytes(loader.image).startswith(feather.bin.read_bytes())
    assert loader.history == [3, 1, *[4] * -(-len(loader.image) // 512), 5]


@pytest.mark.parametrize("faults", [{"lose": [0]}, {"lose": range(1, 30, 3)}, {"garble": range(0, 40, 4)}])
def test_lost_acknowledgements_and_damaged_packets_are_made_good(feather, faults):
    loader = BootLoader(**faults)
    by_dfu(feather.uf2, loader)
    assert loader.started and loader.packets > len(loader.history)


@pytest.mark.parametrize("after", [0, 1, 2, 7, 18])
def test_a_boot_loader_that_stops_answering_is_an_error(feather, after):
    loader = BootLoader(stop_after=after)
    with pytest.raises(DeviceError, match=f"does not acknowledge packet {after + 1}") as caught:
        by_dfu(feather.hex, loader)
    assert "it is silent" in caught.value.why and loader.closed and not loader.started
    assert loader.packets == after + 5


def test_a_boot_loader_out_of_step_is_an_error(feather):
    with pytest.raises(DeviceError, match="does not acknowledge packet 1") as caught:
        by_dfu(feather.hex, BootLoader(expected=5))
    assert "it expects packet 5" in caught.value.why


def test_what_is_no_acknowledgement_is_skipped(feather):
    loader = BootLoader()
    loader.out += b"\xc0\x08\x00\x00\x00\xc0boot text\xc0\xc0"
    by_dfu(feather.hex, loader)
    assert loader.started


def test_the_port_must_be_the_boards_boot_loader(feather):
    loader = BootLoader()
    with pytest.raises(DeviceError, match="is not the boot loader of feather_nrf52840"):
        by_dfu(feather.hex, loader, to=Path("/dev/other"))
    with pytest.raises(DeviceError, match="no boot loader port of feather_nrf52840"):
        flash(board("feather_nrf52840"), feather.hex, Ports(), via="dfu")
    two = Ports(boot_loaders=[PORT, "/dev/b"], line=loader)
    with pytest.raises(DeviceError, match="several of boot loader port"):
        flash(board("feather_nrf52840"), feather.hex, two, via="dfu")
    assert flash(board("feather_nrf52840"), feather.hex, two, via="dfu", to=Path(PORT)).where == PORT


def test_wrong_or_oversize_images_never_reach_the_boot_loader(feather, tmp_path):
    loader = BootLoader()
    xiao = build_image_of_c(board("xiao_nrf52840"), TRIVIAL, tmp_path / "xiao")
    small = replace(board("feather_nrf52840"), flash_size=4096)
    ports = Ports(boot_loaders=[PORT], line=loader)
    for target, image in ((board("feather_nrf52840"), xiao.hex), (small, feather.hex)):
        with pytest.raises(UsageError):
            flash(target, image, ports, via="dfu")
    assert loader.packets == 0


def test_a_boot_loader_of_another_softdevice_does_not_start_the_image(feather):
    """It acknowledges all the same: only the greeting afterwards can tell."""
    loader = BootLoader(softdevice=0x0123)
    by_dfu(feather.hex, loader)
    assert not loader.started


def test_the_flasher_that_finds_its_target_is_taken(feather, tmp_path, monkeypatch):
    monkeypatch.setattr("edgegrf.flash.uf2._mount_points", lambda: iter((tmp_path / "media").iterdir()))
    drive = tmp_path / "media" / "FTHR840BOOT"
    drive.mkdir(parents=True)
    loader = BootLoader()
    ports = Ports(boot_loaders=[PORT], line=loader)
    assert flash(board("feather_nrf52840"), feather.hex, ports).via == "dfu"
    (drive / "INFO_UF2.TXT").write_text("Board-ID: nRF52840-Feather-revD\nSoftDevice: S140 6.1.1\n")
    assert flash(board("feather_nrf52840"), feather.hex, ports).via == "uf2"


# ---- esptool, with an ESP-IDF build


CHIPS = {"esp32c3": 5, "esp32s3": 9, "esp32": 0}


def idf_build(folder, chip="esp32c3", app=b"application"):
    """The files of an ESP-IDF build: boot loader, partition table, program."""
    folder.mkdir()

    def image(content):
        return bytes((0xE9, 1)) + bytes(10) + struct.pack("<H", CHIPS[chip]) + bytes(10) + content

    (folder / "boot.bin").write_bytes(image(b"boot loader"))
    (folder / "table.bin").write_bytes(b"\xaa\x50table")
    (folder / "app.bin").write_bytes(image(app))
    files = {"0x0": "boot.bin", "0x8000": "table.bin", "0x10000": "app.bin"}
    (folder / "flasher_args.json").write_text(json.dumps({"flash_files": files}))
    return folder / "flasher_args.json"


@pytest.fixture
def c3():
    return replace(
        board("nrf52840dk"), name="c3", chip="esp32c3", flash_origin=0, flash_size=4 << 20,
        flashers=("esptool", "file"), pyocd_target=None, store_origin=0x3FE000, store_size=0x2000,
    )  # fmt: skip


@pytest.fixture
def bin_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "bin"


def calls(folder):
    return [json.loads(line) for line in (folder / "calls.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("v5", [False, True])
def test_esptool_identifies_then_writes_each_file_at_its_offset(c3, tmp_path, bin_folder, v5):
    install_esptool(bin_folder, v5=v5)
    build = idf_build(tmp_path / "build")
    done = flash(c3, build, Ports(running=[PORT]))
    assert (done.via, done.where) == ("esptool", PORT)
    for place, name in (("0x0", "boot.bin"), ("0x8000", "table.bin"), ("0x10000", "app.bin")):
        assert (bin_folder / f"at-{place}").read_bytes() == (build.parent / name).read_bytes()
    asked, wrote = calls(bin_folder)
    assert asked[-1] == "flash_id" and asked[:2] == ["--chip", "auto"] and "no_reset" in asked
    assert wrote[:2] == ["--chip", "esp32c3"] and wrote[wrote.index("--after") + 1] == "hard_reset"


@pytest.mark.parametrize(
    ("chip", "said"),
    [
        ({"family": "ESP32"}, "is an ESP32, c3 has an esp32c3"),
        ({"family": "ESP32-S3", "v5": True}, "is an ESP32-S3"),
        ({"flash": "1MB"}, None),
        ({"flash": "32KB"}, "the image ends at 0x10023, the flash of the chip at /dev/fake at 0x8000"),
        ({"silent": True}, "no ESP chip answers"),
        ({"fails": True}, "esptool failed at /dev/fake"),
    ],
)
def test_esptool_refuses_before_it_writes(c3, tmp_path, bin_folder, chip, said):
    install_esptool(bin_folder, **chip)
    build = idf_build(tmp_path / "build")
    if said is None:
        assert flash(c3, build, Ports(), port=PORT).where == PORT
        return
    with pytest.raises(DeviceError, match=said):
        flash(c3, build, Ports(), port=PORT)
    assert not list(bin_folder.glob("at-*"))
    assert len(calls(bin_folder)) == (2 if chip.get("fails") else 1)


def test_direct_boot_needs_a_chip_that_can(c3, tmp_path, bin_folder):
    build = idf_build(tmp_path / "build")
    direct = replace(c3, boot="direct")
    install_esptool(bin_folder, revision="v0.2")
    with pytest.raises(DeviceError, match=r"revision v0\.2"):
        flash(direct, build, Ports(), port=PORT)
    install_esptool(bin_folder, revision="v0.3")
    assert flash(direct, build, Ports(), port=PORT).via == "esptool"


def test_ports_to_choose_from_and_no_program(c3, tmp_path, bin_folder, monkeypatch):
    build = idf_build(tmp_path / "build")
    monkeypatch.setattr("edgegrf.flash.esptool.importlib.util.find_spec", lambda _name: None)
    with pytest.raises(MissingToolError, match="esptool is not installed"):
        flash(c3, build, Ports(running=[PORT]))
    install_esptool(bin_folder)
    with pytest.raises(DeviceError, match="no port of c3"):
        flash(c3, build, Ports())
    with pytest.raises(DeviceError, match="several of port of c3: /dev/a, /dev/b"):
        flash(c3, build, Ports(running=["/dev/a", "/dev/b"]))
    assert not (bin_folder / "calls.jsonl").exists()


def test_builds_that_are_damaged_or_of_another_chip(c3, tmp_path, bin_folder):
    install_esptool(bin_folder)
    other = idf_build(tmp_path / "s3", "esp32s3")
    with pytest.raises(UsageError, match="is for esp32s3, c3 has an esp32c3"):
        flash(c3, other, Ports(), port=PORT)
    with pytest.raises(UsageError, match="ends at 0x10023"):
        flash(replace(c3, flash_size=0x10000), idf_build(tmp_path / "large"), Ports(), port=PORT)
    lacking = idf_build(tmp_path / "lacking")
    (lacking.parent / "app.bin").unlink()
    with pytest.raises(ModelError, match="cannot read the build"):
        flash(c3, lacking, Ports(), port=PORT)
    for text in ("", "[]", "{}", '{"flash_files": {"x": "app.bin"}}', '{"flash_files": {}}'):
        lacking.write_text(text)
        with pytest.raises(ModelError):
            flash(c3, lacking, Ports(), port=PORT)
    assert not (bin_folder / "calls.jsonl").exists()


def test_esptool_erases_the_calibration_alone(c3, bin_folder):
    install_esptool(bin_folder)
    assert erase_store(c3, Ports(running=[PORT])).bytes == 0x2000
    assert calls(bin_folder)[1][-3:] == ["erase_region", "0x3fe000", "0x2000"]
    install_esptool(bin_folder, family="ESP32")
    with pytest.raises(DeviceError):
        erase_store(c3, Ports(running=[PORT]))
    assert len(calls(bin_folder)) == 3


def test_the_bare_esp32c3_by_flash_and_by_ram(tmp_path, monkeypatch):
    """The images of the bare-metal port themselves, as a person flashes them."""
    try:
        images = {
            name: build_image_of_c(board(name), TRIVIAL, tmp_path / name)
            for name in ("esp32c3", "esp32c3_ram")
        }
    except MissingToolError as error:
        pytest.skip(error.what)
    bin_folder = tmp_path / "bin"
    install_esptool(bin_folder)
    monkeypatch.setenv("PATH", str(bin_folder))
    done = flash(board("esp32c3"), images["esp32c3"].hex, Ports(running=[PORT]))
    assert done.via == "esptool"
    assert (bin_folder / "at-0x0").read_bytes()[:8] == bytes.fromhex("1d04dbae") * 2
    flash(board("esp32c3_ram"), images["esp32c3_ram"].elf, Ports(running=[PORT]))
    assert (bin_folder / "ram").read_bytes() == images["esp32c3_ram"].bin.read_bytes()
    written = len(calls(bin_folder))
    with pytest.raises(UsageError):
        flash(board("esp32c3"), images["esp32c3_ram"].elf, Ports(running=[PORT]))
    images["esp32c3_ram"].bin.write_bytes(images["esp32c3"].bin.read_bytes())
    with pytest.raises(ModelError):
        flash(board("esp32c3_ram"), images["esp32c3_ram"].elf, Ports(running=[PORT]))
    images["esp32c3_ram"].bin.unlink()
    with pytest.raises(ModelError, match="is missing"):
        flash(board("esp32c3_ram"), images["esp32c3_ram"].elf, Ports(running=[PORT]))
    assert all(call[-1] == "flash_id" for call in calls(bin_folder)[written:])
