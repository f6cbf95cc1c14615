# SPDX-License-Identifier: Apache-2.0
"""The unmodified nRF52840 image scans, estimates, streams and keeps its calibration, on the emulated chip."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgegrf.boards import board
from edgegrf.errors import LinkError
from edgegrf.image import build_image, build_image_of_c
from edgegrf.link import Device
from edgegrf.link.exchange import Patience
from edgegrf.link.insole import Insole
from edgegrf.link.live_messages import Content
from edgegrf.link.virtual_port import VirtualPort
from edgegrf.live.checking import prove
from edgegrf.live.stream import Terms, follow
from edgegrf.live.wearing import walking_wearer, wiring
from edgegrf.manifest import Manifest
from edgegrf.parity.host import HostModel
from edgegrf.resources import shipped_file

pytest.importorskip("unicorn")
FIRMWARE = Path(__file__).parents[2] / "firmware"


@pytest.fixture(scope="module")
def board_of(tmp_path_factory, needs_arm_compiler):
    """board_of(student): (its model, a virtual port with it inside, worn by the synthetic walker)."""
    needs_arm_compiler(None)
    folder = tmp_path_factory.mktemp("images")  # a second build of the same finds the first

    def start(student):
        model, target = shipped_file(student, "student_int8.tflite"), board("nrf52840dk")
        image = build_image(target, model, folder / student)
        worn = walking_wearer(wiring(target, Manifest.read(model).interface), seed=2)
        return model, VirtualPort(image.elf, target, worn)

    return start


@pytest.mark.parametrize(
    ("student", "rate_hz", "seconds", "content"),
    [
        ("insole4-dstcn16", 100, 4, Content.RAW | Content.PRESSURE | Content.ESTIMATE),
        ("matrix16x8-st", 200, 0.4, Content.PRESSURE | Content.ESTIMATE),
        ("matrix16x8-st", 200, 0.2, Content.RAW | Content.ESTIMATE),
    ],
)
def test_full_rate_loses_nothing_and_every_bit_is_the_hosts(board_of, student, rate_hz, seconds, content):
    model, port = board_of(student)
    with Device(port) as device:
        stream = follow(device, Terms(content, rate_hz=rate_hz), seconds)
        insole, status = Insole(device), stream.status
        proof = prove(stream, HostModel(model), insole.facts, insole.calibration())
        assert device.stats().overruns == 0
    assert len(stream.frames) == status.samples == rate_hz * seconds
    assert (stream.missing, status.lost, status.missed) == (0, 0, 0)
    assert proof.samples == rate_hz * seconds and proof.mismatches == 0
    assert proof.estimates.outputs == proof.samples * stream.hello.output_channels
    assert status.latency_max_us < 1e6 / rate_hz
    assert stream.frames[-1].time_us == (len(stream.frames) - 1) * 1_000_000 // rate_hz
    assert status.jitter_max_ns < 100  # an emulated timer has none


def test_a_host_that_is_gone_is_noticed_in_the_boards_own_time(board_of):
    _, port = board_of("insole4-dstcn16")
    with Device(port) as device:
        Insole(device).start(Content.RAW, keep_alive_ms=300)
        for _ in range(50):
            port.board.run(0.02)
        status = Insole(device).status()
        assert not status.running and status.ended == 2 and 30 <= status.samples <= 32


@pytest.mark.parametrize(("name", "operations"), [("nrf52840dk", 54), ("esp32c3", 54)])
def test_the_power_may_fail_in_every_write_of_a_calibration(tmp_path, needs_compiler, name, operations):
    target = board(name)
    needs_compiler(target.core, None)
    image = build_image_of_c(target, FIRMWARE / "tests/trivial", tmp_path)
    port = VirtualPort(image.elf, target)
    with Device(port, Patience(0.3, 2)) as device:
        start = Insole(device).calibration()
        held = Insole(device).calibrate(offset_of(start, 100))
        before = port.board.flash_operations
        held = Insole(device).calibrate(offset_of(start, 101))
        writes = port.board.flash_operations - before
        assert writes == operations  # one erase, and the words of 8 sensors
        for cut in range(1, writes + 1):
            port.board.cut_power(after_writes=cut)
            with pytest.raises(LinkError):
                Insole(device).calibrate(offset_of(start, 200 + cut))
            port.board.power_on()
            device.hello()
            assert Insole(device).calibration() == held, cut
        after = Insole(device).calibrate(offset_of(start, 300))
        assert after.generation == held.generation + 1 and after.sensors[0].offset == 300
        port.board.power_on()
        device.hello()
        assert Insole(device).calibration() == after


def offset_of(record, offset):
    return replace(record, sensors=tuple(replace(each, offset=offset) for each in record.sensors))
