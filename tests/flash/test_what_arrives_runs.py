# SPDX-License-Identifier: Apache-2.0
"""From `flash` to the greeting: the very bytes that a simulated target was given run on the virtual board."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from targets import BootLoader, install_esptool

from edgegrf.boards import board
from edgegrf.errors import FirmwareMismatchError, MissingToolError
from edgegrf.flash import dfu as dfu_module
from edgegrf.flash import flash
from edgegrf.image import build_image_of_c, read_image
from edgegrf.image.formats import to_binary
from edgegrf.link import greeting as greeting_module
from edgegrf.link.greeting import prove
from edgegrf.link.virtual_port import VirtualPort

pytest.importorskip("unicorn")

MODELS = Path(__file__).parents[2] / "firmware" / "tests"
PORT = "/dev/fake"
FLASHERS = [
    ("nrf52840dk", "pyocd"), ("feather_nrf52840", "uf2"), ("xiao_nrf52840", "dfu"),
    ("esp32c3", "esptool"), ("esp32c3_ram", "esptool"),
]  # fmt: skip

PYOCD = """#!{python}
import json, pathlib, shutil, sys
if sys.argv[1] == "json":
    print(json.dumps({{"boards": [{{"unique_id": "1"}}]}}))
elif sys.argv[1] == "commander":
    print("10000100:  00052840    |..(.|")
else:
    shutil.copy(sys.argv[-1], {received!r})
"""


class Ports:
    """One board on /dev/fake, in its boot loader or running."""

    def __init__(self, line):
        self.line = line

    def running(self, _board):
        return [PORT]

    def boot_loaders(self, _board):
        return [PORT]

    def open(self, _device):
        return self.line


@pytest.fixture(scope="module")
def image_of(tmp_path_factory):
    def build(name, model):
        folder = tmp_path_factory.getbasetemp() / f"runs-{name}-{model}"
        try:
            return build_image_of_c(board(name), MODELS / model, folder)
        except MissingToolError as error:
            pytest.skip(error.what)

    return build


@pytest.fixture
def target(tmp_path, monkeypatch):
    """target(name, via) -> (ports, what to pass as `to`, a function that gives the bytes that arrived)."""
    monkeypatch.setattr(dfu_module, "_ERASE_PAGE_S", 0.0)
    received = tmp_path / "bin" / "received"

    def make(name, via):
        loader = BootLoader(softdevice=board(name).dfu_softdevice, lose=[3], garble=[5])
        (tmp_path / "bin").mkdir()
        if via == "pyocd":
            (tmp_path / "bin" / "pyocd").write_text(
                PYOCD.format(python=sys.executable, received=str(received))
            )
            (tmp_path / "bin" / "pyocd").chmod(0o755)
            monkeypatch.setenv("PATH", str(tmp_path / "bin"))
            return Ports(None), None, lambda: received.read_bytes()
        if via == "uf2":
            text = "Board-ID: nRF52840-Feather-revE\nSoftDevice: S140 6.1.1\n"
            (tmp_path / "bin" / "INFO_UF2.TXT").write_text(text)
            drive = tmp_path / "bin" / "firmware.uf2"
            return Ports(None), drive.parent, lambda: to_binary(read_image(drive)[1])[1]
        if via == "dfu":
            return Ports(loader), None, lambda: bytes(loader.image) if loader.started else b""
        install_esptool(tmp_path / "bin")
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        name = "ram" if board(name).boot == "ram" else "at-0x0"
        return Ports(None), None, lambda: (tmp_path / "bin" / name).read_bytes()

    return make


def booted(monkeypatch, name, content):
    """From now on the greeting finds a virtual board that runs `content`."""
    monkeypatch.setattr(
        greeting_module, "open_port", lambda _spec, board_name: VirtualPort(content, board(board_name))
    )


@pytest.mark.parametrize(("name", "via"), FLASHERS)
def test_what_arrives_runs_and_what_was_there_before_is_found_out(image_of, target, monkeypatch, name, via):
    image, before = image_of(name, "trivial"), image_of(name, "slow")
    ports, to, arrived = target(name, via)
    done = flash(board(name), image.hex, ports, via=via, to=to)
    assert done.via == via
    booted(monkeypatch, name, arrived())
    hello = prove(PORT, board(name), read_image(image.hex)[1])
    assert hello.firmware_sha256.hex() == image.firmware_sha256 and hello.board == name
    booted(monkeypatch, name, before.elf.read_bytes())
    with pytest.raises(FirmwareMismatchError, match="which is not in the image"):
        prove(PORT, board(name), read_image(image.hex)[1], patience_s=0.0)
