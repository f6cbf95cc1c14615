# SPDX-License-Identifier: Apache-2.0
"""Many compiled models in one program on a virtual board: inputs in flash, checksums out."""

from __future__ import annotations

import re
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from batch import noise, steps_of, streamed

from edgegrf.boards import board
from edgegrf.parity.judge import TfliteMicro, run_windows
from edgegrf.process import run
from edgegrf.resources import firmware_folder
from edgegrf.toolchain import core_compiler
from edgegrf.virtual import VirtualBoard

STEPS = 12
_FIRMWARE = Path(__file__).parent.parent / "virtual" / "firmware"
_PORT = firmware_folder() / "port"


@dataclass(frozen=True)
class _Chip:
    """How a test program is built for a board, by kind of compiler."""

    target: dict[str, tuple[str, ...]]
    libraries: dict[str, tuple[str, ...]]
    sources: tuple[Path, ...]
    include: tuple[Path, ...]
    wait: str  # what the program does at its end


_NO_IDIOMS = ("-nostdlib", "-fno-tree-loop-distribute-patterns")
_CHIPS = {
    "nrf52840dk": _Chip(
        {
            "gcc": ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"),
            "zig": (
                *("-target", "thumb-freestanding-eabihf", "-mcpu=cortex_m4+vfp4d16sp"),
                "-fno-sanitize=undefined",
            ),
        },
        {"gcc": (*_NO_IDIOMS, "-lgcc"), "zig": ("-Wl,--entry=start",)},  # zig brings its own library
        (_PORT / "bare" / "string.c", _FIRMWARE / "start.c"),
        (_FIRMWARE,),
        "wfe",
    ),
    "esp32c3": _Chip(
        {
            "gcc": ("-march=rv32imc_zicsr", "-mabi=ilp32"),
            "zig": (
                *("-target", "riscv32-freestanding-none", "-mcpu=generic_rv32+m+c+zicsr", "-mabi=ilp32"),
                "-fno-sanitize=undefined",
            ),
        },
        {"gcc": (*_NO_IDIOMS, "-Wl,--no-warn-rwx-segments"), "zig": ("-Wl,--entry=startup_reset",)},
        (_PORT / "bare" / "string.c", _PORT / "esp32c3" / "watchdog.c", _FIRMWARE / "esp32c3" / "start.c"),
        (_FIRMWARE / "esp32c3", _PORT / "esp32c3"),
        "wfi",
    ),
}
_MAIN = """\
#include "chip.h"
{includes}
static uint32_t sums[{count}];
static void add(uint32_t *sum, const int8_t *x, uint32_t n) {{
    while (n--) {{
        *sum ^= (uint8_t)*x++;
        for (int bit = 0; bit < 8; bit++) *sum = *sum >> 1 ^ (*sum & 1 ? 0xEDB88320u : 0);
    }}
}}
{data}
void program(void) {{
{body}    uart_on();
    uart_send(sums, sizeof sums);
    for (;;) __asm__ volatile("{wait}");
}}
"""


def checksums(models, inputs, folder: Path, kind: str, target: str = "nrf52840dk") -> list[int]:
    """CRC-32 of each model's estimates of `inputs`, a window or some samples, on the board `target`."""
    compiler, chip = core_compiler(board(target).core, kind), _CHIPS[target]
    data = body = ""
    for index, (model, x) in enumerate(zip(models, inputs, strict=True)):
        plan, name = model.plan, model.name
        data += (
            f"static const int8_t x{index}[{x.size}] = {{{','.join(map(str, x.reshape(-1).tolist()))}}};\n"
        )
        size = plan.output_channels * (plan.estimates if model.modes == 1 else 1)
        data += f"static int8_t y{index}[{size}];\n"
        body += f"    sums[{index}] = ~0u;\n"
        if model.modes == 1:
            body += f"    {name}_window(x{index}, y{index}); add(&sums[{index}], y{index}, {size});\n"
        else:
            call = f"{name}_step(x{index} + i * {plan.input_channels}, y{index})"
            body += f"    {name}_reset();\n    for (int i = 0; i < {len(x)}; i++)"
            body += f" if ({call} == 1) add(&sums[{index}], y{index}, {size});\n"
        body += f"    sums[{index}] = ~sums[{index}];\n"
    includes = "".join(f'#include "{model.name}.h"\n' for model in models)
    main = folder / f"main-{target}-{kind}.c"
    main.write_text(_MAIN.format(includes=includes, count=len(models), data=data, body=body, wait=chip.wait))
    image = _link(compiler, target, models, main, folder / f"all-{target}-{kind}.elf")
    one = VirtualBoard(image, board(target), strict=True)
    sent = one.run(30.0, until="idle")
    one.close()
    return np.frombuffer(sent, np.uint32).tolist()


def wanted(graph, data, compiled, rng):
    """Random inputs of one window, or of a stream's first samples, and the judge's estimates."""
    plan, judge = compiled.plan, TfliteMicro(data, graph)
    if compiled.modes == 2:
        return streamed(graph, judge, plan, STEPS if plan.samples == 1 else steps_of(compiled), rng)
    x = noise(rng, plan, plan.samples, plan.input_channels)
    return x, run_windows(judge, graph, x.reshape(1, -1))


def _link(compiler, name: str, models, main: Path, target: Path) -> Path:
    chip = _CHIPS[name]
    sources = {path.name: path for model in models for path in model.sources}
    include = [f"-I{path}" for path in (_PORT / "bare" / "include", *chip.include)]
    flags = ("-std=c11", "-O2", "-ffreestanding", "-fno-builtin", "-Wall", "-Wextra", "-Werror")
    files = [*map(str, (*chip.sources, main)), *map(str, sources.values())]
    folders = [f"-I{model.folder}" for model in models]
    script = ["-T", str(_script(name, target.parent)), "-o", str(target)]
    options = [*chip.target[compiler.kind], *flags, *include, *folders, *files, *script]
    run([*compiler.argv, *options, *chip.libraries[compiler.kind], *_libgcc(compiler)])
    return target


def _script(name: str, folder: Path) -> Path:
    """The linker script: the test programs' own, or the port's with the board's numbers."""
    one = board(name)
    if one.boot != "direct":
        return _FIRMWARE / "link.ld"
    text = (_PORT / one.port / "direct.ld.in").read_text()
    for key in ("ram_origin", "ram_size", "stack_size", "flash_size"):
        text = text.replace(f"@BOARD_{key.upper()}@", str(getattr(one, key)))
    path = folder / f"{name}.ld"
    path.write_text(text)
    return path


def _libgcc(compiler) -> tuple[str, ...]:
    """Where riscv64-unknown-elf-gcc keeps what rv32imc needs, whose multilib knows no zicsr."""
    if compiler.kind == "zig" or "riscv" not in compiler.argv[0]:
        return ()
    asked = [*compiler.argv, "-march=rv32imc", "-mabi=ilp32", "-print-libgcc-file-name"]
    return (run(asked).stdout.strip(),)


def checksum(estimates) -> int:
    """CRC-32 of int8 estimates."""
    return zlib.crc32(estimates.tobytes())


def uses(model) -> set[str]:
    """The kernels that a compiled model calls."""
    text = (model.folder / f"{model.name}.c").read_text()
    return set(re.findall(r"^    (eg_\w+)\(", text, re.MULTILINE))
