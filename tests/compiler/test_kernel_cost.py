# SPDX-License-Identifier: Apache-2.0
"""What the kernels cost on the virtual nRF52840 (estimates), so that a change for the worse is seen."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from edgegrf.compiler import compile_model
from edgegrf.link.device import Device
from edgegrf.link.opening import open_port
from edgegrf.resources import DEFAULT_STUDENT, shipped_file

#: (model, mode): cycles, built by arm-none-eabi-gcc 12.2 at -O2
LIMITS = {
    ("default", "stream"): 6000,
    ("conv", "window"): 790_000,
    ("conv", "stream"): 9000,
    ("ds", "window"): 500_000,
    ("ds", "stream"): 5500,
}


@pytest.fixture
def path(reference_nets):
    return lambda name: (
        shipped_file(DEFAULT_STUDENT, "student_int8.tflite")
        if name == "default"
        else reference_nets / f"{name}.tflite"
    )


@pytest.mark.parametrize(("name", "mode"), LIMITS)
def test_cycles_stay_within_their_limit(name, mode, path):
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not here")
    rng = np.random.default_rng(1)
    with Device(open_port("virtual:nrf52840dk", model=path(name))) as device:
        info = device.hello()
        x = rng.integers(-128, 128, (info.window_samples, info.input_channels)).astype(np.int8)
        cycles = device.window(x)[1] if mode == "window" else int(np.median(device.stream(x)[1]))
    limit = LIMITS[name, mode]
    assert limit * 0.8 < cycles <= limit


def test_constants_lie_where_they_are_asked_to(path, tmp_path):
    tflite = path("ds")
    flash, ram, auto = (
        compile_model(tflite, tmp_path / weights, weights=weights) for weights in ("flash", "ram", "auto")
    )
    assert ram.stream.ram_bytes == flash.stream.ram_bytes + ram.weight_bytes
    assert auto.stream.ram_bytes == flash.stream.ram_bytes <= 2500  # more than twice what its rings take
    assert compile_model(path("default"), tmp_path / "default").stream.constant_bytes > 0
    assert 'section(".data.model")' in (tmp_path / "ram" / "model.c").read_text()
    assert 'section(".data.model")' not in (tmp_path / "flash" / "model.c").read_text()
    assert "--weights ram" in (tmp_path / "ram" / "model.c").read_text()
