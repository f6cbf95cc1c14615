# SPDX-License-Identifier: Apache-2.0
"""The greeting that proves what a board runs, against boards that restart, lag behind, or are others."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from board_model import BoardModel, greeting

from edgegrf.boards import board
from edgegrf.errors import DeviceError, FirmwareMismatchError, PortError
from edgegrf.image.elf import Segment
from edgegrf.link import greeting as greeting_module
from edgegrf.link.greeting import prove

DK = board("nrf52840dk")
FRESH = {"board": "nrf52840dk", "firmware_sha256": b"F" * 32, "model_sha256": b"M" * 32}
IMAGE = (Segment(0, b"code" + b"M" * 32 + b"..."), Segment(4096, b"F" * 32))


class Port:
    """A transport to a board model."""

    name = "fake"

    def __init__(self, **hello):
        self.model, self.out = BoardModel(greeting(**hello)), b""

    def write(self, data):
        self.out += self.model.feed(data)

    def read(self, timeout_s):
        del timeout_s
        data, self.out = self.out, b""
        return data

    def close(self):
        pass


@pytest.fixture
def at_port(monkeypatch):
    """at_port(states): what is found at each opening, the last one from then on; None: no port."""
    monkeypatch.setattr(greeting_module, "_PAUSE_S", 0.0)

    def put(*states):
        waiting = list(states)

        def open_port(spec, *, board_name):
            assert (spec, board_name) == ("fake", "nrf52840dk")
            state = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            if state is None:
                raise PortError("no port fake")
            return Port(**state)

        monkeypatch.setattr(greeting_module, "open_port", open_port)

    return put


def test_the_image_that_was_written(at_port):
    at_port(FRESH)
    assert prove("fake", DK, IMAGE).firmware_sha256 == b"F" * 32


def test_a_board_that_restarts(at_port):
    stale = {**FRESH, "firmware_sha256": b"O" * 32}
    at_port(stale, None, None, FRESH)
    assert prove("fake", DK, IMAGE).board == "nrf52840dk"
    at_port(stale, None, FRESH)
    with pytest.raises(FirmwareMismatchError):
        prove("fake", DK, IMAGE, patience_s=0.0)


@pytest.mark.parametrize(
    ("state", "kind", "said"),
    [
        (
            {"firmware_sha256": b"O" * 32},
            FirmwareMismatchError,
            "runs firmware 4f4f4f4f4f4f4f4f, which is not",
        ),
        ({"model_sha256": b"O" * 32}, FirmwareMismatchError, "runs model 4f4f4f4f4f4f4f4f, which is not"),
        ({"board": "xiao_nrf52840"}, FirmwareMismatchError, "says that it is xiao_nrf52840, not nrf52840dk"),
        ({"firmware_sha256": bytes(32)}, DeviceError, "the firmware at fake has no hash"),
        (None, PortError, "no port"),
    ],
)
def test_what_goes_on_answering_otherwise(at_port, state, kind, said):
    at_port(None if state is None else FRESH | state)
    with pytest.raises(kind, match=said):
        prove("fake", DK, IMAGE, patience_s=0.05)
