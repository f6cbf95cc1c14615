# SPDX-License-Identifier: Apache-2.0
"""Small programs for the virtual board, built here by either Cortex-M compiler."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgegrf.boards import board
from edgegrf.process import run
from edgegrf.toolchain import arm_compiler
from edgegrf.virtual import VirtualBoard

_SOURCES = Path(__file__).with_name("firmware")
_TARGET = {
    "gcc": ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"),
    "zig": ("-target", "thumb-freestanding-eabihf", "-mcpu=cortex_m4+vfp4d16sp"),
}
_FLAGS = ("-O2", "-std=c99", "-ffreestanding", "-nostdlib", "-Wall", "-Wextra", "-Werror")

Build = Callable[..., Path]
Start = Callable[..., VirtualBoard]


@pytest.fixture(scope="session")
def build(tmp_path_factory, needs_arm_compiler) -> Build:
    """build("echo", kind="gcc", WORK=100) -> an ELF file; each variant is built once."""
    folder = tmp_path_factory.mktemp("virtual-firmware")

    def make(name: str, kind: str | None = None, **defines: int) -> Path:
        needs_arm_compiler(kind)
        compiler = arm_compiler(kind)
        options = [f"-D{key}={value}" for key, value in defines.items()]
        path = folder / ("-".join([name, compiler.kind, *options]) + ".elf")
        if not path.exists():
            sources = [str(_SOURCES / file) for file in ("start.c", f"{name}.c")]
            script = ["-T", str(_SOURCES / "link.ld"), "-o", str(path)]
            run([*compiler.argv, *_TARGET[compiler.kind], *_FLAGS, *options, *sources, *script])
        return path

    return make


@pytest.fixture
def start(build):
    """start("echo", WORK=100) -> a strict virtual nRF52840-DK with that program; closed after the test."""
    boards = []

    def begin(name: str, *, strict: bool = True, kind: str | None = None, **defines: int) -> VirtualBoard:
        image = build(name, kind, **defines)
        boards.append(VirtualBoard(image, board("nrf52840dk"), strict=strict))
        return boards[-1]

    yield begin
    for one in boards:
        one.close()
