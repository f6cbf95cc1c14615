# SPDX-License-Identifier: Apache-2.0
"""The reads from flash that the cycle model finds, against every single load of a model at work."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from edgegrf.boards import board
from edgegrf.compiler import compile_model
from edgegrf.errors import MissingToolError
from edgegrf.image import build_image_of_c
from edgegrf.link import Device
from edgegrf.link.virtual_port import VirtualPort
from edgegrf.resources import DEFAULT_STUDENT, shipped_file
from edgegrf.virtual.cortexm import core, cycles
from edgegrf.virtual.cortexm.decode import decode
from edgegrf.virtual.image import load_image

FLASH = 0x10_0000
WORDS = {"ldm": None, "pop": None, "ldrd": 2, "tbb": 1, "tbh": 1}


def watch(uc, engine, seen):
    """Count the words that each instruction reads from flash from `engine` until it returns."""
    import unicorn
    import unicorn.arm_const as arm

    numbers = {f"r{n}": getattr(arm, f"UC_ARM_REG_R{n}") for n in range(13)}
    numbers |= {"lr": arm.UC_ARM_REG_LR, "sp": arm.UC_ARM_REG_SP}

    @functools.cache
    def at(address, size):
        one = decode(bytes(uc.mem_read(address, size)), address)[0]
        loads = one.name.startswith(("ldr", "vldr"))
        return one, one.words if one.name in ("ldm", "pop", "vldm", "vpop") else WORDS.get(
            one.name, int(loads)
        )

    back = []

    def hook(core, address, size, user):
        if address == engine:
            back[:] = [core.reg_read(arm.UC_ARM_REG_LR) & ~1]
        elif back == [address]:
            back.clear()
        if not back:
            return
        one, words = at(address, size)
        if not words or one.base == "pc":
            seen[0] += words
            return
        place = core.reg_read(numbers[one.base])
        if one.index:
            place += core.reg_read(numbers[one.index]) << one.shift
        seen[0] += words if place & 0xFFFF_FFFF < FLASH else 0

    uc.hook_add(unicorn.UC_HOOK_CODE, hook)


@pytest.mark.parametrize("kind", ["gcc", "zig"])
def test_nearly_all_reads_from_flash_are_found(tmp_path, monkeypatch, kind):
    dk, model = board("nrf52840dk"), shipped_file(DEFAULT_STUDENT, "student_int8.tflite")
    try:
        compile_model(model, tmp_path / "c", weights="flash")
        image = build_image_of_c(dk, tmp_path / "c", tmp_path / "image", compiler=kind)
    except MissingToolError as error:
        pytest.skip(error.what)
    samples = np.random.default_rng(0).integers(-128, 128, (8, 4)).astype(np.int8)

    def run(seen=None):
        port = VirtualPort(image.elf, dk)
        core = port.board._chip.core
        if seen is not None:
            symbols = load_image(image.elf).symbols
            watch(core._uc, next(at for at, name in symbols if name == "engine_step"), seen)
        with Device(port) as device:
            return int(device.stream(samples)[1].sum())

    seen = [0]
    with_flash = run(seen)
    for module in (cycles, core):
        monkeypatch.setattr(module, "FLASH_READ", 0)
    without = run()
    found = (with_flash - without) / 1.5
    assert 0.85 * seen[0] < found < 1.05 * seen[0]
