# SPDX-License-Identifier: Apache-2.0
"""A profile: every cycle of the model lands on one layer, and the bits are the host's."""

from __future__ import annotations

import json

import numpy as np
import pytest

from edgegrf.boards import board
from edgegrf.compiler import compile_model
from edgegrf.errors import MissingToolError, ModelError, UnsupportedError, UsageError
from edgegrf.image import build_image_of_c
from edgegrf.image.elf import Elf, read_elf
from edgegrf.link import Device
from edgegrf.link.virtual_port import VirtualPort
from edgegrf.profile import check_port, run_profile
from edgegrf.profile.places import footprint, layer_spans
from edgegrf.profile.result import apportion
from edgegrf.resources import DEFAULT_STUDENT, shipped_file
from edgegrf.virtual.cortexm.cycles import ERROR_BAND

DK = board("nrf52840dk")
DEFAULT = shipped_file(DEFAULT_STUDENT, "student_int8.tflite")
#: reading the cycle counter, twice; the calls through the engine
AROUND = 40


def profile(tflite, mode=None, compiler=None):
    try:
        return run_profile(tflite, DK, mode, compiler=compiler)
    except MissingToolError as error:
        pytest.skip(error.what)


@pytest.fixture(scope="module")
def streamed():
    return profile(DEFAULT)


def firmware_counts(tmp_path, tflite, mode, samples):
    """What the firmware's own cycle counter says to one window or to each sample, in the same image."""
    compiled = compile_model(tflite, tmp_path / "c", mode=mode)
    image = build_image_of_c(DK, compiled.folder, tmp_path / "image", tflite=tflite)
    with Device(VirtualPort(image.elf, DK)) as device:
        if mode == "window":
            return float(device.window(samples)[1])
        return float(device.stream(samples)[1].mean())


@pytest.mark.parametrize("mode", ["stream", "window"])
def test_the_layers_add_up_to_what_the_firmware_measures(mode, tmp_path):
    found = profile(DEFAULT, mode)
    shape = (512 if mode == "stream" else 200, 4)
    samples = np.random.default_rng(3).integers(-128, 128, shape).astype(np.int8)
    measured = firmware_counts(tmp_path, DEFAULT, mode, samples)
    assert 0 < measured - found.cycles < AROUND
    assert found.layers[-1].name == "rest" and found.layers[-1].cycles < 0.02 * found.cycles
    assert all(layer.cycles > layer.macs / 2 > 0 for layer in found.layers if layer.macs)


@pytest.mark.parametrize("compiler", ["gcc", "zig"])
@pytest.mark.parametrize("mode", ["stream", "window"])
def test_a_layer_with_twice_the_work_takes_about_twice_the_cycles(mode, compiler, reference_nets):
    found = profile(reference_nets / "conv.tflite", mode, compiler)
    first, second, third, last, rest = found.layers
    assert second.macs == third.macs == 2 * first.macs
    assert 1.3 < second.cycles / first.cycles < 2.6
    assert third.cycles == pytest.approx(second.cycles, rel=0.1)
    assert max(last.cycles, rest.cycles) < 0.1 * found.cycles
    assert (found.macs, found.mismatches) == (643_200 if mode == "window" else 3_216, 0)
    assert found.compared == (200 if mode == "window" else 512)


def test_the_profile_of_one_board_is_the_profile_of_another_run(streamed):
    again = profile(DEFAULT)
    assert again.layers == streamed.layers and again.cycles == streamed.cycles


def test_memory_is_that_of_the_model_alone(streamed, tmp_path):
    window = profile(DEFAULT, "window")
    compiled = compile_model(DEFAULT, tmp_path / "c", mode="stream")
    alone = compile_model(DEFAULT, tmp_path / "w", mode="window")
    for found, planned in ((streamed, compiled.stream), (window, alone.window)):
        # the linker may leave out a constant that the compiler has folded into the code
        assert 0.97 * planned.ram_bytes < found.ram_bytes <= planned.ram_bytes
    assert (streamed.io_bytes, window.io_bytes) == (4 + 1, 200 * 4 + 200)
    assert compiled.weight_bytes < streamed.flash_bytes < streamed.image_flash_bytes
    assert sum(layer.flash_bytes for layer in streamed.layers) == streamed.flash_bytes
    assert all(layer.flash_bytes >= layer.macs for layer in streamed.layers)  # each weight is used once
    deepest = max(range(len(streamed.layers)), key=lambda index: streamed.layers[index].ram_bytes)
    rings = [layer.ring.bytes if layer.ring else 0 for layer in compiled.plan.layers]
    assert streamed.layers[deepest].ram_bytes > rings[deepest] == max(rings) > 0


def test_a_step_model_has_no_window():
    with pytest.raises(UnsupportedError):
        run_profile(shipped_file("insole4-gru32", "student_int8.tflite"), DK, "window")


def test_the_record_says_what_its_cycles_are(streamed):
    record = json.loads(json.dumps(streamed.record()))
    assert record["cycles_are"] == ERROR_BAND and record["per"] == "sample"
    for key in ("instructions", "cycles", "macs", "flash_bytes"):
        assert record[key] == sum(layer[key] for layer in record["layers"]) > 0
    assert record["mismatches"] == 0 and record["ram_bytes"] > 0
    assert sum(layer["share"] for layer in record["layers"]) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("port", ["/dev/ttyACM0", "native:", "socket://lab:1", ""])
def test_real_boards_are_refused_with_what_is_possible(port):
    with pytest.raises(UsageError) as caught:
        check_port(port)
    assert "whole inference" in caught.value.why and "edgegrf bench" in caught.value.fix


@pytest.mark.parametrize("compiler", ["gcc", "zig"])
def test_every_layer_of_both_modes_is_noted_and_costs_no_flash(compiler, tmp_path):
    compiled = compile_model(DEFAULT, tmp_path / "c", memory="fast")
    source = compiled.folder / "model.c"
    sizes = []
    for text in (source.read_text(), source.read_text().replace("defined(__arm__)", "0")):
        source.write_text(text)
        try:
            image = build_image_of_c(DK, compiled.folder, tmp_path / "image", compiler=compiler)
        except MissingToolError as error:
            pytest.skip(error.what)
        sizes.append((image.sizes.flash_bytes, image.sizes.ram_bytes))
        data = image.elf.read_bytes()
        if len(sizes) == 1:
            owners = [span.owner for span in layer_spans(data, 11)]
            assert sorted(owners) == sorted([1, 1, *(2 * list(range(2, 13)))])
    assert sizes[0] == pytest.approx(sizes[1], rel=0.005)  # registers are chosen anew
    with pytest.raises(ModelError, match="11 of 11 layers"):
        layer_spans(data, 11)


@pytest.mark.parametrize("compiler", ["gcc", "zig"])
def test_only_the_models_symbols_count(compiler, tmp_path, needs_arm_compiler):
    needs_arm_compiler(compiler)
    compiled = compile_model(DEFAULT, tmp_path / "c", mode="stream")
    image = build_image_of_c(DK, compiled.folder, tmp_path / "image", tflite=DEFAULT, compiler=compiler)
    elf = read_elf(image.elf.read_bytes())
    taken = footprint(elf, compiled.plan.layers)
    names = {"app_take", "wire", "memcpy", "link_request"}  # app_send()'s `wire` is wire.0 or app_send.wire
    foreign = [symbol for symbol in elf.table if names & set(symbol.name.split("."))]
    assert len(foreign) == 4
    without = Elf(elf.segments, elf.sections, tuple(one for one in elf.table if one not in foreign))
    assert footprint(without, compiled.plan.layers) == taken


@pytest.mark.parametrize(
    ("counts", "runs", "expected"),
    [([10, 20, 30], 10, [1, 2, 3]), ([15, 15, 10], 10, [2, 1, 1]), ([0, 7], 2, [0, 4]), ([5], 1, [5])],
)
def test_rounded_parts_add_up(counts, runs, expected):
    assert apportion(counts, runs) == expected
