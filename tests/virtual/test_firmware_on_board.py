# SPDX-License-Identifier: Apache-2.0
"""The firmware that a real nRF52840 would run, unmodified, with the default student inside."""

from __future__ import annotations

import numpy as np
import pytest

from edgegrf.boards import board
from edgegrf.files import sha256_file
from edgegrf.image import build_image
from edgegrf.link import Device
from edgegrf.parity.host import HostModel
from edgegrf.resources import DEFAULT_STUDENT, shipped_file
from edgegrf.virtual import VirtualBoard

DK = board("nrf52840dk")


class Wire:
    """The strict virtual board as the link's transport."""

    def __init__(self, image):
        self.name = "virtual"
        self.board = VirtualBoard(image, DK, strict=True)

    def write(self, data):
        self.board.feed(data)

    def read(self, timeout_s):
        return self.board.run(timeout_s)

    def close(self):
        self.board.close()


@pytest.fixture(scope="module")
def model():
    return shipped_file(DEFAULT_STUDENT, "student_int8.tflite")


@pytest.fixture(scope="module", params=["gcc", "zig"])
def image(request, model, tmp_path_factory):
    from edgegrf.errors import MissingToolError

    try:
        return build_image(DK, model, tmp_path_factory.mktemp("image"), compiler=request.param)
    except MissingToolError as error:
        pytest.skip(error.what)


@pytest.fixture
def samples():
    return np.random.default_rng(3).integers(-128, 128, (600, 4)).astype(np.int8)


def test_it_greets_as_a_virtual_board_with_this_model(image, model):
    with Device(Wire(image.elf)) as device:
        hello = device.hello()
    assert hello.device_id == b"VIRTUAL\0"
    assert hello.model_sha256.hex() == sha256_file(model)
    assert hello.firmware_sha256.hex() == image.firmware_sha256
    assert hello.clock_hz == 64_000_000 and hello.board == "nrf52840dk" and hello.reset_cause == 1


def test_estimates_equal_the_hosts_bit_for_bit_and_no_byte_is_lost(image, model, samples):
    wire = Wire(image.elf)
    with Device(wire) as device:
        estimates, cycles = device.stream(samples)
        stats = device.stats()
        host = HostModel(model)
        host.reset()
        np.testing.assert_array_equal(estimates, host.stream(samples))
        window = samples[: device.info.window_samples]
        np.testing.assert_array_equal(device.window(window)[0], host.window(window[None])[0])
        assert (wire.board.overruns, wire.board.unheard, stats.overruns, stats.check_errors) == (0, 0, 0, 0)
        assert wire.board.warnings == []
    assert cycles.min() > 1000 and cycles.max() == stats.longest_cycles


def test_elf_hex_and_binary_run_the_same_to_the_cycle(image, samples):
    runs = []
    for file in (image.elf, image.hex, image.bin, image.bin.read_bytes()):
        wire = Wire(file)
        with Device(wire) as device:
            estimates, cycles = device.stream(samples[:60])
            runs.append((estimates.tobytes(), cycles.tobytes(), wire.board.cycles, wire.board.instructions))
    assert len(set(runs)) == 1


def test_a_reset_in_the_middle_is_seen_by_the_host(image, samples):
    wire = Wire(image.elf)
    with Device(wire) as device:
        device.stream(samples[:20])
        wire.board.reset()
        hello = device.hello()
        estimates, _ = device.stream(samples[:20])
    assert hello.reset_cause == 2  # the reset pin
    assert len(estimates) == 20
