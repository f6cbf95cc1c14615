# SPDX-License-Identifier: Apache-2.0
"""What must hold for each way to a board: too large is refused untouched, and a write that fails is told."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from targets import BootLoader, Ports, install_esptool

from edgegrf.boards import board, boards
from edgegrf.errors import DeviceError, MissingToolError, OutputError, UsageError
from edgegrf.flash import dfu as dfu_module
from edgegrf.flash import flash
from edgegrf.image import build_image_of_c
from edgegrf.image.sdk import SDKS

TRIVIAL = Path(__file__).parents[2] / "firmware" / "tests" / "trivial"
PORT = "/dev/fake"
PYOCD = """#!{python}
import json, pathlib, sys
here = pathlib.Path(__file__).parent
if sys.argv[1] == "json":
    print(json.dumps({{"boards": [{{"unique_id": "1"}}]}}))
elif sys.argv[1] == "commander":
    print("10000100:  00052840    |..(.|")
else:
    (here / "written").write_text(sys.argv[1])
    sys.exit((here / "broken").exists())
"""
WAYS = [
    ("nrf52840dk", "pyocd"), ("nrf52840dk", "file"), ("feather_nrf52840", "uf2"), ("xiao_nrf52840", "dfu"),
    ("esp32c3", "esptool"), ("esp32c3_ram", "esptool"),
]  # fmt: skip


@pytest.fixture(scope="module")
def image_of(tmp_path_factory):
    def build(name):
        try:
            return build_image_of_c(board(name), TRIVIAL, tmp_path_factory.getbasetemp() / f"every-{name}")
        except MissingToolError as error:
            pytest.skip(error.what)

    return build


class Way:
    """One way to a board with what is at its end; `touched()` says whether anything was written there."""

    def __init__(self, name, via, folder, monkeypatch):
        self.board, self.via, self.folder, self.to = board(name), via, folder, None
        self.loader = BootLoader(softdevice=self.board.dfu_softdevice)
        self.ports = Ports(running=[PORT], boot_loaders=[PORT], line=self.loader)
        monkeypatch.setattr(dfu_module, "_ERASE_PAGE_S", 0.0)
        monkeypatch.setattr(dfu_module, "_ACK_S", 0.01)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        self.break_esptool(broken=False)
        (folder / "pyocd").write_text(PYOCD.format(python=sys.executable))
        (folder / "pyocd").chmod(0o755)
        if via == "uf2":
            self.to = folder / "drive"
            self.to.mkdir()
            text = "Board-ID: nRF52840-Feather-revE\nSoftDevice: S140 6.1.1\n"
            (self.to / "INFO_UF2.TXT").write_text(text)
        if via == "file":
            self.to = folder / "firmware.hex"

    def break_esptool(self, *, broken):
        install_esptool(self.folder, fails=broken)

    def flash(self, image, **changes):
        target = replace(self.board, **changes)
        return flash(target, image.hex, self.ports, via=self.via, to=self.to)

    def touched(self):
        names = {path.name for path in self.folder.rglob("*")}
        left = {"written", "firmware.hex", "firmware.uf2", "calls.jsonl", "ram"} & names
        return bool(left) or self.loader.packets > 0


@pytest.fixture
def way(tmp_path, monkeypatch, request):
    return Way(*request.param, tmp_path, monkeypatch)


@pytest.mark.parametrize("way", WAYS, indirect=True, ids=["-".join(each) for each in WAYS])
def test_an_image_that_is_too_large_touches_nothing(way, image_of):
    image = image_of(way.board.name)
    limit = {"ram_size": 4096} if way.board.boot == "ram" else {"flash_size": 4096}
    with pytest.raises(UsageError) as caught:
        way.flash(image, **limit)
    assert caught.value.exit_code == 2 and not way.touched()
    assert way.flash(image).via == way.via and way.touched()


def full(_file):
    raise OSError(errno.ENOSPC, "No space left on device")


def break_pyocd(way, _monkeypatch):
    (way.folder / "broken").write_text("")


def break_uf2(_way, monkeypatch):
    monkeypatch.setattr("edgegrf.flash.uf2.os.fsync", full)


def break_dfu(way, _monkeypatch):
    way.loader.stop_after = 9


def break_esptool(way, _monkeypatch):
    way.break_esptool(broken=True)


def break_file(way, _monkeypatch):
    way.to.mkdir()


@pytest.mark.parametrize(
    ("way", "fault", "error", "said"),
    [
        (WAYS[0], break_pyocd, DeviceError, "could not load nrf52840dk"),
        (WAYS[1], break_file, OutputError, "cannot write"),
        (WAYS[2], break_uf2, DeviceError, r"writing to .*firmware.uf2 failed"),
        (WAYS[3], break_dfu, DeviceError, "does not acknowledge packet 10"),
        (WAYS[4], break_esptool, DeviceError, r"esptool failed at /dev/fake \(write_flash\)"),
    ],
    indirect=["way"],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else None,
)
def test_a_write_that_fails_is_told_with_what_to_do(way, fault, error, said, image_of, monkeypatch):
    fault(way, monkeypatch)
    with pytest.raises(error, match=said) as caught:
        way.flash(image_of(way.board.name))
    assert caught.value.why and caught.value.fix


@pytest.mark.parametrize("way", [WAYS[2]], indirect=True)
def test_a_drive_that_goes_away_with_the_last_block_has_taken_all(way, image_of, monkeypatch):
    def restarted(_file):
        shutil.rmtree(way.to)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("edgegrf.flash.uf2.os.fsync", restarted)
    assert way.flash(image_of("feather_nrf52840")).where == str(way.to / "firmware.uf2")


@pytest.mark.parametrize("name", [name for name, row in boards().items() if row.port not in SDKS])
def test_every_board_that_needs_no_sdk_is_built(edgegrf, name, tmp_path, needs_compiler):
    if board(name).chip != "host":
        needs_compiler(board(name).core, None)
    code, out, said = edgegrf("build", "--board", name, "-o", str(tmp_path), "--json")
    assert code == 0, said
    record = json.loads(out)
    assert record["board"] == name and all(Path(file).is_file() for file in record["files"].values())
    assert 0 <= record["flash_bytes"] <= board(name).flash_size and len(record["firmware_sha256"]) == 64
