# SPDX-License-Identifier: Apache-2.0
"""Probes of core/ on the host, and native boards that wear an insole."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgegrf.boards import board
from edgegrf.files import sha256_file
from edgegrf.gait.insole import Worn
from edgegrf.image import build_image, build_image_of_c
from edgegrf.link import Device
from edgegrf.link.native_port import NativePort
from edgegrf.process import run
from edgegrf.resources import DEFAULT_STUDENT, shipped_file
from edgegrf.toolchain import host_compiler

FIRMWARE = Path(__file__).parents[2] / "firmware"
WARNINGS = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wmissing-prototypes"]
SCAN = {
    "BOARD": "probe", "SCAN_ROWS": "0", "SCAN_COLUMNS": "8", "SCAN_CHANNELS": "8", "SCAN_MAP": "0, 2, 5",
    "SCAN_RATE_HZ": "100", "SCAN_SETTLE_US": "10", "SCAN_FULL_SCALE_N": "500", "SCAN_OPEN_BELOW": "8",
    "SCAN_SATURATED_FROM": "4080", "SCAN_INPUTS": "8", "SCAN_INPUT_PINS": "0", "SCAN_ADDRESSES": "1",
    "SCAN_STEPS": "1", "SCAN_ROW_LEVELS": "0", "SCAN_ADDRESS_LEVELS": "0", "SCAN_SELECT_MASK": "0",
    "SCAN_SELECT_COUNT": "0", "SCAN_SELECT_PINS": "0", "SCAN_HELD_COUNT": "0",
}  # fmt: skip


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Callable[[str], list[str]]]:
    """probe(name, *core files): runs firmware/tests/NAME.c, built under sanitizers, on text; its lines."""
    folder = tmp_path_factory.mktemp("live-probes")
    text = (FIRMWARE / "core/scan.h.in").read_text()
    (folder / "scan.h").write_text(re.sub(r"@(\w+)@", lambda found: SCAN[found.group(1)], text))
    values = '#define BUILD_VERSION "0"\n#define BUILD_BOARD "probe"\n#define BUILD_SHA256 0\n'
    (folder / "build_values.h").write_text(values)
    compiler = host_compiler()
    sanitizers = "address,undefined" if compiler.has_asan else "undefined"
    places = [folder, *(FIRMWARE / part for part in ("core", "engine", "port", "tests/trivial"))]

    def build(name: str, *files: str) -> Callable[[str], list[str]]:
        program = folder / name
        sources = [FIRMWARE / "tests" / f"{name}.c", *(FIRMWARE / file for file in files)]
        options = ["-g", "-O1", f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all"]
        include = [f"-I{place}" for place in places]
        if not program.exists():
            run([*compiler.argv, *WARNINGS, *options, *include, *map(str, sources), "-o", str(program)])

        def lines(script: str) -> list[str]:
            done = subprocess.run([program], input=script.encode(), capture_output=True, check=False)
            assert done.returncode == 0, done.stderr.decode()
            return done.stdout.decode().splitlines()

        return lines

    return build


@pytest.fixture(scope="session")
def trivial_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The native firmware with firmware/tests/trivial inside: estimates a reader can compute."""
    folder = tmp_path_factory.mktemp("trivial")
    return build_image_of_c(board("native"), FIRMWARE / "tests/trivial", folder).elf


@pytest.fixture(scope="session")
def student() -> Path:
    """The shipped default student."""
    return shipped_file(DEFAULT_STUDENT, "student_int8.tflite")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache of images that all tests of this folder share."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def student_program(cache: Path, student: Path) -> Path:
    """The native firmware with the default student inside, where `--port native:` looks for it."""
    target = board("native")
    return build_image(target, student, cache / "images" / f"native-{sha256_file(student)[:16]}").elf


@pytest.fixture
def opened() -> Iterator[Callable[..., Device]]:
    """opened(program, worn=None): a native board that is closed at the end."""
    devices: list[Device] = []

    def start(program: Path, worn: Worn | None = None) -> Device:
        devices.append(Device(NativePort(program, worn=worn)))
        return devices[-1]

    yield start
    for device in devices:
        device.close()


@pytest.fixture
def wavy() -> NDArray[np.uint16]:
    """Counts [50, 8] that differ in every sample and sensor, none of them faulty."""
    time, sensor = np.mgrid[:50, :8]
    return (200 + 137 * sensor + 31 * time * (sensor + 1) % 2500).astype(np.uint16)
